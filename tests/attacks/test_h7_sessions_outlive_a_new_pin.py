"""H7: a conversation that was signed in before stays signed in after a new PIN, a recovery, a freeze or a sign-out."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.support.citizen_steps import PIN, register
from tests.support.forged_sms import open_attack
from tests.support.phone import MSISDN, Phone
from tests.support.sms_phone import open_sms_phone

NEW_PIN = "9174"
Act = Callable[[Phone], Awaitable[None]]


async def change_pin(phone: Phone) -> None:
    await phone.redial()
    assert (await phone.enter("5", PIN, "2", NEW_PIN, NEW_PIN, PIN)).startswith("Your new PIN is set.")


async def recover(phone: Phone) -> None:
    await phone.redial()
    await phone.enter("5", "1")
    code = (await phone.wait_for_sms("is your Ekdial code"))[:6]
    screen = await phone.enter(code, "Mirpur School", "Ayesha", NEW_PIN, NEW_PIN)
    assert screen.startswith("Your new PIN is set.")


async def change_questions(phone: Phone) -> None:
    await phone.redial()
    assert (await phone.enter("5", PIN, "6", "2", "Karim", "1", "Dhaka", PIN)).startswith("Thank you.")


@pytest.mark.parametrize("act", [change_pin, recover, change_questions])
async def test_h7_the_old_conversation_is_signed_out(tmp_path: Path, act: Act) -> None:
    async with open_attack(tmp_path) as attacker:
        phone = Phone(attacker.http, attacker.url)
        await register(phone)
        async with open_sms_phone(attacker.url, MSISDN) as old_conversation:
            for typed in ("MENU", "5"):
                await old_conversation.send_sms(typed)
            assert (await old_conversation.send_sms(PIN)).startswith("My account")
            await act(phone)
            await phone.wait_for_sms("If it was not you")  # the SMS that tells the citizen
            before = attacker.fetch("SELECT pin_hash, epoch FROM accounts")
            assert "You were signed out" in await old_conversation.send_sms("1")
            for typed in ("2", "5", "2", "6283", "6283"):
                await attacker.forge_sms(MSISDN, typed)
            assert attacker.fetch("SELECT pin_hash, epoch FROM accounts") == before


async def test_h7_an_old_call_ends_and_the_one_that_changed_the_pin_goes_on(tmp_path: Path) -> None:
    async with open_attack(tmp_path) as attacker, ClientSession() as http:
        phone, other = Phone(attacker.http, attacker.url), Phone(http, attacker.url)
        await register(phone)
        await other.redial()
        assert "My applications" in await other.enter("5", PIN)
        await phone.redial()
        assert "My applications" in await phone.enter("5", PIN)
        assert (await phone.enter("2", NEW_PIN, NEW_PIN, PIN)).startswith("Your new PIN is set.")
        assert (await other.enter("1")).startswith("Sorry, this call cannot go on.")
        assert "My applications" in await phone.enter("1")
