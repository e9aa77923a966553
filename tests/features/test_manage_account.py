"""PINs and numbers: weak ones, wrong ones, forgotten ones, changed ones, and codes where nobody vouches for a number."""

import re
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.support.citizen_steps import PIN, register
from tests.support.databases import write_beside_gateway
from tests.support.phone import Phone, build_settings, run_gateway
from tests.support.sms_phone import open_sms_phone


async def test_a_weak_pin_and_two_that_differ_are_asked_for_again(phone: Phone) -> None:
    await phone.dial()
    await phone.enter("1", "5", "1", "Amina Begum")
    for weak in ("1234", "9876", "1111", "222222"):
        assert (await phone.enter(weak)).startswith("That PIN is too easy to guess\n")
    assert (await phone.enter("12")).startswith("A PIN has 4 to 6 digits\n")
    assert (await phone.enter("4826", "4827")).startswith("The two PINs are not the same.")


async def test_five_wrong_pins_close_the_account_and_say_until_when(phone: Phone) -> None:
    await register(phone)
    await phone.redial()
    screen = await phone.enter("5")
    assert screen == "Type your PIN\n1 I forgot it\n0 Back"
    for left in (4, 3, 2, 1):
        assert (await phone.enter("9135")).startswith(f"That PIN is not right. Tries left: {left}.")
    locked = await phone.enter("9135")
    assert re.match(r"Too many wrong tries\. .* until [\d:]+ (am|pm|noon|midnight)\.", locked)
    assert phone.ended
    await phone.redial()
    assert (await phone.enter("5", PIN)).startswith("Too many wrong tries."), "the right PIN does not open it now"


async def recover(phone: Phone, *typed: str) -> str:
    """Dial, forget the PIN, type the code that comes by SMS, and then the rest."""
    await phone.redial()
    await phone.enter("5", "1")
    return await phone.enter((await phone.wait_for_sms("is your Ekdial code"))[:6], *typed)


async def test_a_code_and_two_right_answers_reopen_an_account_with_a_new_pin(phone: Phone) -> None:
    await register(phone)
    assert await recover(phone) == "Your first school? Type the answer\n0 Back"
    assert await phone.enter("mirpur  SCHOOL") == "Your grandmother's name? Type the answer\n0 Back"
    assert (await phone.enter("ayesha.")).startswith("Choose a PIN of 4 to 6 digits")
    assert await phone.enter("7391", "7391") == "Your new PIN is set.\n1 Go on\n0 Main menu"
    await phone.wait_for_sms("your PIN was changed")
    await phone.dial()
    assert (await phone.enter("5", PIN)).startswith("That PIN is not right.")
    assert (await phone.enter("7391")).startswith("My account\n")


@pytest.mark.calls_only(reason="a sign-in on the page is no call that drops")
async def test_a_caller_may_hang_up_to_read_the_code_and_goes_on_with_it(phone: Phone) -> None:
    await register(phone)
    await phone.redial()
    await phone.enter("5", "1")
    code = (await phone.wait_for_sms("is your Ekdial code"))[:6]
    assert "Go on" in await phone.dial()
    assert "code" in await phone.enter("1")
    assert (await phone.enter(code)).startswith("Your first school?")
    assert "Go on" not in await phone.dial(), "the answers are not resumed"


async def test_wrong_answers_do_not(phone: Phone) -> None:
    await register(phone)
    screen = await recover(phone, "Mirpur School", "Fatema")
    assert screen.startswith("The answers do not match. Tries left: ")


async def test_a_pin_is_changed_from_the_account_with_the_present_one(phone: Phone) -> None:
    await register(phone)
    assert (await phone.enter("2")).startswith("Choose a PIN of 4 to 6 digits")
    assert "type your current PIN" in await phone.enter("7391", "7391")
    assert (await phone.enter(PIN)).startswith("Your new PIN is set.")
    await phone.dial()
    assert (await phone.enter("5", "7391")).startswith("My account\n")


async def test_the_questions_are_changed_from_the_account_with_the_pin(phone: Phone) -> None:
    await register(phone)
    asked = await phone.enter("6", "2", "Karim", "1", "Dhaka")
    assert "type your current PIN" in asked
    assert (await phone.enter(PIN)).startswith("Thank you. If you forget your PIN")
    await phone.wait_for_sms("security questions were set for your account")
    assert (await phone.enter("1")).startswith("My account\n")
    assert (await recover(phone)).startswith("Your first teacher")


async def test_who_signs_out_must_sign_in_again(phone: Phone) -> None:
    await register(phone)
    assert await phone.enter("3") == "You are signed out. Thank you."
    await phone.dial()
    assert (await phone.enter("5")).startswith("Type your PIN")


async def test_where_the_pin_is_ours_to_choose_it_comes_by_sms(tmp_path: Path) -> None:
    settings = build_settings(tmp_path, ACCOUNTS__PIN_BY_SMS="true")
    async with run_gateway(settings) as url, ClientSession() as http:
        phone = Phone(http, url)
        await phone.dial()
        await phone.enter("1", "5", "1", "Amina Begum")
        screen = await phone.enter("1", "Mirpur School", "2", "Ayesha")
        assert screen.startswith("You are registered. Your PIN is on its way")
        pin = re.match(r"\d{4,6}", await phone.wait_for_sms("is your Ekdial PIN"))
        assert pin
        assert (await phone.enter("1")).startswith("Type your PIN")
        assert (await phone.enter(pin[0])).startswith("My account\n")


async def test_who_has_no_questions_is_offered_them_on_a_call(phone: Phone) -> None:
    await phone.dial()
    await phone.enter("1")
    async with open_sms_phone(phone.url, phone.msisdn) as sms_phone:
        pin = (await sms_phone.send_sms("REG Amina Begum", expect=2)).partition(" is your Ekdial PIN")[0][-4:]
    await phone.redial()
    assert (await phone.enter("5", pin)).startswith("You have no security questions yet.")
    assert (await phone.enter("2")).startswith("My account\n")
    assert (await phone.enter("00", "5")).startswith("My account\n"), "once in a session"
    await phone.redial()
    await phone.enter("5", pin, "1", "1", "Mirpur School", "2", "Ayesha")
    assert (await phone.enter(pin)).startswith("Thank you.")
    await phone.redial()
    assert (await phone.enter("5", pin)).startswith("My account\n")


async def test_a_pin_of_an_account_that_was_not_used_for_long_waits_and_stop_cancels_it(tmp_path: Path) -> None:
    async with run_gateway(build_settings(tmp_path)) as url, ClientSession() as http:
        phone = Phone(http, url)
        await register(phone)
        await write_beside_gateway(tmp_path, "UPDATE accounts SET last_used_at = '2020-01-01 00:00:00.000000'")
        assert (await recover(phone, "Mirpur School", "Ayesha", "7391", "7391")).startswith(
            "Your new PIN will work in 24"
        )
        await phone.wait_for_sms("It will work in 24 hours")
        async with open_sms_phone(url, phone.msisdn) as sms_phone:
            assert (await sms_phone.send_sms("STOP")).startswith("The new PIN is cancelled")
        await phone.redial()
        assert (await phone.enter("5", PIN)).startswith("My account\n")
