"""Register and sign in: a PIN and two questions, or one SMS; recovery; a lock-out with its end."""

import re
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.support.citizen_steps import PIN, register
from tests.support.phone import Phone, build_settings, run_gateway
from tests.support.sms_phone import SmsPhone

NEW_PIN = "9517"


async def test_who_registered_signs_in_with_the_pin_from_then_on(phone: Phone) -> None:
    await register(phone)
    await phone.redial()
    assert "PIN" in await phone.enter("5")
    assert "My applications" in await phone.enter(PIN)


async def test_a_forgotten_pin_is_set_anew_by_a_code_and_the_two_questions(phone: Phone) -> None:
    await register(phone)
    await phone.redial()
    assert "code" in await phone.enter("5", "1")
    asked = await phone.enter((await phone.wait_for_sms("is your Ekdial code"))[:6])
    assert asked.startswith("Your first school?")
    assert (await phone.enter("Mirpur School")).startswith("Your grandmother's name?")
    await phone.enter("Ayesha", NEW_PIN, NEW_PIN)
    await phone.redial()
    assert "My applications" in await phone.enter("5", NEW_PIN)


async def test_five_wrong_pins_lock_the_account_and_it_says_until_when(phone: Phone) -> None:
    await register(phone)
    await phone.redial()
    screen = await phone.enter("5", *["1793"] * 5)
    assert re.search(r"until \d{1,2}(:\d\d)? (am|pm|noon|midnight)\.", screen), screen
    assert phone.ended


async def test_registering_by_one_sms_brings_a_pin_that_finishes_it(sms_phone: SmsPhone) -> None:
    heard = await sms_phone.send_sms("REG Amina Begum", expect=2)
    pin = re.search(r"\b(\d{4}) is your Ekdial PIN", heard)
    assert pin, heard
    assert "Type it here to finish" in heard
    assert (await sms_phone.send_sms(pin[1])).startswith("You have no security questions yet.")
    assert (await sms_phone.send_sms("2")).startswith("My account")


async def test_8_2_who_registered_by_sms_is_asked_for_questions_once_the_pin_is_proved(sms_phone: SmsPhone) -> None:
    heard = await sms_phone.send_sms("REG Amina Begum", expect=2)
    pin = re.search(r"\b(\d{4}) is your Ekdial PIN", heard)
    assert pin, heard
    assert (await sms_phone.send_sms(pin[1])).startswith("You have no security questions yet.")
    for answer in ("1", "1", "Mirpur School", "2"):
        await sms_phone.send_sms(answer)
    assert "To save these questions, type your current PIN" in await sms_phone.send_sms("Ayesha")
    assert "these two answers" in await sms_phone.send_sms(pin[1], expect=2)


@pytest.mark.calls_only(reason="a code verifies the number on the page")
async def test_a_network_that_vouches_for_nobody_gets_a_pin_by_sms(tmp_path: Path) -> None:
    async with (
        run_gateway(build_settings(tmp_path, USSD__CALLER_NUMBER_VERIFIED="false")) as url,
        ClientSession() as http,
    ):
        phone = Phone(http, url)
        await phone.dial()
        assert "name" in (await phone.enter("1", "5", "1")).lower()
        assert (await phone.enter("Amina Begum")).startswith("Your name: Amina Begum\nWe sent a PIN")
        pin = re.match(r"\d{4}", await phone.wait_for_sms("is your Ekdial PIN"))
        assert pin
        await phone.redial()
        assert (await phone.enter("5")).startswith("Type the PIN that we sent you by SMS")
        assert (await phone.enter(pin[0])).startswith("You have no security questions yet.")
        assert (await phone.enter("2")).startswith("My account")


async def test_a_year_is_no_answer_to_a_security_question(phone: Phone) -> None:
    """A minor of section 2 of the field report: "1975" and "2020" were accepted."""
    await phone.dial()
    await phone.enter("1", "5", "1", "Amina Begum", PIN, PIN, "1")
    for typed in ("1975", "20-20", "২০২০"):
        assert (await phone.enter(typed)).startswith("Please answer with a name or a word, not a number\n")
    for typed in ("Amina", "begum AMINA", "school", "first SCHOOL"):
        assert (await phone.enter(typed)).startswith("Not your name, nor words of the question\n"), typed
    assert "Choose the second question" in await phone.enter("Mirpur School 2")
