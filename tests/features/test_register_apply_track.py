"""The whole path of a citizen: register, apply, hang up, follow, sign in again; on every store and every database."""

from pathlib import Path

import pytest
from aiohttp import ClientSession

from menus.rendering.localization import load_locales
from tests.support.citizen_steps import (
    ANSWERS,
    PIN,
    apply_for_birth_certificate,
    open_birth_certificate,
    register,
    submit_application,
    tracking_number_in,
)
from tests.support.phone import Phone, build_settings, run_gateway

WORDS = load_locales({kind: lambda code, _: code for kind in ("service", "sector", "office", "documents")})


async def test_from_the_first_call_to_following_an_application(phone_on_every_backend: Phone) -> None:
    phone = phone_on_every_backend
    assert await register(phone) == (
        "My account\n1 My applications\n2 Change my PIN\n3 Sign out\n5 My profile\n6 Security questions\n0 Back"
    )
    assert await open_birth_certificate(phone) == "1/5 Whose certificate is it? Type the full name\n0 Back"
    confirm = await phone.enter(*ANSWERS)
    assert confirm == (
        "Birth certificate\nRahim Uddin, 21-11-2025, Male, Karim Uddin, Ayesha Begum\n"
        "Fee Tk 50. Ready in 7 days\n1 Apply\n2 Change something\n3 What to bring\n0 Back"
    )
    receipt = await submit_application(phone)
    number = tracking_number_in(receipt)
    assert tracking_number_in(await phone.wait_for_sms("Birth certificate received")) == number

    await phone.dial()
    assert await phone.enter("2") == "Type the 12-digit tracking number\n1 My applications\n0 Back"
    status = await phone.enter(number)
    assert status.startswith(f"Birth certificate\n{number[:4]} {number[4:8]} {number[8:]}\nSubmitted, ")
    assert "Promised by " in status
    assert await phone.enter("1") == "It is on its way to you by SMS.\n1 Another number\n0 Main menu"
    assert number[:4] in await phone.wait_for_sms("Submitted")


async def test_anyone_who_has_the_number_may_follow_it_and_learns_nothing_personal(phone: Phone) -> None:
    await register(phone)
    number = await apply_for_birth_certificate(phone)
    stranger = Phone(phone.http, phone.url, "+919000000001")
    await stranger.dial()
    status = await stranger.enter("1", "2", f"{number[:4]} {number[4:8]}-{number[8:]}")
    assert "Birth certificate" in status
    assert "Rahim" not in status
    assert "Amina" not in status


async def test_a_mistyped_number_is_told_from_an_unknown_one(phone: Phone) -> None:
    await register(phone)
    number = await apply_for_birth_certificate(phone)
    await phone.dial()
    slip = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert (await phone.enter("2", slip)).startswith("One of those digits seems wrong\n")
    assert (await phone.enter("123")).startswith("Number of digits typed: 3\n")
    assert (await phone.enter("123456789015")).startswith("One of those digits seems wrong\n")
    from core.reference_numbers import generate_tracking_number

    assert (await phone.enter(generate_tracking_number())).startswith(
        "No application has this number. Look at your SMS"
    )
    assert "Birth certificate" in await phone.enter(number), "it can be typed right there"


async def test_ones_own_list_wants_a_pin_and_leads_to_each_application(phone: Phone) -> None:
    await register(phone)
    number = await apply_for_birth_certificate(phone)
    await phone.dial()
    assert await phone.enter("2", "1") == "Type your PIN\n1 I forgot it\n0 Back"
    assert await phone.enter(PIN) == "Your applications\n1 Birth certificate: Submitted\n0 Back"
    assert number[:4] in await phone.enter("1")


async def test_something_can_be_changed_before_it_is_sent(phone: Phone) -> None:
    await register(phone)
    await open_birth_certificate(phone)
    await phone.enter(*ANSWERS)
    assert (await phone.enter("2")).startswith("What do you want to change?\n1 Rahim Uddin\n2 21-11-2025\n")
    confirm = await phone.enter("1", "Salma Khatun")
    assert "Salma Khatun, 21-11-2025, Male, Karim Uddin" in confirm
    assert "Rahim Uddin" not in confirm


async def test_zero_goes_back_a_field_at_a_time(phone: Phone) -> None:
    await register(phone)
    first = await open_birth_certificate(phone)
    second = await phone.enter("Rahim Uddin")
    assert await phone.enter("21112025", "0") == second
    assert await phone.enter("0") == first


async def test_a_service_that_the_phone_cannot_do_gets_an_honest_answer(phone: Phone) -> None:
    await phone.dial()
    screen = await phone.enter("1", "1", "1", "4")
    assert screen == (
        "Aadhaar download\nThis cannot be done on this phone.\n"
        "1 App's link by SMS\n2 Helpdesk\n3 Nearest service centre\n4 Fee, time, papers\n0 Back"
    )
    assert (await phone.enter("1")).startswith("The link is on its way")
    assert "/d/" in await phone.wait_for_sms("Ekdial: get the app at")


async def test_what_to_bring_and_what_it_costs_are_said_before_applying(phone: Phone) -> None:
    await phone.dial()
    assert await phone.enter("1", "1", "1", "1") == (
        "Birth certificate\nFee Tk 50. Ready in 7 days\nMirpur office\n1 Apply\n2 What to bring\n3 Send this by SMS\n0 Back"
    )
    assert (await phone.enter("2")).startswith("Please bring:\n")


@pytest.mark.parametrize(
    "unicode", ["false", pytest.param("true", marks=pytest.mark.africastalking_wire("TAP shows ASCII alone"))]
)
@pytest.mark.parametrize(("key", "language"), [("1", "en"), ("2", "bn"), ("3", "hi")])
@pytest.mark.calls_only(reason="the page has the letters of each language, and asks in that of the browser")
async def test_the_whole_path_in_every_language_and_alphabet(
    tmp_path: Path, key: str, language: str, unicode: str
) -> None:
    form = language if unicode == "true" or language == "en" else f"{language}_Latn"
    words = WORDS[form]
    settings = build_settings(tmp_path, USSD__UNICODE=unicode)
    async with run_gateway(settings) as url, ClientSession() as http:
        phone = Phone(http, url)
        account = await register(phone, key)
        assert account.startswith(words.screens["account_menu"].text.source.split("\n")[0])
        number = await apply_for_birth_certificate(phone)
        assert number[:4] in await phone.wait_for_sms(), "the receipt came by SMS, in the citizen's language"
        await phone.dial()
        asked = await phone.enter("2")
        assert asked.startswith(words.screens["ask_number"].text.source)
        status = await phone.enter(number)
        while phone.path and words.terms["status"]["received"] not in status:
            status = await phone.enter("98")
        assert words.terms["status"]["received"] in status
