"""H2: two guessable answers, sent from a forged number, set a new PIN."""

import re
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.support.citizen_steps import PIN, register
from tests.support.forged_sms import Attacker, open_attack
from tests.support.phone import MSISDN, Phone, build_settings, run_gateway
from tests.support.services import RAHIMA

ANSWERS = ("Mirpur School", "Ayesha")
FORGED_PIN = "8265"


def read_pin_hash(attacker: Attacker) -> object:
    return attacker.fetch("SELECT pin_hash, epoch, pending_pin_hash FROM accounts")


async def test_h2_the_right_answers_from_a_forged_number_change_nothing(tmp_path: Path) -> None:
    async with open_attack(tmp_path) as attacker:
        phone = Phone(attacker.http, attacker.url)
        await register(phone)
        before = read_pin_hash(attacker)
        await attacker.forge_sms(MSISDN, "PIN", *ANSWERS, FORGED_PIN, FORGED_PIN, "123456", "654321")
        assert read_pin_hash(attacker) == before
        await phone.redial()
        assert "My applications" in await phone.enter("5", PIN)


async def test_h2_a_forger_in_the_owners_recovery_by_sms_chooses_no_pin(tmp_path: Path) -> None:
    """The owner types answers and code; the new PIN is not chosen in the conversation but sent to the phone."""
    async with open_attack(tmp_path) as attacker:
        phone = Phone(attacker.http, attacker.url)
        await register(phone)
        await attacker.forge_sms(MSISDN, "PIN", *ANSWERS)
        code = re.match(r"\d{6}", await phone.wait_for_sms("is your Ekdial code"))
        assert code
        await attacker.forge_sms(MSISDN, FORGED_PIN, code[0], FORGED_PIN, FORGED_PIN)
        new_pin = re.match(r"\d{4}", await phone.wait_for_sms("is your Ekdial PIN"))
        assert new_pin
        await phone.redial()
        assert "My applications" in await phone.enter("5", new_pin[0])


async def test_h2_a_call_needs_the_code_before_the_answers(tmp_path: Path) -> None:
    async with run_gateway(build_settings(tmp_path)) as url, ClientSession() as http:
        phone = Phone(http, url)
        await register(phone)
        await phone.redial()
        assert "code" in await phone.enter("5", "1")
        assert "code" in await phone.enter("000000")
        screen = await phone.enter((await phone.wait_for_sms("is your Ekdial code"))[:6])
        assert screen.startswith("Your first school?")


async def test_h2_an_account_that_was_not_used_for_long_keeps_its_pin_for_a_day(services, clock) -> None:
    account = await services.register(pin="4821")
    clock.advance(days=91)
    result = await services.accounts.recover_pin(account, await services.hash_secret("7305"), "s3:30", vouched=True)
    assert (result.outcome, result.hours) == ("pending", 24)
    assert [text for _, _, text, _ in await services.claim_sms()] == ["pin_pending"]
    assert (await services.accounts.sign_in(RAHIMA, "7305", "s4:12", vouched=True)).outcome == "wrong"
    assert await services.accounts.cancel_recovery(RAHIMA, "sms/9:1")
    clock.advance(days=2)
    assert (await services.accounts.sign_in(RAHIMA, "7305", "s5:12", vouched=True)).outcome == "wrong"
    assert (await services.accounts.sign_in(RAHIMA, "4821", "s6:12", vouched=True)).outcome == "in"


@pytest.mark.parametrize("days", [1, 30])
async def test_h2_guesses_at_the_answers_by_sms_are_few_whatever_the_time(services, clock, days) -> None:
    await services.register(pin="4821")
    tried = 0
    for hour in range(days * 24):
        for place in range(5):
            key = f"sms/{hour}-{place}:1"
            result = await services.accounts.sign_in_by_answers(RAHIMA, ("a", "b"), key, vouched=False)
            if result.outcome == "wrong" or result.locked_until == clock.now:
                tried += 1
            if result.outcome == "locked":
                break
        clock.advance(hours=1)
    assert tried <= 5 * (3 + days // 7 + 1)
