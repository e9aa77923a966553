"""Assisted mode: an operator acts for a citizen with the code from the citizen's phone, and the audit records it."""

import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from aiohttp import ClientSession

from db.migrate import upgrade
from db.tables import applications, audit, consents, messages
from tests.support.assisted_scenario import CITIZEN, OPERATOR, OPERATORS_PIN, PERSONAL_TEXTS, AssistedScenario
from tests.support.citizen_steps import ANSWERS, PIN, open_birth_certificate, register, tracking_number_in
from tests.support.phone import Phone, admin_url, build_settings
from tests.support.privacy import capture_all_logs, redis_contents, remove_measurements
from tests.support.servers import RedisServer
from tests.support.sms_phone import open_sms_phone

VISIT = "Citizen 5432: "


@pytest.fixture
async def scenario(tmp_path: Path) -> AsyncIterator[AssistedScenario]:
    async with ClientSession() as http:
        scenario = AssistedScenario(build_settings(tmp_path), http)
        await scenario.start()
        try:
            yield scenario
        finally:
            await scenario.stack.aclose()


@pytest.fixture
async def scenario_on_every_backend(
    tmp_path: Path, redis_url: str, database_url: str
) -> AsyncIterator[AssistedScenario]:
    """The same on every store and database in turn."""
    await upgrade(database_url)
    async with ClientSession() as http:
        scenario = AssistedScenario(build_settings(tmp_path, REDIS__URL=redis_url, DATABASE__URL=database_url), http)
        await scenario.start()
        try:
            yield scenario
        finally:
            await scenario.stack.aclose()


# The whole of it ------------------------------------------------------------------------------------------------------


@pytest.mark.africastalking_wire("without its sessions a store makes it replay the path")
async def test_an_operator_applies_for_a_citizen_though_everything_is_forgotten_twice(
    scenario_on_every_backend: AssistedScenario,
) -> None:
    scenario = scenario_on_every_backend
    await register(scenario.citizen)
    operator = await scenario.enrol()
    assert (await scenario.dial_as_operator()).startswith("Type your operator PIN")
    assert (await scenario.operator.enter(scenario.first_pin)).startswith("Choose a PIN of 4 to 6 digits")
    asked = await scenario.operator.enter(OPERATORS_PIN, OPERATORS_PIN)
    assert asked == "To change your PIN, type your operator PIN\n0 Back"
    menu = await scenario.operator.enter(scenario.first_pin)
    assert menu.startswith(f"Operator {operator}\n1 Act for a citizen\n")
    assert (await scenario.operator.enter("1")).startswith("Type the citizen's phone number")
    assert (await scenario.operator.enter(PERSONAL_TEXTS)).startswith(
        "For the number ending 5432. What do they need?\n1 Apply, pay and follow\n2 Follow and complain\n3 Apply for a"
    )
    await scenario.operator.enter("1")
    asked = await scenario.citizen.wait_for_sms("to let Karim Mia")
    assert re.match(
        rf"\d{{6}} is the code to let Karim Mia, .*\(operator {operator}\) do this for you, for 30 minutes: "
        "apply for a service, track your applications, pay a bill or fee\\.",
        asked,
    )
    assert asked.endswith("The help is free. To end it, send STOP to 123.")
    code = await scenario.consent_code()
    await scenario.lose_everything()
    assert (await scenario.operator.enter(code)).startswith(f"{VISIT}What do they need?\n1 Find a service\n")
    await scenario.lose_everything()
    receipt = await scenario.apply_for_citizen()
    assert receipt.startswith(f"{VISIT}Received. Tracking number")
    assert "It is all in the citizen's SMS" in receipt, "the operator has none"
    assert not scenario.operator.ended, "more can be done on the same visit"
    tracking = tracking_number_in(receipt)
    assert tracking == tracking_number_in(await scenario.citizen.wait_for_sms("received"))
    assert (await scenario.operator.enter("0")).startswith(f"{VISIT}What do they need?")
    assert (await scenario.operator.enter("8")).startswith("The visit is over.")
    told = await scenario.citizen.wait_for_sms("acted for you")
    assert f"(operator {operator})" in told
    assert tracking_number_in(told) == tracking
    assert "fee Tk 50 still to pay" in told, "the fee is not free"
    assert "The operator's help is free." in told
    (account,) = {row.account for row in await scenario.fetch(applications.select())}
    (act,) = await scenario.fetch(audit.select().where(audit.c.act == "handed_in"))
    assert (act.actor_kind, act.actor, act.on_behalf_of) == ("operator", str(operator), str(account))
    sent = await scenario.fetch(messages.select().where(messages.c.recipient == CITIZEN))
    assert len(sent) == 3, "the code, the receipt, what was done: however often the path was walked"
    assert len(await scenario.fetch(consents.select())) == 1


async def test_two_applications_alike_have_the_end_of_their_number_in_a_list(scenario: AssistedScenario) -> None:
    """Field report, section 3: "1 Birth certificate: Received 2 Birth certificate: Received"."""
    await scenario.start_acting()
    numbers = []
    for _ in range(2):
        numbers.append(tracking_number_in(await scenario.apply_for_citizen()))
        await scenario.operator.enter("00")
    screen = await scenario.operator.enter("2", "1")
    assert "The citizen's applications\n" in screen
    rows = re.findall(r"^\d Birth certificate \((\d{4})\): Submitted", screen, re.MULTILINE)
    assert sorted(rows) == sorted(number[-4:] for number in numbers), screen


async def test_it_costs_the_citizen_what_it_costs_anybody(scenario: AssistedScenario) -> None:
    await scenario.start_acting()
    await scenario.apply_for_citizen()
    (assisted,) = await scenario.fetch(applications.select())
    other = Phone(scenario.http, scenario.operator.url, "+8801700000077")
    await register(other)
    await open_birth_certificate(other)
    screen = await other.enter(*ANSWERS)
    while not re.search(r"\d{4} \d{4} \d{4}", screen):
        screen = await other.enter(PIN if "PIN" in screen else "1")
    (own,) = [row for row in await scenario.fetch(applications.select()) if row.msisdn == other.msisdn]
    assert (assisted.fee_minor, assisted.currency) == (own.fee_minor, own.currency)


async def test_a_citizen_without_an_account_is_registered_and_their_pin_goes_to_their_phone(
    scenario: AssistedScenario,
) -> None:
    await scenario.choose_english()
    await scenario.enrol()
    await scenario.sign_in()
    code = await scenario.request_consent()
    assert (await scenario.operator.enter(code)).startswith("This citizen has no account yet. Type their full name.")
    asked = await scenario.operator.enter("Rahima Begum")
    assert asked == "To register the citizen, type your operator PIN\n0 Back"
    assert (await scenario.operator.enter(OPERATORS_PIN)).startswith(f"{VISIT}What do they need?")
    (registered,) = await scenario.fetch(audit.select().where(audit.c.act == "registered"))
    assert (registered.actor_kind, registered.on_behalf_of) == ("operator", registered.subject), "it was 0"
    told = await scenario.citizen.wait_for_sms("is your Ekdial PIN")
    assert re.search(r"Karim Mia, .*\(operator 1\) has registered you, as you agreed\.", told), told
    pin = re.match(r"\d{4}", told)
    assert pin
    await scenario.apply_for_citizen()
    await scenario.citizen.dial()
    assert (await scenario.citizen.enter("5", pin[0])).startswith("You have no security questions yet.")
    assert (await scenario.citizen.enter("2")).startswith("My account\n")


async def test_for_somebody_without_a_phone_a_relative_consents(scenario: AssistedScenario) -> None:
    """docs/operators.md: a citizen without a phone."""
    await scenario.start_acting()
    asked = await scenario.operator.enter("00", "1", "1", "1", "1")
    assert "1 For the citizen\n" in asked, "it said: For me"
    assert "For a child or somebody without a phone" in asked
    key = next(line[0] for line in asked.splitlines() if "without a phone" in line)
    screen = await scenario.operator.enter(key, *ANSWERS)
    while not re.search(r"\d{4} \d{4} \d{4}", screen):
        screen = await scenario.operator.enter(OPERATORS_PIN if "PIN" in screen else "1")
    (row,) = await scenario.fetch(applications.select())
    assert (row.msisdn, row.applied_for) == (CITIZEN, "dependent")
    assert row.beneficiary is None, "it counts against no limit of applications for others: it names no number"
    receipt = await scenario.citizen.wait_for_sms("received")
    assert tracking_number_in(receipt) == row.tracking_number, "the SMS goes to the citizen who consented"
    (act,) = await scenario.fetch(audit.select().where(audit.c.act == "handed_in"))
    assert (act.actor_kind, act.on_behalf_of) == ("operator", str(row.account))


# The citizen's word ---------------------------------------------------------------------------------------------------


async def test_stop_ends_the_visit_at_the_next_key_press_and_the_next_stop_is_about_every_sms(
    scenario: AssistedScenario,
) -> None:
    await scenario.start_acting()
    await scenario.operator.enter("1")
    async with open_sms_phone(scenario.citizen.url, CITIZEN) as citizen:
        assert (await citizen.send_sms("STOP")).startswith("The operator can do nothing more for you.")
        screen = await scenario.operator.enter("1")
        assert screen.startswith("The citizen has ended it. You can do nothing more for this citizen.")
        assert scenario.operator.ended
        assert (await citizen.send_sms("STOP")).startswith("You will get no more SMS from Ekdial unless you ask.")
    assert await scenario.fetch(applications.select()) == []


async def test_stop_before_the_code_is_typed_says_no(scenario: AssistedScenario) -> None:
    await scenario.choose_english()
    await scenario.enrol()
    await scenario.sign_in()
    code = await scenario.request_consent()
    async with open_sms_phone(scenario.citizen.url, CITIZEN) as citizen:
        assert (await citizen.send_sms("STOP")).startswith("The operator can do nothing more for you.")
    assert (await scenario.operator.enter(code)).startswith("That code no longer works, or the citizen said no.")


async def test_the_menu_has_what_was_agreed_to_on_the_keys_of_the_main_menu(scenario: AssistedScenario) -> None:
    """Personas 3.1: the menu listed 2, 4, 5 and 9 too, in the order 7, 9, 8."""
    menu = await scenario.start_acting(purpose="3")
    keys = "1 Find a service\n2 Track application\n3 Ask for another purpose\n7 Help\n8 End this visit"
    assert menu == f"{VISIT}What do they need?\n{keys}"
    assert (await scenario.operator.enter("9")).startswith("Please choose one of 1, 2, 3, 7, 8\n"), "no bills"


async def test_another_purpose_is_added_with_a_code_of_its_own_while_the_visit_goes_on(
    scenario: AssistedScenario,
) -> None:
    """Personas 3.1 and 3.2."""
    await scenario.start_acting(purpose="3")
    asked = await scenario.operator.enter("3")
    assert asked.startswith(f"{VISIT}For what else? The citizen gets a new code\n2 Track applications\n3 Pay a bill")
    assert (await scenario.operator.enter("3")).startswith(f"{VISIT}A 6-digit code went to the citizen's phone.")
    menu = await scenario.operator.enter(await scenario.consent_code())
    assert "\n1 Find a service\n" in menu
    assert "\n9 Pay bills" in menu
    await scenario.apply_for_citizen()
    assert "\n9 Pay bills" in await scenario.operator.enter("00")
    assert (await scenario.operator.enter("8")).startswith("The visit is over.")
    told = await scenario.citizen.wait_for_sms("acted for you")
    assert "Applied: " in told
    one, other = await scenario.fetch(consents.select().order_by(consents.c.id))
    assert (one.purpose, other.purpose, other.visit, other.ended_by) == ("apply", "pay", one.id, "operator")
    sent = [row for row in await scenario.fetch(messages.select()) if row.idempotency_key.endswith("/ended")]
    assert len(sent) == 1, "one summary for the visit"


async def test_who_lets_an_operator_do_two_things_ends_both_with_one_stop(scenario: AssistedScenario) -> None:
    await scenario.start_acting(purpose="3")
    await scenario.operator.enter("3", "5")
    await scenario.operator.enter(await scenario.consent_code())
    async with open_sms_phone(scenario.citizen.url, CITIZEN) as citizen:
        assert (await citizen.send_sms("STOP")).startswith("The operator can do nothing more for you.")
    assert (await scenario.operator.enter("1")).startswith("The citizen has ended it.")
    assert {row.ended_by for row in await scenario.fetch(consents.select())} == {"citizen"}


async def test_what_is_the_citizens_alone_is_refused(scenario: AssistedScenario) -> None:
    await scenario.start_acting()
    async with open_sms_phone(scenario.operator.url, OPERATOR) as by_sms:
        assert "operator" in (await by_sms.send_sms("OPERATOR")).lower()
    assert "8 End this visit" in await scenario.operator.enter("00")


async def test_a_wrong_code_opens_nothing(scenario: AssistedScenario) -> None:
    await scenario.choose_english()
    await scenario.enrol()
    await scenario.sign_in()
    code = await scenario.request_consent()
    wrong = f"{(int(code) + 1) % 10**6:06}"
    assert (await scenario.operator.enter(wrong)).startswith("That code is not right.")
    screen = await scenario.operator.enter(*[wrong] * 4)
    assert (await scenario.operator.enter(code)).startswith("That code no longer works"), screen


# Who may, and how much ------------------------------------------------------------------------------------------------


async def test_who_is_not_enrolled_is_told_so(scenario: AssistedScenario) -> None:
    assert (await scenario.dial_as_operator()).startswith("This number is not an operator's.")


async def test_a_suspended_operator_is_cut_off_at_the_next_key_press(scenario: AssistedScenario) -> None:
    await register(scenario.citizen)
    operator = await scenario.enrol()
    await scenario.sign_in()
    await scenario.operator.enter(await scenario.request_consent())
    await scenario.suspend(operator)
    assert (await scenario.operator.enter("1")).startswith("You are suspended as an operator.")
    assert scenario.operator.ended
    assert (await scenario.dial_as_operator()).startswith("You are suspended as an operator for now.")


async def test_who_has_reached_their_limit_is_told_so(scenario: AssistedScenario) -> None:
    await scenario.choose_english()
    await scenario.enrol(consents_a_day=1)
    await scenario.sign_in()
    await scenario.request_consent()
    screen = await scenario.operator.enter("00", "7", "1", "1", PERSONAL_TEXTS, "1")
    assert screen.startswith("You have reached your limit for today.")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("12", "That is not a phone number"),
        ("+33612345678", "Numbers from that country cannot be used here"),
        (OPERATOR, "That is your own number"),
    ],
)
async def test_a_number_that_cannot_be_a_citizens_is_told_why(
    scenario: AssistedScenario, typed: str, said: str
) -> None:
    await scenario.enrol()
    await scenario.sign_in()
    assert (await scenario.operator.enter("1", typed)).startswith(f"{said}\nType the citizen's phone number")


# Dropped, and by SMS --------------------------------------------------------------------------------------------------


async def test_a_dropped_call_ends_the_visit(scenario: AssistedScenario) -> None:
    await scenario.start_acting()
    await open_birth_certificate(scenario.operator)
    assert (await scenario.operator.dial()).startswith("Ekdial\n1 Find a service"), (
        "nothing of the citizen's is offered"
    )
    assert (await scenario.operator.enter("7", "1")).startswith("Type your operator PIN")
    menu = await scenario.operator.enter(OPERATORS_PIN)
    assert "\n1 Act for a citizen\n" in menu
    code = await scenario.request_consent()
    assert (await scenario.operator.enter(code)).startswith(f"{VISIT}What do they need?")


async def test_an_operator_does_not_work_by_sms_and_is_not_locked_by_what_is_sent_in_their_name(
    scenario: AssistedScenario,
) -> None:
    await scenario.enrol()
    async with open_sms_phone(scenario.operator.url, OPERATOR) as operator:
        await operator.send_sms("LANG EN")
        pins = ("0000", "1111", "2222", "3333", "4444", scenario.first_pin)
        heard = await operator.send_all(*(text for pin in pins for text in ("OPERATOR", pin)))
        assert sum("Operators can work only by dialling" in one for one in heard) == len(pins)
    assert (await scenario.dial_as_operator()).startswith("Type your operator PIN")
    assert (await scenario.operator.enter(scenario.first_pin)).startswith("Choose a PIN of 4 to 6 digits")


# What nobody reads ----------------------------------------------------------------------------------------------------


async def test_logs_redis_and_tables_tell_nothing(tmp_path: Path, redis_server: RedisServer) -> None:
    redis_server.empty()
    settings = build_settings(tmp_path, REDIS__URL=redis_server.url, SERVER__LOG_LEVEL="debug")
    with capture_all_logs() as said:
        async with ClientSession() as http:
            scenario = AssistedScenario(settings, http)
            await scenario.start()
            await scenario.start_acting()
            code = scenario.last_code
            await scenario.apply_for_citizen()
            await scenario.operator.enter("00", "8")
            await scenario.citizen.wait_for_sms("acted for you")
            async with http.get(f"{admin_url(scenario.operator.url)}/metrics") as answer:
                metrics = await answer.text()
            kept = redis_contents(redis_server.url)
            await scenario.stack.aclose()
    secrets = [OPERATORS_PIN, scenario.first_pin, code, "Karim Mia"]
    for one in (*secrets, OPERATOR[4:], CITIZEN[4:]):
        assert one not in said.getvalue(), f"{one} in the logs"
        assert one not in remove_measurements(metrics), f"{one} in the metrics"
        assert one.encode() not in kept, f"{one} can be read in Redis"
    with closing(sqlite3.connect(tmp_path / "ekdial.db")) as database:
        tables = "\n".join(line for line in database.iterdump() if "operator" in line or "consent" in line)
    assert not [one for one in secrets if re.search(rf"\b{re.escape(one)}\b", tables)]
