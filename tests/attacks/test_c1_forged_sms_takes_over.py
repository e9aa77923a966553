"""C1: whoever forges the sender of an SMS, or picks up the phone, acts as the citizen who is signed in."""

import os
import random
import tomllib
from pathlib import Path

import pytest

from menus.keywords import KEYWORDS
from sms import loop_guard
from tests.support.citizen_steps import PIN, apply_for_birth_certificate, register
from tests.support.forged_sms import Attacker, open_attack
from tests.support.phone import MSISDN, ROOT, Phone
from tests.support.sms_phone import open_sms_phone

FORGED_PIN = "8265"
FORGED_MESSAGES = int(os.environ.get("EKDIAL_TEST_FORGED_SMS", "250"))
LIMITS = ("PER_NUMBER_PER_HOUR", "PER_NUMBER_PER_DAY", "PER_PREFIX_PER_HOUR")
UNLIMITED = {f"UNVERIFIED_SMS__{name}": "100000" for name in LIMITS}


def read_account(attacker: Attacker) -> list[object]:
    return attacker.fetch("SELECT pin_hash, msisdn, closed_at, epoch FROM accounts")


async def test_c1_a_dropped_call_is_not_taken_over_by_a_forged_sms(tmp_path: Path) -> None:
    async with open_attack(tmp_path) as attacker:
        phone = Phone(attacker.http, attacker.url)
        await register(phone)
        await phone.redial()
        assert "My applications" in await phone.enter("5", PIN)  # and the call drops
        before = read_account(attacker)
        await attacker.forge_sms(MSISDN, "MENU", "1", "1", "2", FORGED_PIN, FORGED_PIN)
        await attacker.forge_sms(MSISDN, "HELLO", "1", "2", FORGED_PIN, FORGED_PIN, FORGED_PIN)
        assert read_account(attacker) == before
        await phone.redial()
        assert "My applications" in await phone.enter("5", PIN)


async def test_c1_who_picks_up_the_phone_within_ten_minutes_types_the_pin_first(tmp_path: Path) -> None:
    async with open_attack(tmp_path) as attacker:
        phone = Phone(attacker.http, attacker.url)
        await register(phone)
        await phone.redial()
        asked = await phone.enter("5", PIN, "00", "1", "101", "1")
        await phone.dial()
        assert await phone.enter("1") == "Type your PIN\n1 I forgot it\n0 Back"
        assert await phone.enter(PIN) == asked, "the owner goes on where they were"


@pytest.mark.parametrize(
    "texts",
    [
        ("2", FORGED_PIN, FORGED_PIN, FORGED_PIN),
        ("4", "attacker@evil.example", "1", FORGED_PIN),
        ("5", "3", "1", "1", FORGED_PIN),
        ("5", "3", "2", "1", FORGED_PIN),
    ],
    ids=["new PIN", "e-mail", "own data", "deletion"],
)
async def test_c1_a_conversation_that_its_owner_signed_in_to_gives_a_forger_nothing(
    tmp_path: Path, texts: tuple[str, ...]
) -> None:
    async with open_attack(
        tmp_path, MAIL__HOST="127.0.0.1", MAIL__SECURITY="none", MAIL__SENDER="a@example.org"
    ) as attacker:
        phone = Phone(attacker.http, attacker.url)
        await register(phone)
        async with open_sms_phone(attacker.url) as owner:
            await phone.redial()  # so that no call is offered by SMS
            await owner.send_sms("MENU")
            await owner.send_sms("5")
            assert "My applications" in await owner.send_sms(PIN)
            before = read_account(attacker)
            await attacker.forge_sms(MSISDN, *texts)
            assert read_account(attacker) == before
            assert attacker.fetch("SELECT 1 FROM emails") == []
            assert attacker.fetch("SELECT 1 FROM links") == []


OWNED_TABLES = {
    "accounts": "id, msisdn, name, language, pin_hash, created_at, closed_at, frozen_at",
    "security_answers": "*",
    "emails": "*",
    "applications": "id, status, msisdn",
    "application_events": "*",
    "payments": "*",
    "bills": "id",
    "profile_facts": "*",
    "profile_papers": "*",
    "drafts": "*",
    "consents": "*",
    "documents": "*",
    "complaint_events": "complaint, status",
}
"""The columns that hold what a citizen has, gives and may do."""


def read_belongings(attacker: Attacker, complaint: int) -> dict[str, list[object]]:
    """Everything that the citizen has. Of complaints only those up to the id `complaint`: anyone may begin new ones."""
    found = {
        table: sorted(map(repr, attacker.fetch(f"SELECT {columns} FROM {table}")))  # noqa: S608
        for table, columns in OWNED_TABLES.items()
        if table != "complaint_events"
    }
    query = "SELECT complaint, status FROM complaint_events WHERE complaint <= ? ORDER BY id"
    return {**found, "complaint_events": attacker.fetch(query, complaint)}


def list_texts(own_number: str, chance: random.Random) -> list[str]:
    """What a forger may write: every keyword in every language, with arguments, and every kind of reply."""
    files = sorted((ROOT / "sms/keywords/words").glob("*.toml"))
    vocabularies = [tomllib.loads(file.read_text(encoding="utf-8")) for file in files]
    words = [
        word
        for keyword in KEYWORDS
        for vocabulary in vocabularies
        for spellings in vocabulary[keyword.name].values()
        for word in spellings
    ]
    arguments = ["", own_number, "123456789012", "Evil Stores", "birth", "EN", "attacker@evil.example"]
    keywords = [f"{word} {chance.choice(arguments)}".strip() for word in words for _ in range(2)]
    replies = [*map(str, range(10)), "00", "98", FORGED_PIN, "1111", "123456", "654321", "Evil", "21112025", own_number]
    return keywords + replies * (len(keywords) // len(replies) + 1)


async def test_c1_many_forged_sms_take_nothing_from_a_citizen_who_is_signed_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With every limit lifted that would stop the walk: only the proofs stand between the forger and the citizen."""
    monkeypatch.setattr(loop_guard, "MAX_ANSWERS", FORGED_MESSAGES)
    monkeypatch.setattr(loop_guard, "MAX_SAME_TEXT", FORGED_MESSAGES)
    chance = random.Random(20261130)
    async with open_attack(tmp_path, **UNLIMITED) as attacker:
        phone = Phone(attacker.http, attacker.url)
        await register(phone)
        number = await apply_for_birth_certificate(phone)
        await phone.redial()
        await attacker.forge_sms(MSISDN, "MENU", "5", PIN)  # as their owner writes them
        await phone.wait_for_sms("My applications")
        await phone.redial()
        await phone.enter("5", PIN)
        before = read_belongings(attacker, 0)
        texts = list_texts(number, chance)
        for _ in range(FORGED_MESSAGES):
            await attacker.forge_sms(MSISDN, chance.choice(texts))
        assert read_belongings(attacker, 0) == before
        assert attacker.fetch("SELECT 1 FROM messages WHERE recipient != ? AND medium = 'sms'", MSISDN) == []
        assert "Birth certificate" in await phone.enter("1"), "the owner's call goes on"
        await phone.redial()
        assert "My applications" in await phone.enter("5", PIN), "the owner is not locked out"
        outcomes = attacker.fetch("SELECT handled_as, count(*) FROM inbound_sms GROUP BY 1 ORDER BY 2 DESC")
    with capsys.disabled():
        print(f"\n{FORGED_MESSAGES} forged SMS, nothing committed, revealed, spent or locked: {dict(outcomes)}")  # noqa: T201
