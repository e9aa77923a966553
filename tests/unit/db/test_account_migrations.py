"""Accounts from before the session epochs keep their PINs and their lock-outs, and say when they were last used."""

import pytest
from sqlalchemy import text

from db.database import Database
from db.migrate import upgrade
from db.tables import accounts
from services.citizens.session_epoch import SessionEpoch, find_epoch_end

ACCOUNT = (
    "INSERT INTO accounts (id, msisdn, name, language, pin_hash, pin_failures, answer_failures, created_at)"
    " VALUES ({id}, '+88017110000{id}', '', 'bn', 'a hash', 3, 0, '2025-01-01 00:00:00{zone}')"
)
SIGN_IN = (
    "INSERT INTO account_events (account, kind, outcome, tries_left, idempotency_key, created_at)"
    " VALUES (21, 'pin', '{outcome}', 0, '{key}', '{at}{zone}')"
)


@pytest.fixture
def database_url(empty_database_url):
    """Migration tests start with an empty database."""
    return empty_database_url


async def test_an_account_from_before_the_epochs_is_kept(database_url):
    await upgrade(database_url, "0001")
    zone = "" if database_url.startswith("sqlite") else "+00"
    rows = [
        *(ACCOUNT.format(id=account, zone=zone) for account in (21, 22)),
        SIGN_IN.format(outcome="in", key="s1:4", at="2026-03-01 10:00:00", zone=zone),
        SIGN_IN.format(outcome="wrong", key="s1:9", at="2026-05-01 10:00:00", zone=zone),
    ]
    async with Database(database_url) as database:
        async with database.transaction() as transaction:
            for row in rows:
                await transaction.execute(text(row))
        await upgrade(database_url)
        used, unused = (await database.fetch(accounts.select().order_by(accounts.c.id))).all()
    assert [row.last_used_at.date().isoformat() for row in (used, unused)] == ["2026-03-01", "2025-01-01"]
    assert (used.pin_hash, used.pin_failures, used.unvouched_pin_failures, used.frozen_at) == ("a hash", 3, 0, None)
    assert find_epoch_end(used, SessionEpoch(0, 0).pack(), "s1", used.lockouts) == ""
