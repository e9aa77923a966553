"""Row 5, register and sign in: a PIN of one's own and two questions, or one SMS; recovery; a lock that says until when."""

import re
from pathlib import Path

from aiohttp import ClientSession

from tests.journeys.steps import PIN, registers
from tests.phone import Phone, running, settings_for
from tests.texting import Texter

NEW_PIN = "9517"


async def test_row_5_who_registered_signs_in_with_the_pin_from_then_on(phone: Phone) -> None:
    await registers(phone)
    await phone.redials()
    assert "PIN" in await phone.types("5")
    assert "My applications" in await phone.types(PIN)


async def test_row_5_a_forgotten_pin_is_set_anew_by_the_two_questions(phone: Phone) -> None:
    await registers(phone)
    await phone.redials()
    asked = await phone.types("5", "1")
    assert asked.startswith("Your first school?")
    assert (await phone.types("Mirpur School")).startswith("Your grandmother's name?")
    await phone.types("Ayesha", NEW_PIN, NEW_PIN)
    await phone.redials()
    assert "My applications" in await phone.types("5", NEW_PIN)


async def test_row_5_five_wrong_pins_lock_the_account_and_it_says_until_when(phone: Phone) -> None:
    await registers(phone)
    await phone.redials()
    screen = await phone.types("5", *["1793"] * 5)
    assert re.search(r"\d\d:\d\d", screen), screen
    assert phone.ended


async def test_row_5_registering_by_one_sms_brings_a_pin_by_sms(handset: Texter) -> None:
    heard = await handset.texts("REG Amina Begum", expect=2)
    assert re.search(r"\b\d{4} is your Ekdial PIN", heard), heard
    assert "first school" in heard


async def test_row_5_a_network_that_vouches_for_nobody_wants_a_one_time_code(tmp_path: Path) -> None:
    async with running(settings_for(tmp_path, USSD__VOUCHES="false")) as url, ClientSession() as http:
        phone = Phone(http, url)
        await phone.dials()
        assert "code" in await phone.types("1", "5", "1")
        code = re.search(r"\d{6}", await phone.sms("is your Ekdial code"))
        assert code
        assert "name" in (await phone.types(code[0])).lower()
