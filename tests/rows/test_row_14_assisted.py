"""Row 14, assisted mode: an operator acts for a citizen who has told them the code on their own phone, on the record."""

import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis
from aiohttp import ClientSession

from assembly.enrolment import enrolment
from services.operators import Newcomer
from services.records.database import Records
from services.records.migrate import upgrade
from services.records.tables import applications, audit, consents, messages
from settings import Settings
from tests.journeys.steps import ANSWERS, PIN, opens_birth_certificate, registers, tracking_in
from tests.phone import Phone, running, settings_for
from tests.servers import RedisServer
from tests.test_privacy import everything_in, everything_said
from tests.texting import Texter, texter

OPERATOR, CITIZEN = "+8801711000012", "+8801798765432"
TYPED = "01798765432"
OPERATORS_PIN = "7391"
VISIT = "Citizen 5432: "


@dataclass
class Village:
    """A gateway, an operator's phone and a citizen's."""

    settings: Settings
    http: ClientSession
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    operator: Phone = field(init=False)
    citizen: Phone = field(init=False)
    first_pin: str = ""

    async def opens(self) -> None:
        url = await self.stack.enter_async_context(running(self.settings))
        self.operator, self.citizen = Phone(self.http, url, OPERATOR), Phone(self.http, url, CITIZEN)

    async def loses_everything(self) -> None:
        """The process and its Redis; not the database."""
        await self.stack.aclose()
        url = self.settings.redis.url.get_secret_value()
        if url != "memory://":
            with redis.Redis.from_url(url) as client:
                client.flushdb()
        self.stack = AsyncExitStack()
        address = await self.stack.enter_async_context(running(self.settings))
        self.operator.url = self.citizen.url = address

    async def speaks_english(self) -> None:
        """The citizen, who has no account."""
        await self.citizen.dials()
        await self.citizen.types("1")

    async def enrols(self, **limits: int) -> int:
        async with enrolment(self.settings) as office:
            new = Newcomer(OPERATOR, "Karim Mia", "mirpur", "en", **limits)
            number, self.first_pin = await office.operators.add(new)
        assert (await self.operator.sms("is your PIN as Ekdial operator")).startswith(f"{self.first_pin} ")
        return number

    async def suspends(self, operator: int) -> None:
        async with enrolment(self.settings) as office:
            assert await office.operators.suspend(operator)

    async def dials_as_operator(self) -> str:
        """From any call to the question for the operator's PIN."""
        screen = await self.operator.redials()
        if "3 Hindi" in screen:
            await self.operator.types("1")
        return await self.operator.types("7", "1")

    async def signs_in(self) -> str:
        await self.dials_as_operator()
        return await self.operator.types(self.first_pin, OPERATORS_PIN, OPERATORS_PIN)

    async def asks(self, purpose: str = "1") -> str:
        """From the operator's menu to the code on the citizen's phone."""
        screen = await self.operator.types("1", TYPED, purpose)
        assert screen.startswith("A 6-digit code went to the citizen's phone."), screen
        return await self.code()

    async def code(self) -> str:
        found = re.match(r"\d{6}", await self.citizen.sms("to let Karim Mia"))
        assert found
        return found[0]

    async def acts(self, purpose: str = "1") -> str:
        """Everything up to the menu in which the operator acts for the citizen, who has an account."""
        await registers(self.citizen)
        await self.enrols()
        await self.signs_in()
        return await self.operator.types(await self.asks(purpose))

    async def applies(self) -> str:
        """A birth certificate for the citizen; the screen that says its tracking number."""
        await opens_birth_certificate(self.operator)
        screen = await self.operator.types(*ANSWERS)
        while not re.search(r"\d{4} \d{4} \d{4}", screen):
            screen = await self.operator.types("1")
        return screen

    async def reads(self, statement):
        async with Records(self.settings.database.url.get_secret_value()) as records:
            return (await records.read(statement)).all()


@pytest.fixture
async def village(tmp_path: Path) -> AsyncIterator[Village]:
    async with ClientSession() as http:
        village = Village(settings_for(tmp_path), http)
        await village.opens()
        try:
            yield village
        finally:
            await village.stack.aclose()


@pytest.fixture
async def anywhere(tmp_path: Path, redis_url: str, database_url: str) -> AsyncIterator[Village]:
    """The same on every store and database in turn."""
    await upgrade(database_url)
    async with ClientSession() as http:
        village = Village(settings_for(tmp_path, REDIS__URL=redis_url, DATABASE__URL=database_url), http)
        await village.opens()
        try:
            yield village
        finally:
            await village.stack.aclose()


# The whole of it ------------------------------------------------------------------------------------------------------


async def test_row_14_an_operator_applies_for_a_citizen_though_everything_is_forgotten_twice(anywhere: Village) -> None:
    village = anywhere
    await registers(village.citizen)
    operator = await village.enrols()
    assert (await village.dials_as_operator()).startswith("Type your PIN as an operator")
    assert (await village.operator.types(village.first_pin)).startswith("Choose a PIN of 4 to 6 digits")
    menu = await village.operator.types(OPERATORS_PIN, OPERATORS_PIN)
    assert menu.startswith(f"Operator {operator}\n1 Act for a citizen\n")
    assert (await village.operator.types("1")).startswith("Type the citizen's phone number")
    assert (await village.operator.types(TYPED)).startswith("For the number ending 5432. What is to be done?\n1 Apply")
    await village.operator.types("1")
    asked = await village.citizen.sms("to let Karim Mia")
    assert re.match(
        rf"\d{{6}} is the code to let Karim Mia, .*\(operator {operator}\) apply for a service for you", asked
    )
    assert asked.endswith("It is free. To end it, reply STOP.")
    code = await village.code()
    await village.loses_everything()
    assert (await village.operator.types(code)).startswith(f"{VISIT}What is to be done?\n1 Find a service\n")
    await village.loses_everything()
    receipt = await village.applies()
    assert receipt.startswith(f"{VISIT}Received. Tracking number")
    assert not village.operator.ended, "more can be done on the same visit"
    tracking = tracking_in(receipt)
    assert tracking == tracking_in(await village.citizen.sms("received"))
    assert (await village.operator.types("0")).startswith(f"{VISIT}What is to be done?")
    assert (await village.operator.types("8")).startswith("The visit is over.")
    told = await village.citizen.sms("acted for you")
    assert f"(operator {operator})" in told
    assert tracking_in(told) == tracking
    assert "It cost nothing." in told
    (account,) = {row.account for row in await village.reads(applications.select())}
    (act,) = await village.reads(audit.select().where(audit.c.act == "handed_in"))
    assert (act.actor_kind, act.actor, act.on_behalf_of) == ("operator", str(operator), str(account))
    sent = await village.reads(messages.select().where(messages.c.recipient == CITIZEN))
    assert len(sent) == 3, "the code, the receipt, what was done: however often the path was walked"
    assert len(await village.reads(consents.select())) == 1


async def test_row_14_it_costs_the_citizen_what_it_costs_anybody(village: Village) -> None:
    await village.acts()
    await village.applies()
    (assisted,) = await village.reads(applications.select())
    other = Phone(village.http, village.operator.url, "+8801700000077")
    await registers(other)
    await opens_birth_certificate(other)
    screen = await other.types(*ANSWERS)
    while not re.search(r"\d{4} \d{4} \d{4}", screen):
        screen = await other.types(PIN if "PIN" in screen else "1")
    (own,) = [row for row in await village.reads(applications.select()) if row.number == other.number]
    assert (assisted.fee_minor, assisted.currency) == (own.fee_minor, own.currency)


async def test_row_14_a_citizen_without_an_account_is_registered_and_their_pin_goes_to_their_phone(
    village: Village,
) -> None:
    await village.speaks_english()
    await village.enrols()
    await village.signs_in()
    code = await village.asks()
    assert (await village.operator.types(code)).startswith("This citizen has no account yet. Type their full name.")
    assert (await village.operator.types("Rahima Begum")).startswith(f"{VISIT}What is to be done?")
    pin = re.match(r"\d{4}", await village.citizen.sms("is your Ekdial PIN"))
    assert pin
    await village.applies()
    await village.citizen.dials()
    assert (await village.citizen.types("5", pin[0])).startswith("My account\n")


# The citizen's word ---------------------------------------------------------------------------------------------------


async def test_row_14_stop_ends_the_visit_at_the_next_key_press_and_the_next_stop_is_about_every_sms(
    village: Village,
) -> None:
    await village.acts()
    await village.operator.types("1")
    async with texter(village.citizen.url, CITIZEN) as citizen:
        assert (await citizen.texts("STOP")).startswith("The operator can do nothing more for you.")
        screen = await village.operator.types("1")
        assert screen.startswith("The citizen has ended it. You can do nothing more for this citizen.")
        assert village.operator.ended
        assert (await citizen.texts("STOP")).startswith("You will get no more SMS from Ekdial unless you ask.")
    assert await village.reads(applications.select()) == []


async def test_row_14_stop_before_the_code_is_typed_says_no(village: Village) -> None:
    await village.speaks_english()
    await village.enrols()
    await village.signs_in()
    code = await village.asks()
    async with texter(village.citizen.url, CITIZEN) as citizen:
        assert (await citizen.texts("STOP")).startswith("The operator can do nothing more for you.")
    assert (await village.operator.types(code)).startswith("That code no longer works, or the citizen said no.")


async def test_row_14_a_consent_is_for_one_purpose(village: Village) -> None:
    await village.acts(purpose="2")
    await village.operator.types("1", "1", "1")
    assert (await village.operator.types("1")).startswith(f"{VISIT}The citizen agreed to something else.")


async def test_row_14_what_is_the_citizens_alone_is_refused(village: Village) -> None:
    await village.acts()
    async with texter(village.operator.url, OPERATOR) as by_sms:
        assert "operator" in (await by_sms.texts("OPERATOR")).lower()
    assert "8 End this visit" in await village.operator.types("00")


async def test_row_14_a_wrong_code_opens_nothing(village: Village) -> None:
    await village.speaks_english()
    await village.enrols()
    await village.signs_in()
    code = await village.asks()
    wrong = f"{(int(code) + 1) % 10**6:06}"
    assert (await village.operator.types(wrong)).startswith("That code is not right.")
    screen = await village.operator.types(*[wrong] * 4)
    assert (await village.operator.types(code)).startswith("That code no longer works"), screen


# Who may, and how much ------------------------------------------------------------------------------------------------


async def test_row_14_who_is_not_enrolled_is_told_so(village: Village) -> None:
    assert (await village.dials_as_operator()).startswith("This number is not an operator's.")


async def test_row_14_a_suspended_operator_is_cut_off_at_the_next_key_press(village: Village) -> None:
    await registers(village.citizen)
    operator = await village.enrols()
    await village.signs_in()
    await village.operator.types(await village.asks())
    await village.suspends(operator)
    assert (await village.operator.types("1")).startswith("You are suspended as an operator.")
    assert village.operator.ended
    assert (await village.dials_as_operator()).startswith("You are suspended as an operator for now.")


async def test_row_14_who_has_reached_their_limit_is_told_so(village: Village) -> None:
    await village.speaks_english()
    await village.enrols(consents_a_day=1)
    await village.signs_in()
    await village.asks()
    screen = await village.operator.types("00", "7", "1", "1", TYPED, "1")
    assert screen.startswith("You have reached your limit for today.")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("12", "That is not a phone number"),
        ("+33612345678", "Numbers of that country are not served"),
        (OPERATOR, "That is your own number"),
    ],
)
async def test_row_14_a_number_that_cannot_be_a_citizens_is_told_why(village: Village, typed: str, said: str) -> None:
    await village.enrols()
    await village.signs_in()
    assert (await village.operator.types("1", typed)).startswith(f"{said}\nType the citizen's phone number")


# Dropped, and by SMS --------------------------------------------------------------------------------------------------


async def test_row_14_a_dropped_call_goes_on_where_it_was(village: Village) -> None:
    await village.acts()
    await opens_birth_certificate(village.operator)
    assert "Go on" in await village.operator.dials()
    assert (await village.operator.types("1")).startswith(VISIT)


async def test_row_14_a_call_that_is_carried_on_after_stop_is_cut_off(village: Village) -> None:
    await village.acts()
    await opens_birth_certificate(village.operator)
    async with texter(village.citizen.url, CITIZEN) as citizen:
        await citizen.texts("STOP")
    await village.operator.dials()
    assert (await village.operator.types("1")).startswith("The citizen has ended it.")


async def writes_as_operator(operator: Texter, pin: str) -> str:
    """By SMS, from the keyword to the operator's menu."""
    assert (await operator.texts("OPERATOR")).startswith("Type your PIN as an operator")
    await operator.texts(pin)
    await operator.texts(OPERATORS_PIN)
    return await operator.texts(OPERATORS_PIN)


async def test_row_14_all_of_it_by_sms_too(village: Village) -> None:
    await registers(village.citizen)
    await village.enrols()
    async with texter(village.operator.url, OPERATOR) as operator:
        await operator.texts("LANG EN")
        assert (await writes_as_operator(operator, village.first_pin)).startswith("Operator ")
        await operator.texts("1")
        await operator.texts(TYPED)
        await operator.texts("1")
        menu = await operator.texts(await village.code())
        assert menu.startswith(f"{VISIT}What is to be done?")
        screen = ""
        for typed in ("1", "1", "1", "1", "1", *ANSWERS):
            screen = await operator.texts(typed)
            assert VISIT in screen, screen
        while not re.search(r"\d{4} \d{4} \d{4}", screen):
            screen = await operator.texts("1")
        assert tracking_in(screen) == tracking_in(await village.citizen.sms("received"))
        await operator.texts("00")
        assert (await operator.texts("8")).startswith("The visit is over.")
        assert tracking_in(await village.citizen.sms("acted for you")) == tracking_in(screen)
        await operator.texts("PIN")


# What nobody reads ----------------------------------------------------------------------------------------------------


async def test_row_14_logs_redis_and_tables_tell_nothing(tmp_path: Path, redis_server: RedisServer) -> None:
    redis_server.empty()
    settings = settings_for(tmp_path, REDIS__URL=redis_server.url, SERVER__LOG_LEVEL="debug")
    with everything_said() as said:
        async with ClientSession() as http:
            village = Village(settings, http)
            await village.opens()
            await village.acts()
            code = await village.code()
            await village.applies()
            await village.operator.types("00", "8")
            await village.citizen.sms("acted for you")
            async with http.get(f"{village.operator.url}/metrics") as answer:
                metrics = await answer.text()
            kept = everything_in(redis_server.url)
            await village.stack.aclose()
    secrets = [OPERATORS_PIN, village.first_pin, code, "Karim Mia"]
    for one in (*secrets, OPERATOR[4:], CITIZEN[4:]):
        assert one not in said.getvalue(), f"{one} in the logs"
        assert one not in metrics, f"{one} in the metrics"
        assert one.encode() not in kept, f"{one} can be read in Redis"
    with closing(sqlite3.connect(tmp_path / "ekdial.db")) as database:
        tables = "\n".join(line for line in database.iterdump() if "operator" in line or "consent" in line)
    assert not [one for one in secrets if re.search(rf"\b{re.escape(one)}\b", tables)]
