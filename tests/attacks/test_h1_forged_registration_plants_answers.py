"""H1: a forged REG plants security answers in a number that is not the attacker's, as a way in that nothing removes."""

import re
from pathlib import Path

from tests.support.citizen_steps import PIN, register
from tests.support.forged_sms import Attacker, open_attack
from tests.support.phone import MSISDN, Phone

FORGED_PIN = "8265"
PLANT = ("1", "planted", "1", "planted too")


def count_planted(attacker: Attacker) -> int:
    return int(attacker.fetch("SELECT count(*) FROM security_answers")[0][0])


async def test_h1_a_forged_registration_makes_no_account_and_plants_no_answers(tmp_path: Path) -> None:
    async with open_attack(tmp_path) as attacker:
        await attacker.forge_sms(MSISDN, "REG Asha Devi", *PLANT, "0000", *PLANT)
        assert attacker.fetch("SELECT count(*) FROM accounts") == [(0,)]
        assert count_planted(attacker) == 0


async def test_h1_answers_are_not_planted_while_the_owner_finishes_the_registration(tmp_path: Path) -> None:
    async with open_attack(tmp_path) as attacker:
        phone = Phone(attacker.http, attacker.url)
        await phone.dial()
        await phone.enter("1")
        await attacker.forge_sms(MSISDN, "REG Asha Devi", *PLANT)
        pin = re.match(r"\d{4}", await phone.wait_for_sms("is your Ekdial PIN"))
        assert pin
        await phone.redial()
        assert (await phone.enter("5", pin[0])).startswith("You have no security questions yet.")
        await attacker.forge_sms(MSISDN, *PLANT, FORGED_PIN)
        await attacker.forge_sms(MSISDN, "MENU", "5", "6", *PLANT, FORGED_PIN)
        assert count_planted(attacker) == 0
        await attacker.forge_sms(MSISDN, "PIN", "planted", "planted too", FORGED_PIN, FORGED_PIN)
        await phone.redial()
        assert (await phone.enter("5", pin[0])).startswith("You have no security questions yet.")


async def test_h1_the_owner_registers_by_phone_whatever_was_forged_before(tmp_path: Path) -> None:
    async with open_attack(tmp_path) as attacker:
        await attacker.forge_sms(MSISDN, "REG Asha Devi", *PLANT)
        phone = Phone(attacker.http, attacker.url)
        await phone.dial()
        assert (await phone.enter("1", "5")).startswith("Type the PIN that we sent you by SMS")
        await phone.enter("1", "Amina Begum", PIN, PIN, "1", "Mirpur School", "2", "Ayesha", "1")
        assert attacker.fetch("SELECT count(*) FROM pending_registrations") == [(0,)]
        await phone.redial()
        assert "My applications" in await phone.enter("5", PIN)


async def test_h1_the_owner_replaces_planted_answers_from_the_account_menu(tmp_path: Path) -> None:
    async with open_attack(tmp_path) as attacker:
        phone = Phone(attacker.http, attacker.url)
        await register(phone)
        before = attacker.fetch("SELECT answer_hash FROM security_answers")
        await attacker.forge_sms(MSISDN, "MENU", "5", "6", *PLANT, FORGED_PIN, PIN[::-1])
        assert attacker.fetch("SELECT answer_hash FROM security_answers") == before
        await phone.enter("6", "2", "Karim", "1", "Dhaka", PIN)
        await phone.wait_for_sms("security questions were set for your account")
        assert attacker.fetch("SELECT question FROM security_answers ORDER BY place") == [
            ("first_teacher",),
            ("birthplace",),
        ]
