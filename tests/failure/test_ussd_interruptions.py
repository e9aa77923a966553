"""USSD requests that are repeated, late, interrupted or dialled deep, and stores that fail: every effect happens once."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from db.migrate import upgrade
from tests.support.citizen_steps import (
    ANSWERS,
    PIN,
    apply_for_birth_certificate,
    open_birth_certificate,
    register,
    submit_application,
    tracking_number_in,
)
from tests.support.phone import Phone, admin_url, build_settings, run_gateway
from tests.support.servers import RedisServer


@pytest.fixture
async def phone(tmp_path: Path, redis_url: str) -> AsyncIterator[Phone]:
    """A phone on either store."""
    async with run_gateway(build_settings(tmp_path, REDIS__URL=redis_url)) as url, ClientSession() as http:
        yield Phone(http, url)


@pytest.fixture
async def phone_on_real_redis(tmp_path: Path, redis_server: RedisServer) -> AsyncIterator[Phone]:
    """A phone on a store that can be emptied and killed, quick to notice."""
    redis_server.empty()
    settings = build_settings(tmp_path, REDIS__URL=redis_server.url, REDIS__DEADLINE="0.3")
    async with run_gateway(settings) as url, ClientSession() as http:
        yield Phone(http, url)


async def application_rows(phone: Phone) -> list[str]:
    await phone.redial()
    screen = await phone.enter("2", "1", PIN)
    return [line for line in screen.splitlines() if "Birth certificate" in line]


async def test_a_repeated_request_gets_the_same_reply_and_has_no_effect(phone: Phone) -> None:
    await register(phone)
    await open_birth_certificate(phone)
    await phone.enter(*ANSWERS)
    receipt = await submit_application(phone)
    assert [await phone.resend() for _ in range(3)] == [receipt] * 3
    assert len(await application_rows(phone)) == 1


async def test_concurrent_requests_of_one_key_press_have_one_effect(phone: Phone) -> None:
    await register(phone)
    await open_birth_certificate(phone)
    await phone.enter(*ANSWERS, "1")
    phone.path += f"*{PIN}"
    receipts = await asyncio.gather(*(phone.resend() for _ in range(8)))
    assert len({tracking_number_in(receipt) for receipt in receipts}) == 1
    assert len(await application_rows(phone)) == 1


async def test_a_late_request_gets_the_newest_screen(phone: Phone) -> None:
    await phone.dial()
    await phone.enter("1")
    asked = await phone.enter("2")
    phone.path = "1"
    assert await phone.resend() == asked


async def test_a_redial_after_an_interruption_offers_to_resume(phone: Phone) -> None:
    await register(phone)
    await open_birth_certificate(phone)
    question = await phone.enter(*ANSWERS[:2])
    assert await phone.dial() == "You were applying for\nBirth certificate\n1 Go on\n2 Start again"
    assert await phone.enter("1") == "Type your PIN\n1 I forgot it\n0 Back"
    assert await phone.enter(PIN) == question
    confirm = await phone.enter(*ANSWERS[2:])
    assert "Rahim Uddin" in confirm
    assert (await submit_application(phone)).startswith("Received.")


async def test_a_redial_after_an_interruption_can_start_again(phone: Phone) -> None:
    await phone.dial()
    main = await phone.enter("1")
    await phone.enter("2")
    assert await phone.dial() == "You did not finish last time\n1 Go on\n2 Start again"
    assert await phone.enter("2") == main
    assert await phone.dial() == main, "at the main menu nothing was lost"


async def test_digits_after_the_short_code_are_inputs(phone: Phone) -> None:
    await register(phone)
    number = await apply_for_birth_certificate(phone)
    status = await phone.dial(f"*123*2*{number}#")
    assert status.startswith("Birth certificate\n")
    assert (await phone.enter("4")).startswith("Type the 12-digit tracking number")


async def test_a_new_caller_who_dials_digits_is_not_asked_for_a_language(phone: Phone) -> None:
    assert (await phone.dial("*123*2#")).startswith("Tracking number din, 12 songkha"), "in the country's language"


async def test_a_first_request_may_have_a_path(phone: Phone) -> None:
    await phone.dial()
    await phone.enter("1")
    phone.session_id, phone.path, phone.echoed_metadata = f"ATUid_{secrets.token_hex(16)}", "7", ""
    assert (await phone.resend()).startswith("Help by phone")


async def test_a_star_in_an_input_is_part_of_it(phone: Phone) -> None:
    await register(phone)
    await open_birth_certificate(phone)
    assert (await phone.enter("Amina*Begum")).startswith("Please use letters only, or the signs . , - ' / ( )\n1/5")
    assert (await phone.enter("Rahim Uddin")).startswith("2/5")


async def test_an_empty_input_is_invalid_and_keeps_the_position(phone: Phone) -> None:
    await register(phone)
    await open_birth_certificate(phone)
    assert (await phone.enter("")).startswith("Please type something\n1/5")


async def test_another_number_with_the_same_session_id_is_rejected(phone: Phone) -> None:
    await phone.dial()
    await phone.enter("1", "2")
    thief = Phone(phone.http, phone.url, "+919000000001")
    thief.session_id, thief.path = phone.session_id, "1*2*1"
    assert await thief.resend() == "Maaf karen, yeh call aage nahin chal sakti. Kaatkar phir dial karen."
    assert thief.ended
    assert (await phone.enter("0")).startswith("Ekdial\n")


@pytest.mark.parametrize("echoes", [True, False])
async def test_a_lost_session_is_restored_from_the_path(
    phone_on_real_redis: Phone, redis_server: RedisServer, echoes: bool
) -> None:
    phone = phone_on_real_redis
    phone.echoes_metadata = echoes
    await phone.dial()
    path = ("1", "5", "1", "Amina Begum", PIN, PIN, "1", "Mirpur School", "2", "Ayesha", "1")
    for key in (*path, "00", "1", "1", "1", "1", "1", *ANSWERS):
        redis_server.empty()
        screen = await phone.enter(key)
    assert screen.startswith("Birth certificate\nRahim Uddin")
    redis_server.empty()
    receipt = await submit_application(phone)
    redis_server.empty()
    assert await phone.resend() == receipt
    assert len(await application_rows(phone)) == 1


@pytest.mark.parametrize("echoes", [True, False])
async def test_a_call_continues_while_the_store_is_down(
    phone_on_real_redis: Phone, redis_server: RedisServer, echoes: bool
) -> None:
    phone = phone_on_real_redis
    phone.echoes_metadata = echoes
    await register(phone)
    await phone.enter("00")
    redis_server.kill()
    try:
        await phone.dial()
        await phone.enter("5", PIN)
        async with phone.http.get(f"{admin_url(phone.url)}/readyz") as response:
            assert response.status == 503
            states = await response.json()
            assert states.pop("why").keys() == {"redis"}
            assert states == {"redis": "down", "database": "ok", "sms": "ok"}
        number = await apply_for_birth_certificate(phone)
    finally:
        redis_server.restart()
    assert len(await application_rows(phone)) == 1
    assert number[:4] in await phone.wait_for_sms("Birth certificate received")


async def test_a_store_that_comes_back_during_a_call_continues_from_the_path(
    phone_on_real_redis: Phone, redis_server: RedisServer
) -> None:
    phone = phone_on_real_redis
    await register(phone)
    await phone.enter("00")
    await phone.dial()
    await phone.enter("1")
    redis_server.kill()
    try:
        await phone.enter("1", "1")
    finally:
        redis_server.restart()
    assert (await phone.enter("2")).startswith("Please bring:\n")


async def test_a_language_chosen_in_the_session_is_not_used_for_its_start(
    phone_on_real_redis: Phone, redis_server: RedisServer
) -> None:
    phone = phone_on_real_redis
    phone.echoes_metadata = False
    await phone.dial()
    await phone.enter("2")
    redis_server.empty()
    assert (await phone.enter("7")).startswith("Phone-e sahajjo")


async def test_two_processes_share_a_call(tmp_path: Path, redis_server: RedisServer) -> None:
    redis_server.empty()
    database = f"sqlite+aiosqlite:///{tmp_path}/shared.db"
    await upgrade(database)
    settings = build_settings(tmp_path, REDIS__URL=redis_server.url, DATABASE__URL=database)
    async with run_gateway(settings) as one, run_gateway(settings) as other, ClientSession() as http:
        phone = Phone(http, one)
        await phone.dial()
        for number, key in enumerate(("1", "5", "1", "Amina Begum", PIN, PIN, "1", "Mirpur", "2", "Ayesha")):
            phone.url = (other, one)[number % 2]
            screen = await phone.enter(key)
        assert screen.startswith("Welcome, Amina Begum.")


async def test_a_star_in_an_input_survives_a_lost_session(
    phone_on_real_redis: Phone, redis_server: RedisServer
) -> None:
    phone = phone_on_real_redis
    await register(phone)
    await phone.enter("00")
    assert (await phone.enter("1", "3", "1")).startswith("Trade licence")
    await phone.enter("1", "1")
    for typed in ("Amina*Store", "1", "House 5*B, Mirpur", "Amina Begum", "1234567890"):
        redis_server.empty()
        screen = await phone.enter(typed)
    assert "Amina*Store, Shop, House 5*B, Mirpur" in screen


async def test_turned_pages_survive_a_lost_session(phone_on_real_redis: Phone, redis_server: RedisServer) -> None:
    phone = phone_on_real_redis
    await phone.dial()
    second = await phone.enter("1", "1", "1", "98")
    redis_server.empty()
    assert await phone.resend() == second
    redis_server.empty()
    assert "98 More" in await phone.enter("0")
