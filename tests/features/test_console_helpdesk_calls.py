"""Eight calls to the helpdesk, walked in the console in Chromium: each in under ten clicks, and two by keyboard alone.

The sign-in is older than ten minutes, so that what changes who may sign in asks for proof: its clicks are counted too.
"""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from config.settings import Settings
from core.types import utc_now
from db.tables import staff_sessions
from tests.support.browser import launch_chromium
from tests.support.citizen_steps import (
    PIN,
    answer_wallet,
    apply_for_birth_certificate,
    pay_key,
    register,
    track_application,
)
from tests.support.console import StaffRoom, open_staff_room
from tests.support.helpdesk_person import MAX_CLICKS, REASON, HelpdeskPerson
from tests.support.keyboard import Keyboard
from tests.support.phone import MSISDN, Phone, build_settings, run_gateway
from tests.support.sms_phone import SmsPhone, open_sms_phone

NEW_NUMBER = "+8801700000002"
WHAT = "Phone number, tracking or complaint number, payment"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return build_settings(tmp_path, PAYMENTS__PUSH_DELAY="0")


@pytest.fixture
async def gateway(settings: Settings) -> AsyncIterator[str]:
    async with run_gateway(settings) as url:
        yield url


@pytest.fixture
async def texts(gateway: str) -> AsyncIterator[SmsPhone]:
    """The same number, which sends SMS."""
    async with open_sms_phone(gateway) as texts:
        yield texts


@pytest.fixture
async def room(settings: Settings, gateway: str) -> AsyncIterator[StaffRoom]:
    async with open_staff_room(settings, gateway) as room:
        yield room


@pytest.fixture
async def hasan(room: StaffRoom) -> AsyncIterator[HelpdeskPerson]:
    """A member of the helpdesk, who signed in half an hour ago and has another page open."""
    async with launch_chromium() as browser:
        context = await browser.new_context()
        await room.sign_in_chromium(context, "helpdesk")
        half_an_hour_ago = update(staff_sessions).values(proved_at=utc_now() - timedelta(minutes=30))
        async with room.database.transaction() as transaction:
            await transaction.execute(half_an_hour_ago)
        page = await context.new_page()
        await page.goto(f"{room.url}/console/messages")
        yield HelpdeskPerson(page, room.added["hasan"][1])


async def sign_in(phone: Phone, pin: str) -> str:
    await phone.redial()
    return await phone.enter("5", pin)


async def wait_for_pin(phone: Phone) -> str:
    """The PIN that the helpdesk sent."""
    pin = re.match(r"\d{4}", await phone.wait_for_sms("is your new Ekdial PIN, from the helpdesk"))
    assert pin
    return pin[0]


async def register_by_sms(texts: SmsPhone) -> None:
    """Register by SMS, and go without questions."""
    pin = re.search(r"\b(\d{4}) is your Ekdial PIN", await texts.send_sms("REG Amina Begum", expect=2))
    assert pin
    await texts.send_sms(pin[1])


async def test_call_1_i_did_not_get_my_pin(phone: Phone, texts: SmsPhone, hasan: HelpdeskPerson) -> None:
    await texts.send_sms("REG Amina Begum", expect=2)
    await hasan.find(MSISDN)
    assert "No account" in await hasan.read()
    assert "Registration waits for its PIN until" in await hasan.read()
    await hasan.act("Send a new PIN")
    assert "a registration waits for its PIN. A new one goes to it by SMS." in await hasan.read()
    pin = await wait_for_pin(phone)
    assert pin not in await hasan.read()
    await phone.dial()
    await phone.enter("1")
    assert (await phone.enter("5", pin)).startswith("You have no security questions yet.")
    assert hasan.clicks <= MAX_CLICKS


async def test_call_2_somebody_uses_my_number(phone: Phone, texts: SmsPhone, hasan: HelpdeskPerson) -> None:
    await register(phone)
    await texts.send_sms("MENU")
    await texts.send_sms("5")
    await texts.send_sms("9135")
    assert "My applications" in await sign_in(phone, PIN)
    await hasan.find(MSISDN)
    assert "SMS PIN wrong" in await hasan.read()
    await hasan.act("End every sign-in")
    assert "Every sign-in is ended, and the holder is told by SMS." in await hasan.read()
    assert "PIN" in await phone.enter("1"), "who was signed in is out"
    assert await phone.wait_for_sms("has signed you out everywhere")
    assert hasan.clicks <= MAX_CLICKS


async def test_call_3_i_lost_my_phone(phone: Phone, hasan: HelpdeskPerson) -> None:
    await register(phone)
    assert "My applications" in await sign_in(phone, PIN)
    await hasan.find(MSISDN)
    await hasan.act("Freeze the account")
    assert "Frozen: nobody can sign in" in await hasan.read()
    assert "This account is frozen" in await phone.enter("1")
    assert hasan.clicks <= MAX_CLICKS
    hasan.clicks = 0
    await hasan.find(MSISDN)
    await hasan.act("Unfreeze the account")
    assert "The holder can sign in again, and is told by SMS." in await hasan.read()
    assert "My applications" in await sign_in(phone, PIN)
    assert hasan.clicks <= MAX_CLICKS


async def test_call_4_i_forgot_my_pin_and_my_answers(phone: Phone, hasan: HelpdeskPerson) -> None:
    await register(phone)
    await hasan.find(MSISDN)
    await hasan.act("Remove the security questions")
    assert "Security questions none" in await hasan.read()
    await hasan.act("Send a new PIN")
    assert "A new PIN goes to the number by SMS, and to nobody else." in await hasan.read()
    pin = await wait_for_pin(phone)
    assert (await sign_in(phone, pin)).startswith("You have no security questions yet.")
    assert hasan.clicks <= MAX_CLICKS


async def test_call_5_i_have_a_new_number(phone: Phone, gateway: str, hasan: HelpdeskPerson) -> None:
    await register(phone)
    await hasan.find(MSISDN)
    await hasan.act("Release the number")
    assert "The account has no number any more" in await hasan.read()
    await hasan.act("Give it a new number", **{"New number": NEW_NUMBER})
    assert "The account has the new number now, and its holder is told by SMS." in await hasan.read()
    new_phone = Phone(phone.http, gateway, NEW_NUMBER)
    assert await new_phone.wait_for_sms("your account now has this number")
    await new_phone.dial()
    await new_phone.enter("1")
    assert "My applications" in await new_phone.enter("5", PIN)
    assert hasan.clicks <= MAX_CLICKS


async def test_call_6_what_is_with_my_application(phone: Phone, hasan: HelpdeskPerson) -> None:
    await register(phone)
    number = await apply_for_birth_certificate(phone)
    grouped = f"{number[:4]} {number[4:8]} {number[8:]}"
    receipt = await phone.wait_for_sms(f"Tracking {grouped}")
    await hasan.find(MSISDN)
    assert f"{grouped} Birth certificate Submitted" in await hasan.read()
    assert receipt not in await hasan.read()
    await hasan.act("Send again")
    assert "The message is sent again." in await hasan.read()
    assert hasan.clicks <= MAX_CLICKS


async def test_call_7_i_paid_and_it_says_not_paid(phone: Phone, hasan: HelpdeskPerson) -> None:
    await register(phone)
    number = await apply_for_birth_certificate(phone)
    status = await track_application(phone, number)
    await phone.enter(pay_key(status), "1")
    await answer_wallet(phone, None)
    await hasan.find(number)
    said = await hasan.read()
    assert f"Found by application {number[:4]} {number[4:8]} {number[8:]}" in said
    assert re.search(r"Tk 50 Failed", said)
    assert "Fee not paid yet" in said
    assert hasan.clicks <= MAX_CLICKS


async def test_call_8_i_get_sms_that_are_not_for_me(
    phone: Phone, texts: SmsPhone, gateway: str, hasan: HelpdeskPerson
) -> None:
    await register(phone)
    await texts.send_sms("STOP")
    await hasan.find(MSISDN)
    assert "News by SMS off since (STOP)" in await hasan.read()
    await hasan.act("Release the number")
    assert "nothing of it reaches the number" in await hasan.read()
    new_holder = Phone(phone.http, gateway)
    await new_holder.redial()
    await new_holder.enter("1")
    assert "To go on, please register" in await new_holder.enter("5")
    assert hasan.clicks <= MAX_CLICKS


async def test_the_lost_phone_by_keyboard_alone(phone: Phone, hasan: HelpdeskPerson) -> None:
    await register(phone)
    keyboard = Keyboard(hasan.page)
    await keyboard.follow("Citizens", "link")
    await keyboard.reach(WHAT)
    await keyboard.type(MSISDN)
    await keyboard.submit()
    await keyboard.reach("Freeze the account")
    await keyboard.press("Enter")
    await keyboard.fill("Reason", REASON)
    await keyboard.follow("Freeze the account", "button")
    assert "Frozen: nobody can sign in" in await hasan.read()
    assert "This account is frozen" in await sign_in(phone, PIN)


async def test_the_pin_by_keyboard_alone(phone: Phone, hasan: HelpdeskPerson) -> None:
    await register(phone)
    keyboard = Keyboard(hasan.page)
    await keyboard.follow("Citizens", "link")
    await keyboard.reach(WHAT)
    await keyboard.type(MSISDN)
    await keyboard.submit()
    await keyboard.reach("Send a new PIN")
    await keyboard.press("Enter")
    await keyboard.fill("Reason", REASON)
    await keyboard.follow("Send a new PIN", "button")
    await keyboard.type(hasan.password)
    await keyboard.submit()
    assert "A new PIN goes to the number by SMS" in await hasan.read()
    assert "My applications" in await sign_in(phone, await wait_for_pin(phone))
