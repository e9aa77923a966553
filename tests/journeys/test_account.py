"""PINs and numbers: weak ones, wrong ones, forgotten ones, changed ones, and codes where nobody vouches for a number."""

import re
from pathlib import Path

from aiohttp import ClientSession

from tests.journeys.steps import PIN, registers
from tests.phone import Phone, running, settings_for


async def test_a_weak_pin_and_two_that_differ_are_asked_for_again(phone: Phone) -> None:
    await phone.dials()
    await phone.types("1", "5", "1", "Amina Begum")
    for weak in ("1234", "9876", "1111", "222222"):
        assert (await phone.types(weak)).startswith("That PIN is too easy to guess\n")
    assert (await phone.types("12")).startswith("A PIN has 4 to 6 digits\n")
    assert (await phone.types("4826", "4827")).startswith("The two PINs are not the same.")


async def test_five_wrong_pins_close_the_account_and_say_until_when(phone: Phone) -> None:
    await registers(phone)
    await phone.redials()
    screen = await phone.types("5")
    assert screen == "Type your PIN\n1 I forgot it\n0 Back"
    for left in (4, 3, 2, 1):
        assert (await phone.types("9135")).startswith(f"That PIN is not right. Tries left: {left}.")
    locked = await phone.types("9135")
    assert re.match(r"Too many wrong tries\. .* until \d\d:\d\d\.", locked)
    assert phone.ended
    await phone.redials()
    assert (await phone.types("5", PIN)).startswith("Too many wrong tries."), "the right PIN does not open it now"


async def test_two_right_answers_reopen_an_account_with_a_new_pin(phone: Phone) -> None:
    await registers(phone)
    await phone.redials()
    assert await phone.types("5", "1") == "Your first school? Type the answer\n0 Back"
    assert await phone.types("mirpur  SCHOOL") == "Your grandmother's name? Type the answer\n0 Back"
    assert (await phone.types("ayesha.")).startswith("Choose a PIN of 4 to 6 digits")
    assert await phone.types("7391", "7391") == "Your new PIN is set.\n1 Go on\n0 Main menu"
    await phone.sms("your PIN was changed")
    await phone.dials()
    assert (await phone.types("5", PIN)).startswith("That PIN is not right.")
    assert (await phone.types("7391")).startswith("My account\n")


async def test_wrong_answers_do_not(phone: Phone) -> None:
    await registers(phone)
    await phone.redials()
    screen = await phone.types("5", "1", "Mirpur School", "Fatema")
    assert screen.startswith("The answers do not match. Tries left: ")


async def test_a_pin_is_changed_from_the_account(phone: Phone) -> None:
    await registers(phone)
    assert (await phone.types("2")).startswith("Choose a PIN of 4 to 6 digits")
    await phone.types("7391", "7391")
    await phone.dials()
    assert (await phone.types("5", "7391")).startswith("My account\n")


async def test_who_signs_out_must_sign_in_again(phone: Phone) -> None:
    await registers(phone)
    assert await phone.types("3") == "You are signed out. Thank you."
    await phone.dials()
    assert (await phone.types("5")).startswith("Type your PIN")


async def test_where_nobody_vouches_for_the_number_a_code_proves_it(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, USSD__VOUCHES="false")
    async with running(settings) as url, ClientSession() as http:
        phone = Phone(http, url)
        await phone.dials()
        assert (await phone.types("1", "5", "1")).startswith("We sent a 6-digit code to this number")
        code = (await phone.sms("is your Ekdial code"))[:6]
        wrong = f"{(int(code) + 1) % 1_000_000:06}"
        assert (await phone.types(wrong)).startswith("That code is not right.")
        assert await phone.types(code) == "Type your full name\n0 Back"


async def test_where_the_pin_is_ours_to_choose_it_comes_by_sms(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, ACCOUNTS__PIN_BY_SMS="true")
    async with running(settings) as url, ClientSession() as http:
        phone = Phone(http, url)
        await phone.dials()
        await phone.types("1", "5", "1", "Amina Begum")
        screen = await phone.types("1", "Mirpur School", "2", "Ayesha")
        assert screen.startswith("You are registered. Your PIN is on its way")
        pin = re.match(r"\d{4,6}", await phone.sms("is your Ekdial PIN"))
        assert pin
        assert (await phone.types("1")).startswith("Type your PIN")
        assert (await phone.types(pin[0])).startswith("My account\n")
