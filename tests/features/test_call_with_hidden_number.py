"""A network hides the numbers of its callers: what they may do, and how they give their number once."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from tests.fakes.tap_server import BDAPPS, TapPhone, TapServer
from tests.support.citizen_steps import PIN, apply_for_birth_certificate, register
from tests.support.phone import PUBLIC_SETTINGS, WEBHOOK_TOKEN, build_settings, run_gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")

START = "Your network hides your number. Type 1 to find services or see a status, 2 to give your number."
ASK = "Type your mobile number. A code comes to it by SMS."
WRONG = "That code is wrong. Please type it again."
LINKED = "Thank you. We know your number now. Dial again to use every service."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[TapServer]:
    async with TapServer() as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(
    server: TapServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[ClientSession, str]]:
    settings = build_settings(
        tmp_path_factory.mktemp("hidden"),
        SMS__PROVIDER="tap",
        LANGUAGES__BY_COUNTRY="{}",
        **server.settings(),
        **PUBLIC_SETTINGS,
    )
    async with run_gateway(settings) as url, ClientSession() as session:
        yield session, url


def build_phone(server: TapServer, gateway: tuple[ClientSession, str], number: int) -> TapPhone:
    """The phone of a subscriber whom nobody else has, with a masked number."""
    return TapPhone(
        *gateway,
        server,
        network=BDAPPS,
        msisdn=f"+88018{number:08}",
        mask=f"hu3b84346f{number:08}ab",
        token=WEBHOOK_TOKEN,
    )


async def link(phone: TapPhone) -> str:
    """Give the number of this phone, and type the code that comes to it; the last screen."""
    assert await phone.dial() == START
    assert await phone.enter("2") == ASK
    assert await phone.enter(phone.msisdn.replace("+88", "")) == "Type the 6 digits of the SMS that we sent."
    return await phone.enter(await read_code(phone))


async def read_code(phone: TapPhone) -> str:
    """The newest code in the inbox of this phone."""
    code = re.search(r"\d{6}", await phone.wait_for_sms("code"))
    assert code
    return code[0]


async def test_a_caller_gives_their_number_once_and_is_then_served_like_anybody_else(
    server: TapServer, gateway: tuple[ClientSession, str]
) -> None:
    phone = build_phone(server, gateway, 1)
    assert await link(phone) == LINKED
    assert phone.ended
    assert (await register(phone)).startswith("My account")
    number = await apply_for_birth_certificate(phone)
    assert number[:4] in await phone.wait_for_sms(number[:4])
    assert server.refusals == []


async def test_who_has_an_account_links_it(server: TapServer, gateway: tuple[ClientSession, str]) -> None:
    """Their network began to hide numbers after they registered."""
    known = TapPhone(*gateway, server, msisdn="+8801800000002", token=WEBHOOK_TOKEN)
    await register(known)
    phone = build_phone(server, gateway, 2)
    assert await link(phone) == LINKED
    assert "1 Find a service" in await phone.redial()
    assert (await phone.enter("5", PIN)).startswith("My account")


async def test_before_that_services_can_be_found_and_a_status_seen(
    server: TapServer, gateway: tuple[ClientSession, str]
) -> None:
    other = TapPhone(*gateway, server, msisdn="+8801800000003", token=WEBHOOK_TOKEN)
    await register(other)
    number = await apply_for_birth_certificate(other)
    phone = build_phone(server, gateway, 4)
    await phone.dial()
    assert "1 Find a service" in (home := await phone.enter("1"))
    assert "account" not in home
    assert "Birth" in await phone.enter("1", "1", "1")
    assert "Birth certificate\n" in await phone.enter("00", "2", number)
    assert "Send this by SMS" not in (status := await phone.enter("0", "2", number))
    assert "Complain" not in status


async def test_nothing_else_is_offered_or_reached(server: TapServer, gateway: tuple[ClientSession, str]) -> None:
    phone = build_phone(server, gateway, 5)
    await phone.dial()
    await phone.enter("1")
    for key in ("3", "4", "5", "6", "8", "9"):
        assert "1 Find a service" in await phone.enter(key)
    sent = len(server.sms)
    for key in ("1", "1", "1", "1", "2", "3", "1"):
        await phone.enter(key)
    assert "Nearest service centre" in await phone.enter("00", "7")
    assert len(server.sms) == sent


@pytest.mark.parametrize(
    "typed",
    ["12", "abc", "01711", "+6797012345", "all", "tel:all"],
    ids=["short", "word", "cut", "abroad", "all", "tel"],
)
async def test_a_number_that_is_not_served_gets_no_code(
    server: TapServer, gateway: tuple[ClientSession, str], typed: str
) -> None:
    phone, sent = build_phone(server, gateway, 6), len(server.sms)
    await phone.dial()
    assert (await phone.enter("2", typed)).startswith("That is not a mobile number that we serve")
    assert await phone.enter("0") == START
    assert len(server.sms) == sent


async def test_a_wrong_code_links_nothing(server: TapServer, gateway: tuple[ClientSession, str]) -> None:
    phone = build_phone(server, gateway, 7)
    await phone.dial()
    await phone.enter("2", phone.msisdn)
    wrong = f"{(int(await read_code(phone)) + 1) % 1_000_000:06}"
    for _ in range(5):
        assert await phone.enter(wrong) == WRONG
    assert await phone.enter(await read_code(phone)) == "That code no longer works. Dial again for a new one."
    assert phone.ended
    assert await phone.dial() == START


async def test_a_repeated_request_sends_no_second_code_and_does_not_move(
    server: TapServer, gateway: tuple[ClientSession, str]
) -> None:
    phone = build_phone(server, gateway, 8)
    await phone.dial()
    asked = await phone.enter("2", phone.msisdn)
    code = await read_code(phone)
    sent = len(server.sms)
    assert await phone.repeat() == asked
    assert len(server.sms) == sent
    assert await phone.enter(code) == LINKED


async def test_a_late_repeat_gets_the_newest_screen_and_does_not_move(
    server: TapServer, gateway: tuple[ClientSession, str]
) -> None:
    phone = build_phone(server, gateway, 13)
    await phone.dial()
    home = await phone.enter("1")
    sectors = await phone.enter("1")
    assert await phone.repeat(0) == sectors
    assert await phone.repeat(1) == sectors
    assert await phone.enter("0") == home
    await phone.dial()
    asked = await phone.enter("2")
    assert await phone.repeat(0) == asked
    assert await phone.enter("0") == START


async def test_the_code_of_one_caller_is_of_no_use_to_another(
    server: TapServer, gateway: tuple[ClientSession, str]
) -> None:
    """A stranger gives somebody's number: the code is on that person's phone, and links the stranger's call alone."""
    victim, stranger = build_phone(server, gateway, 9), build_phone(server, gateway, 10)
    await stranger.dial()
    await stranger.enter("2", victim.msisdn)
    code = await read_code(victim)
    await victim.dial()
    await victim.enter("2", victim.msisdn)
    assert await victim.enter(code) in {WRONG, LINKED}  # by chance, both codes are one
    assert await stranger.enter("000000") != LINKED


async def test_an_sms_from_a_hidden_number_is_answered_once_it_was_given(
    server: TapServer, gateway: tuple[ClientSession, str]
) -> None:
    phone = build_phone(server, gateway, 11)
    await phone.send_sms("HELP")
    await link(phone)
    sent = len(server.sms)
    await phone.send_sms("LANG EN")
    assert await phone.wait_for_sms("English")
    assert {sms.to for sms in server.sms[sent:]} == {phone.msisdn}


async def test_nothing_personal_is_logged(
    server: TapServer,
    gateway: tuple[ClientSession, str],
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Neither the hash, nor the number, nor what was typed, nor the password of an application."""
    phone = build_phone(server, gateway, 12)
    await phone.dial()
    await phone.enter("2", phone.msisdn)
    code = await read_code(phone)
    await phone.enter("000001", code)
    await phone.send_sms("FEEDBACK the queue is long")
    await phone.report(await server.wait_for_sms(phone.msisdn), "DELIVRD")
    phone.session_id = server.open_session(BDAPPS, phone.address)
    await phone.post({**phone.build_key_press("mo-init", "*213#"), "applicationId": "APP_999999"})
    said = f"{caplog.text} {capsys.readouterr()}"
    assert "ussd" in said or "message_processed" in said, "something is logged"
    for secret in ("hu3b84346f", phone.msisdn[1:], code, "queue", phone.application.password, "APP_999999"):
        assert secret not in said, secret
