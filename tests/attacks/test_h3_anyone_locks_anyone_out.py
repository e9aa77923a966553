"""H3: five forged SMS a day lock the owner out on every channel, for good."""

from pathlib import Path

import pytest

from tests.support.citizen_steps import PIN, register
from tests.support.forged_sms import open_attack
from tests.support.phone import MSISDN, Phone
from tests.support.services import RAHIMA

WRONG_ANSWERS = ("x", "y", "1", "x", "y", "1", "x", "y", "1", "x", "y", "1", "x", "y")


async def test_h3_wrong_answers_by_forged_sms_leave_the_owners_calls_open(tmp_path: Path) -> None:
    async with open_attack(tmp_path) as attacker:
        phone = Phone(attacker.http, attacker.url)
        await register(phone)
        await attacker.forge_sms(MSISDN, "PIN", *WRONG_ANSWERS)
        assert attacker.fetch("SELECT pin_failures, answer_failures, pin_locked_until FROM accounts") == [(0, 0, None)]
        assert attacker.fetch("SELECT unvouched_lockouts FROM accounts") == [(1,)]
        await phone.redial()
        assert "My applications" in await phone.enter("5", PIN)


async def test_h3_wrong_pins_by_forged_sms_neither_lock_nor_sign_out_a_call(tmp_path: Path) -> None:
    async with open_attack(tmp_path) as attacker:
        phone = Phone(attacker.http, attacker.url)
        await register(phone)
        await phone.redial()
        await phone.enter("5", PIN)
        await attacker.forge_sms(MSISDN, "MENU", "5", "0000", "1111", "2222", "3333", "4444")
        assert attacker.fetch("SELECT unvouched_lockouts, lockouts FROM accounts") == [(1, 0)]
        assert (await phone.enter("5")).startswith("My profile"), "the call goes on, signed in"


@pytest.mark.parametrize("method", ["pin", "answers"])
async def test_h3_a_year_of_forged_attempts_locks_the_owner_out_for_no_moment(services, clock, method) -> None:
    await services.register(pin="4821")
    for day in range(0, 365, 20):
        for place in range(6):
            key = f"sms/{day}-{place}:1"
            if method == "pin":
                await services.accounts.sign_in(RAHIMA, "0000", key, vouched=False)
            else:
                await services.accounts.sign_in_by_answers(RAHIMA, ("a", "b"), key, vouched=False)
        assert (await services.accounts.sign_in(RAHIMA, "4821", f"s{day}:12", vouched=True)).outcome == "in"
        clock.advance(days=20)
