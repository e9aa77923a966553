"""The whole path of a citizen: register, apply, hang up, follow, sign in again; on every store and every database."""

from pathlib import Path

import pytest
from aiohttp import ClientSession

from menus.words import load_all
from tests.journeys.steps import ANSWERS, PIN, applies, opens_birth_certificate, registers, sends, tracking_in
from tests.phone import Phone, running, settings_for

WORDS = load_all({kind: lambda code, _: code for kind in ("service", "sector", "office", "documents")})


async def test_from_the_first_call_to_following_an_application(anywhere: Phone) -> None:
    phone = anywhere
    assert await registers(phone) == (
        "My account\n1 My applications\n2 Change my PIN\n3 Sign out\n5 My profile\n0 Back"
    )
    assert await opens_birth_certificate(phone) == "1/5 Whose certificate is it? Type the full name\n0 Back"
    confirm = await phone.types(*ANSWERS)
    assert confirm == (
        "Birth certificate\nRahim Uddin, 21-11-2025, Male, Karim Uddin, Ayesha Begum\n"
        "Fee Tk 50. Ready in 7 days\n1 Apply\n2 Change something\n3 What to bring\n0 Back"
    )
    receipt = await sends(phone)
    number = tracking_in(receipt)
    assert tracking_in(await phone.sms("Birth certificate received")) == number

    await phone.dials()
    assert await phone.types("2") == "Type the 12-digit tracking number\n1 My applications\n0 Back"
    status = await phone.types(number)
    assert status.startswith(f"Birth certificate\n{number[:4]} {number[4:8]} {number[8:]}\nReceived, ")
    assert "Promised by " in status
    assert await phone.types("1") == "It is on its way to you by SMS.\n1 Other number\n0 Main menu"
    assert number[:4] in await phone.sms("Received")


async def test_anyone_who_has_the_number_may_follow_it_and_learns_nothing_personal(phone: Phone) -> None:
    await registers(phone)
    number = await applies(phone)
    stranger = Phone(phone.http, phone.url, "+919000000001")
    await stranger.dials()
    status = await stranger.types("1", "2", f"{number[:4]} {number[4:8]}-{number[8:]}")
    assert "Birth certificate" in status
    assert "Rahim" not in status
    assert "Amina" not in status


async def test_a_mistyped_number_is_told_from_an_unknown_one(phone: Phone) -> None:
    await registers(phone)
    number = await applies(phone)
    await phone.dials()
    slip = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert (await phone.types("2", slip)).startswith("One of those digits seems wrong\n")
    assert (await phone.types("123")).startswith("Digits you typed: 3\n")
    assert (await phone.types("123456789015")).startswith("One of those digits seems wrong\n")
    from services.numbers import tracking_number

    assert (await phone.types(tracking_number())).startswith("No application has this number. Look at your SMS")
    assert "Birth certificate" in await phone.types(number), "it can be typed right there"


async def test_ones_own_list_wants_a_pin_and_leads_to_each_application(phone: Phone) -> None:
    await registers(phone)
    number = await applies(phone)
    await phone.dials()
    assert await phone.types("2", "1") == "Type your PIN\n1 I forgot it\n0 Back"
    assert await phone.types(PIN) == "Your applications\n1 Birth certificate: Received\n0 Back"
    assert number[:4] in await phone.types("1")


async def test_something_can_be_changed_before_it_is_sent(phone: Phone) -> None:
    await registers(phone)
    await opens_birth_certificate(phone)
    await phone.types(*ANSWERS)
    assert (await phone.types("2")).startswith("What is to be changed?\n1 Rahim Uddin\n2 21-11-2025\n")
    confirm = await phone.types("1", "Salma Khatun")
    assert "Salma Khatun, 21-11-2025, Male, Karim Uddin" in confirm
    assert "Rahim Uddin" not in confirm


async def test_zero_goes_back_a_field_at_a_time(phone: Phone) -> None:
    await registers(phone)
    first = await opens_birth_certificate(phone)
    second = await phone.types("Rahim Uddin")
    assert await phone.types("21112025", "0") == second
    assert await phone.types("0") == first


async def test_a_service_that_the_phone_cannot_do_gets_an_honest_answer(phone: Phone) -> None:
    await phone.dials()
    screen = await phone.types("1", "1", "1", "4")
    assert screen == (
        "Aadhaar download\nThis cannot be done on this phone.\n"
        "1 App's link by SMS\n2 Helpdesk\n3 Nearest centre\n4 Fee, time, papers\n0 Back"
    )
    assert (await phone.types("1")).startswith("The link is on its way")
    assert "/d/" in await phone.sms("Ekdial: get the app at")


async def test_what_to_bring_and_what_it_costs_are_said_before_applying(phone: Phone) -> None:
    await phone.dials()
    assert await phone.types("1", "1", "1", "1") == (
        "Birth certificate\nFee Tk 50. Ready in 7 days\nMirpur office\n1 Apply\n2 What to bring\n3 Send me this by SMS\n0 Back"
    )
    assert (await phone.types("2")).startswith("Please bring:\n")


@pytest.mark.parametrize("unicode", ["false", "true"])
@pytest.mark.parametrize(("key", "language"), [("1", "en"), ("2", "bn"), ("3", "hi")])
async def test_the_whole_path_in_every_language_and_alphabet(
    tmp_path: Path, key: str, language: str, unicode: str
) -> None:
    form = language if unicode == "true" or language == "en" else f"{language}_Latn"
    words = WORDS[form]
    settings = settings_for(tmp_path, USSD__UNICODE=unicode)
    async with running(settings) as url, ClientSession() as http:
        phone = Phone(http, url)
        account = await registers(phone, key)
        assert account.startswith(words.screens["account_menu"].text.source)
        number = await applies(phone)
        assert number[:4] in await phone.sms(), "the receipt came by SMS, in the citizen's language"
        await phone.dials()
        asked = await phone.types("2")
        assert asked.startswith(words.screens["ask_number"].text.source)
        status = await phone.types(number)
        while phone.text and words.terms["status"]["received"] not in status:
            status = await phone.types("98")
        assert words.terms["status"]["received"] in status
