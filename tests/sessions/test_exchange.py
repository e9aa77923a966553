"""What a hop survives: repeats, late callbacks, drops, deep dialling, a store that forgets or is gone; effects once."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from services.records.migrate import upgrade
from tests.journeys.steps import ANSWERS, PIN, applies, opens_birth_certificate, registers, sends, tracking_in
from tests.phone import Phone, running, settings_for
from tests.servers import RedisServer


@pytest.fixture
async def phone(tmp_path: Path, redis_url: str) -> AsyncIterator[Phone]:
    """A phone on either store."""
    async with running(settings_for(tmp_path, REDIS__URL=redis_url)) as url, ClientSession() as http:
        yield Phone(http, url)


@pytest.fixture
async def on_real_redis(tmp_path: Path, redis_server: RedisServer) -> AsyncIterator[Phone]:
    """A phone on a store that can be emptied and killed, quick to notice."""
    redis_server.empty()
    settings = settings_for(tmp_path, REDIS__URL=redis_server.url, REDIS__DEADLINE="0.3")
    async with running(settings) as url, ClientSession() as http:
        yield Phone(http, url)


async def own_applications(phone: Phone) -> list[str]:
    await phone.redials()
    screen = await phone.types("2", "1", PIN)
    return [line for line in screen.splitlines() if "Birth certificate" in line]


async def test_the_same_callback_again_gets_the_same_answer_and_does_nothing(phone: Phone) -> None:
    await registers(phone)
    await opens_birth_certificate(phone)
    await phone.types(*ANSWERS)
    receipt = await sends(phone)
    assert [await phone.again() for _ in range(3)] == [receipt] * 3
    assert len(await own_applications(phone)) == 1


async def test_callbacks_of_one_key_press_at_the_same_moment_are_one(phone: Phone) -> None:
    await registers(phone)
    await opens_birth_certificate(phone)
    await phone.types(*ANSWERS, "1")
    phone.text += f"*{PIN}"
    receipts = await asyncio.gather(*(phone.again() for _ in range(8)))
    assert len({tracking_in(receipt) for receipt in receipts}) == 1
    assert len(await own_applications(phone)) == 1


async def test_a_late_callback_gets_the_newest_screen(phone: Phone) -> None:
    await phone.dials()
    await phone.types("1")
    asked = await phone.types("2")
    phone.text = "1"
    assert await phone.again() == asked


async def test_a_redial_after_a_drop_offers_to_go_on(phone: Phone) -> None:
    await registers(phone)
    await opens_birth_certificate(phone)
    question = await phone.types(*ANSWERS[:2])
    assert await phone.dials() == "You were applying for\nBirth certificate\n1 Go on\n2 Start again"
    assert await phone.types("1") == question
    confirm = await phone.types(*ANSWERS[2:])
    assert "Rahim Uddin" in confirm
    assert (await sends(phone)).startswith("Received.")


async def test_or_to_start_again(phone: Phone) -> None:
    await phone.dials()
    main = await phone.types("1")
    await phone.types("2")
    assert await phone.dials() == "Last time you had not finished\n1 Go on\n2 Start again"
    assert await phone.types("2") == main
    assert await phone.dials() == main, "at the main menu nothing was lost"


async def test_an_application_sent_as_the_call_dropped_is_not_sent_again_by_going_on(phone: Phone) -> None:
    """The store lost the last screen, so the offer leads back to the summary; the form is still one application."""
    await registers(phone)
    await opens_birth_certificate(phone)
    await phone.types(*ANSWERS)
    held_back = Phone(phone.http, phone.url, phone.number)
    await held_back.dials()
    summary = await held_back.types("1")
    assert summary.startswith("Birth certificate\n")
    assert (await sends(phone)).startswith("Received.")
    await sends(held_back)
    assert len(await own_applications(phone)) == 1


async def test_digits_past_the_short_code_go_straight_to_the_answer(phone: Phone) -> None:
    await registers(phone)
    number = await applies(phone)
    status = await phone.dials(f"*123*2*{number}#")
    assert status.startswith("Birth certificate\n")
    assert (await phone.types("4")).startswith("Type the 12-digit tracking number")


async def test_a_first_time_caller_who_dials_deep_is_not_asked_for_a_language(phone: Phone) -> None:
    assert (await phone.dials("*123*2#")).startswith("Type the 12-digit tracking number")


async def test_a_first_hop_may_bring_the_digits_in_its_text(phone: Phone) -> None:
    await phone.dials()
    await phone.types("1")
    phone.session, phone.text, phone.brought = f"ATUid_{secrets.token_hex(16)}", "7", ""
    assert (await phone.again()).startswith("Help by phone")


async def test_a_star_in_an_answer_belongs_to_it(phone: Phone) -> None:
    await registers(phone)
    await opens_birth_certificate(phone)
    assert (await phone.types("Amina*Begum")).startswith("Please use letters only\n1/5")
    assert (await phone.types("Rahim Uddin")).startswith("2/5")


async def test_an_empty_answer_is_not_understood_and_loses_nothing(phone: Phone) -> None:
    await registers(phone)
    await opens_birth_certificate(phone)
    assert (await phone.types("")).startswith("Please type something\n1/5")


async def test_another_number_on_a_known_session_is_refused(phone: Phone) -> None:
    await phone.dials()
    await phone.types("1", "2")
    thief = Phone(phone.http, phone.url, "+919000000001")
    thief.session, thief.text = phone.session, "1*2*1"
    assert await thief.again() == "Sorry, this call cannot go on. Please hang up and dial again."
    assert thief.ended
    assert (await phone.types("0")).startswith("Ekdial\n")


@pytest.mark.parametrize("echoes", [True, False])
async def test_a_store_that_forgot_everything_is_never_noticed(
    on_real_redis: Phone, redis_server: RedisServer, echoes: bool
) -> None:
    phone = on_real_redis
    phone.echoes = echoes
    await phone.dials()
    path = ("1", "5", "1", "Amina Begum", PIN, PIN, "1", "Mirpur School", "2", "Ayesha", "1")
    for key in (*path, "00", "1", "1", "1", "1", "1", *ANSWERS):
        redis_server.empty()
        screen = await phone.types(key)
    assert screen.startswith("Birth certificate\nRahim Uddin")
    redis_server.empty()
    receipt = await sends(phone)
    redis_server.empty()
    assert await phone.again() == receipt
    assert len(await own_applications(phone)) == 1


@pytest.mark.parametrize("echoes", [True, False])
async def test_a_store_that_is_down_is_never_noticed_either(
    on_real_redis: Phone, redis_server: RedisServer, echoes: bool
) -> None:
    phone = on_real_redis
    phone.echoes = echoes
    await registers(phone)
    await phone.types("00")
    redis_server.kill()
    try:
        await phone.dials()
        await phone.types("5", PIN)
        async with phone.http.get(f"{phone.url}/readyz") as response:
            assert response.status == 503
            assert await response.json() == {"redis": "down", "database": "ok", "sms": "ok"}
        number = await applies(phone)
    finally:
        redis_server.restart()
    assert len(await own_applications(phone)) == 1
    assert number[:4] in await phone.sms("Birth certificate received")


async def test_a_store_that_comes_back_in_the_middle_of_a_call_goes_on_from_the_whole_path(
    on_real_redis: Phone, redis_server: RedisServer
) -> None:
    phone = on_real_redis
    await registers(phone)
    await phone.types("00")
    await phone.dials()
    await phone.types("1")
    redis_server.kill()
    try:
        await phone.types("1", "1")
    finally:
        redis_server.restart()
    assert (await phone.types("2")).startswith("Please bring:\n")


async def test_a_language_chosen_in_this_session_was_not_known_before_it(
    on_real_redis: Phone, redis_server: RedisServer
) -> None:
    phone = on_real_redis
    phone.echoes = False
    await phone.dials()
    await phone.types("2")
    redis_server.empty()
    assert (await phone.types("7")).startswith("Phone-e sahajjo")


async def test_two_processes_share_a_call(tmp_path: Path, redis_server: RedisServer) -> None:
    redis_server.empty()
    database = f"sqlite+aiosqlite:///{tmp_path}/shared.db"
    await upgrade(database)
    settings = settings_for(tmp_path, REDIS__URL=redis_server.url, DATABASE__URL=database)
    async with running(settings) as one, running(settings) as other, ClientSession() as http:
        phone = Phone(http, one)
        await phone.dials()
        for number, key in enumerate(("1", "5", "1", "Amina Begum", PIN, PIN, "1", "school", "2", "Ayesha")):
            phone.url = (other, one)[number % 2]
            screen = await phone.types(key)
        assert screen.startswith("Welcome, Amina Begum.")


async def test_a_star_in_a_typed_answer_is_kept_even_when_the_store_forgets_it(
    on_real_redis: Phone, redis_server: RedisServer
) -> None:
    phone = on_real_redis
    await registers(phone)
    await phone.types("00")
    assert (await phone.types("1", "3", "1")).startswith("Trade licence")
    await phone.types("1", "1")
    for typed in ("Amina*Store", "1", "House 5*B, Mirpur", "Amina Begum", "1234567890"):
        redis_server.empty()
        screen = await phone.types(typed)
    assert "Amina*Store, Shop, House 5*B, Mirpur" in screen


async def test_pages_turned_before_the_store_forgot_are_turned_again(
    on_real_redis: Phone, redis_server: RedisServer
) -> None:
    phone = on_real_redis
    await phone.dials()
    second = await phone.types("1", "1", "1", "98")
    redis_server.empty()
    assert await phone.again() == second
    redis_server.empty()
    assert "98 More" in await phone.types("0")
