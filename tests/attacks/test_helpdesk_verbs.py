"""The helpdesk's verbs give nothing away: to the terminal, to the audit log, to a forger, or to the next holder of a number."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from aiohttp import ClientSession

from core.errors import CommandError
from tests.support.citizen_steps import PIN, apply_for_birth_certificate, register
from tests.support.commands import citizen_command
from tests.support.phone import MSISDN, Phone, build_settings, run_gateway

WHY = ("--why", "ticket 4711", "--by", "nadia")
LOOKS = ("show", "messages")


def dump_audit(tmp_path: Path) -> str:
    with closing(sqlite3.connect(tmp_path / "ekdial.db")) as database:
        return repr(database.execute("SELECT * FROM audit").fetchall())


async def test_nothing_that_a_verb_prints_or_records_names_a_person(tmp_path: Path) -> None:
    settings = build_settings(tmp_path)
    async with run_gateway(settings) as url, ClientSession() as http:
        phone = Phone(http, url)
        await register(phone)
        number = await apply_for_birth_certificate(phone)
        receipt = await phone.wait_for_sms("Tracking")
        printed = ""
        for command in (
            ("show", MSISDN),
            ("show", MSISDN, "--json"),
            ("show", number),
            ("messages", MSISDN),
            ("reset-pin", MSISDN),
            ("resend", "1"),
            ("sign-out", MSISDN),
            ("freeze", MSISDN),
            ("unfreeze", MSISDN),
            ("reset-questions", MSISDN),
        ):
            printed += await citizen_command(settings, *command, *(() if command[0] in LOOKS else WHY))
        pin = re.match(r"\d{4}", await phone.wait_for_sms("is your new Ekdial PIN"))
        assert pin
        await citizen_command(settings, "reveal", MSISDN, *WHY)
    personal = (MSISDN, MSISDN[1:], "Amina", "Begum", "Rahim Uddin", "Mirpur School", receipt)
    lines = [line for line in printed.splitlines() if "] " not in line]  # without the log of the gateway beside it
    for secret in (*personal, f"{pin[0]} is"):
        assert secret not in "\n".join(lines)
        assert secret not in dump_audit(tmp_path)
    assert "nadia" in dump_audit(tmp_path)


async def test_the_messages_of_a_former_holder_are_not_sent_to_the_next_one(tmp_path: Path) -> None:
    settings = build_settings(tmp_path)
    async with run_gateway(settings) as url, ClientSession() as http:
        phone = Phone(http, url)
        await register(phone)
        await apply_for_birth_certificate(phone)
        await phone.wait_for_sms("Tracking")
        await citizen_command(settings, "release", MSISDN, *WHY)
        with pytest.raises(CommandError, match="was taken from its holder"):
            await citizen_command(settings, "resend", "1", *WHY)
        with pytest.raises(CommandError, match="This number has no account"):
            await citizen_command(settings, "reset-pin", MSISDN, *WHY)
        shown = await citizen_command(settings, "show", MSISDN)
        assert "applications: none" in shown
        assert "messages: none" in shown


@pytest.mark.parametrize("typed", ["+88017000000012345", "017000000012", "Amina Begum", "amina@example.org"])
@pytest.mark.parametrize("verb", ["show", "messages", "reveal"])
async def test_what_cannot_be_looked_up_is_not_repeated_in_the_error(tmp_path: Path, verb: str, typed: str) -> None:
    settings = build_settings(tmp_path)
    with pytest.raises(CommandError, match="This is no number that citizen can look up") as failed:
        await citizen_command(settings, verb, typed, *(() if verb in LOOKS else WHY))
    assert typed not in str(failed.value)


async def test_a_look_at_a_number_of_nobody_is_on_the_record_without_the_number(tmp_path: Path) -> None:
    settings = build_settings(tmp_path)
    with pytest.raises(CommandError, match="nothing else is known"):
        await citizen_command(settings, "show", MSISDN, "--by", "nadia")
    assert "account_viewed" in dump_audit(tmp_path)
    assert MSISDN[1:] not in dump_audit(tmp_path)
    assert PIN not in dump_audit(tmp_path)
