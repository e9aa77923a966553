"""Track an application: by number without a sign-in, by one's own list, and by SMS."""

import re
from pathlib import Path

import pytest
from aiohttp import ClientSession

from core.reference_numbers import generate_tracking_number
from tests.support.citizen_steps import PIN, apply_for_birth_certificate, register
from tests.support.databases import write_beside_gateway
from tests.support.department_officer import open_department_client
from tests.support.phone import Phone, build_settings, run_gateway
from tests.support.sms_phone import SmsPhone

STRANGER = "+919000000001"
CARD = "Please bring your old card"


def format_number(number: str) -> str:
    return f"{number[:4]} {number[4:8]} {number[8:]}"


async def make_overdue(folder: Path, days: int) -> None:
    """Set the promised day of every application to this many days ago."""
    statement = "UPDATE applications SET promised = date('now', '+6 hours', ?)"
    await write_beside_gateway(folder, statement, f"-{days} days")


async def test_a_stranger_with_the_number_learns_the_status_and_nothing_of_the_person(phone: Phone) -> None:
    await register(phone)
    number = await apply_for_birth_certificate(phone)
    stranger = Phone(phone.http, phone.url, STRANGER)
    await stranger.dial()
    status = await stranger.enter("1", "2", number)
    assert status.startswith(f"Birth certificate\n{format_number(number)}\nSubmitted, ")
    offered = await read_all_pages(stranger, status)
    for option in ("1 Send this by SMS", "2 Complain", "3 History", "4 Another number"):
        assert option in offered
    for personal in ("Rahim", "Amina", "Ayesha", phone.msisdn[4:]):
        assert personal not in status


async def read_all_pages(phone: Phone, screen: str) -> str:
    """A screen with its further pages."""
    pages = [screen]
    while "\n98 " in pages[-1]:
        pages.append(await phone.enter("98"))
    return "\n".join(pages)


async def test_the_history_is_told_newest_first_with_what_the_office_said(phone: Phone, tmp_path: Path) -> None:
    await register(phone)
    number = await apply_for_birth_certificate(phone)
    await (await open_department_client(phone, tmp_path)).post_event(
        number, {"status": "more_information", "note": {"en": CARD}}
    )
    await phone.dial()
    history = await phone.enter("2", number, "3")
    rows = [line for line in history.splitlines() if line[:2] in {"1 ", "2 "}]
    assert [row.split(" ", 4)[4] for row in rows] == ["More information needed", "Submitted"]
    assert CARD in await phone.enter("1")
    assert await phone.enter("1") == history


async def test_news_come_by_sms_in_a_sentence_without_being_asked_for(phone: Phone, tmp_path: Path) -> None:
    await register(phone)
    number = await apply_for_birth_certificate(phone)
    await (await open_department_client(phone, tmp_path)).post_event(
        number, {"status": "ready", "note": {"en": "Mirpur office, room 4"}}
    )
    news = await phone.wait_for_sms("collect it")
    assert (
        news
        == f"Ekdial: {format_number(number)} Birth certificate: It is ready, please collect it. Mirpur office, room 4"
    )


async def test_what_is_late_is_said_to_be_late_and_by_how_much(
    phone: Phone, sms_phone: SmsPhone, tmp_path: Path
) -> None:
    await register(phone)
    number = await apply_for_birth_certificate(phone)
    await make_overdue(tmp_path, 3)
    await sms_phone.receive(0)  # the receipt
    await phone.dial()
    assert "Late by 3 days" in await read_all_pages(phone, await phone.enter("2", number))
    assert "Late by 3 days" in await sms_phone.send_sms(f"STATUS {number}")
    await phone.redial()
    assert await phone.enter("2", "1", PIN) == "Your applications\n1 Birth certificate: Submitted, 3 days late\n0 Back"


@pytest.mark.calls_only(reason="signing in to the page sends a code")
async def test_the_number_alone_by_sms_is_answered_in_one_sms(phone: Phone, sms_phone: SmsPhone) -> None:
    await register(phone)
    number = await apply_for_birth_certificate(phone)
    await sms_phone.receive(0)  # the receipt
    reply = await sms_phone.send_sms(format_number(number))
    assert reply.startswith(f"Birth certificate\n{format_number(number)}\nSubmitted, ")


async def test_one_s_own_list_wants_a_pin_and_pages(phone: Phone) -> None:
    await register(phone)
    for _ in range(5):
        await apply_for_birth_certificate(phone)
        await phone.redial()
        await phone.enter("5", PIN)
    await phone.redial()
    listed = await phone.enter("2", "1", PIN)
    assert re.search(r"^1 Birth certificate \(\d{4}\): Submitted$", listed, re.MULTILINE)
    assert "5 Birth certificate (" in await read_all_pages(phone, listed)


async def test_who_tries_number_after_number_is_told_to_wait_and_a_right_one_is_not_told(phone: Phone) -> None:
    await register(phone)
    number = await apply_for_birth_certificate(phone)
    stranger = Phone(phone.http, phone.url, STRANGER)
    await stranger.dial()
    await stranger.enter("1", "2")
    screens = [await stranger.enter(generate_tracking_number()) for _ in range(11)]
    assert [screen.split(".")[0] for screen in screens[:10]] == ["No application has this number"] * 10
    assert screens[10].startswith("Too many wrong numbers. Please try again in ten minutes")
    assert (await stranger.enter(number)).startswith("Too many wrong numbers.")
    await phone.dial()
    assert "Birth certificate" in await phone.enter("2", number), "others are not held back"


async def test_one_s_own_applications_are_there_all_the_same(phone: Phone) -> None:
    await register(phone)
    await apply_for_birth_certificate(phone)
    await phone.dial()
    await phone.enter("2", *(generate_tracking_number() for _ in range(11)))
    assert (await phone.enter("00", "2", "1", PIN)).startswith("Your applications")
    assert "Submitted" in await phone.enter("1")


@pytest.mark.parametrize("unicode", ["true", "false"])
@pytest.mark.parametrize("key", ["1", "2", "3"])
async def test_every_language_says_status_and_history(tmp_path: Path, key: str, unicode: str) -> None:
    async with run_gateway(build_settings(tmp_path, USSD__UNICODE=unicode)) as url, ClientSession() as http:
        phone = Phone(http, url)
        await register(phone, key)
        number = await apply_for_birth_certificate(phone)
        await make_overdue(tmp_path, 3)
        await phone.dial()
        status = await read_all_pages(phone, await phone.enter("2", number))
        assert format_number(number) in status
        assert "{" not in status
        assert "\n1 " in await read_all_pages(phone, await phone.enter("3"))
