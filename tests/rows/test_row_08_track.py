"""Row 8, track: by number over any channel and without signing in, one's own list signed in, and news that come by themselves."""

import sqlite3
from pathlib import Path

import pytest
from aiohttp import ClientSession

from services.numbers import tracking_number
from tests.journeys.steps import PIN, applies, registers
from tests.phone import Phone, running, settings_for
from tests.rows.officers import officer
from tests.texting import Texter

STRANGER = "+919000000001"
CARD = "Please bring your old card"


def shown(number: str) -> str:
    return f"{number[:4]} {number[4:8]} {number[8:]}"


def made_late(folder: Path, days: int) -> None:
    """As if it had been promised so many days ago."""
    with sqlite3.connect(folder / "ekdial.db") as database:
        database.execute("UPDATE applications SET promised = date('now', '+6 hours', ?)", (f"-{days} days",))
        database.commit()
    database.close()


async def test_row_8_a_stranger_with_the_number_learns_the_status_and_nothing_of_the_person(phone: Phone) -> None:
    await registers(phone)
    number = await applies(phone)
    stranger = Phone(phone.http, phone.url, STRANGER)
    await stranger.dials()
    status = await stranger.types("1", "2", number)
    assert status.startswith(f"Birth certificate\n{shown(number)}\nReceived, ")
    offered = await whole(stranger, status)
    for option in ("1 Send me this by SMS", "2 Complain", "3 History", "4 Other number"):
        assert option in offered
    for personal in ("Rahim", "Amina", "Ayesha", phone.number[4:]):
        assert personal not in status


async def whole(phone: Phone, screen: str) -> str:
    """A screen with its further pages."""
    pages = [screen]
    while "\n98 " in pages[-1]:
        pages.append(await phone.types("98"))
    return "\n".join(pages)


async def test_row_8_the_history_is_told_newest_first_with_what_the_office_said(phone: Phone, tmp_path: Path) -> None:
    await registers(phone)
    number = await applies(phone)
    await (await officer(phone, tmp_path)).reports(number, {"status": "more_information", "note": {"en": CARD}})
    await phone.dials()
    history = await phone.types("2", number, "3")
    rows = [line for line in history.splitlines() if line[:2] in {"1 ", "2 "}]
    assert [row.split(" ", 4)[4] for row in rows] == ["More information needed", "Received"]
    assert CARD in await phone.types("1")
    assert await phone.types("1") == history


async def test_row_8_news_come_by_sms_in_a_sentence_without_being_asked_for(phone: Phone, tmp_path: Path) -> None:
    await registers(phone)
    number = await applies(phone)
    await (await officer(phone, tmp_path)).reports(number, {"status": "ready", "note": {"en": "Mirpur office, room 4"}})
    news = await phone.sms("collect it")
    assert news == f"Ekdial: {shown(number)} Birth certificate: It is ready, please collect it. Mirpur office, room 4"


async def test_row_8_what_is_late_is_said_to_be_late_and_by_how_much(
    phone: Phone, handset: Texter, tmp_path: Path
) -> None:
    await registers(phone)
    number = await applies(phone)
    made_late(tmp_path, 3)
    await handset.hears(0)  # the receipt
    await phone.dials()
    assert "Late by 3 days" in await whole(phone, await phone.types("2", number))
    assert "Late by 3 days" in await handset.texts(f"STATUS {number}")
    await phone.redials()
    assert await phone.types("2", "1", PIN) == "Your applications\n1 Birth certificate: Received, 3 days late\n0 Back"


async def test_row_8_the_number_alone_by_sms_is_answered_in_one_sms(phone: Phone, handset: Texter) -> None:
    await registers(phone)
    number = await applies(phone)
    await handset.hears(0)  # the receipt
    reply = await handset.texts(shown(number))
    assert reply.startswith(f"Birth certificate\n{shown(number)}\nReceived, ")


async def test_row_8_one_s_own_list_wants_a_pin_and_pages(phone: Phone) -> None:
    await registers(phone)
    for _ in range(5):
        await applies(phone)
        await phone.redials()
        await phone.types("5", PIN)
    await phone.redials()
    listed = await phone.types("2", "1", PIN)
    assert "1 Birth certificate: Received" in listed
    assert "5 Birth certificate: Received" in await whole(phone, listed)


async def test_row_8_who_tries_number_after_number_is_told_to_wait_and_a_right_one_is_not_told(phone: Phone) -> None:
    await registers(phone)
    number = await applies(phone)
    stranger = Phone(phone.http, phone.url, STRANGER)
    await stranger.dials()
    await stranger.types("1", "2")
    screens = [await stranger.types(tracking_number()) for _ in range(11)]
    assert [screen.split(".")[0] for screen in screens[:10]] == ["No application has this number"] * 10
    assert screens[10].startswith("Too many wrong numbers. Please try again in ten minutes")
    assert (await stranger.types(number)).startswith("Too many wrong numbers.")
    await phone.dials()
    assert "Birth certificate" in await phone.types("2", number), "others are not held back"


async def test_row_8_one_s_own_applications_are_there_all_the_same(phone: Phone) -> None:
    await registers(phone)
    await applies(phone)
    await phone.dials()
    await phone.types("2", *(tracking_number() for _ in range(11)))
    assert (await phone.types("00", "2", "1", PIN)).startswith("Your applications")
    assert "Received" in await phone.types("1")


@pytest.mark.parametrize("unicode", ["true", "false"])
@pytest.mark.parametrize("key", ["1", "2", "3"])
async def test_row_8_every_language_says_status_and_history(tmp_path: Path, key: str, unicode: str) -> None:
    async with running(settings_for(tmp_path, USSD__UNICODE=unicode)) as url, ClientSession() as http:
        phone = Phone(http, url)
        await registers(phone, key)
        number = await applies(phone)
        made_late(tmp_path, 3)
        await phone.dials()
        status = await whole(phone, await phone.types("2", number))
        assert shown(number) in status
        assert "{" not in status
        assert "\n1 " in await whole(phone, await phone.types("3"))
