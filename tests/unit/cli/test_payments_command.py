"""`server.py payments`: report, refunds, and outcomes that a person found out."""

import io
import sqlite3
from contextlib import closing, redirect_stdout
from datetime import UTC, datetime

import pytest

from app.resources import ensure_tables
from cli.payments import run_payments
from core.errors import CommandError
from tests.support.phone import build_settings

NOW = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.000000")
ROW = """
INSERT INTO payments (key, purpose, reference, subject, payer, amount_minor, currency, paid_minor, language, channel,
    status, wallet, receipt, idempotency_key, created_at, updated_at)
VALUES (?, 'fee', ?, 'birth_certificate', '+8801700000001', 5000, 'BDT', ?, 'en', 'ussd', ?, 'daraja', 'R1', ?, ?, ?)
"""


@pytest.fixture
async def settings(tmp_path):
    settings = build_settings(tmp_path)
    await ensure_tables(settings)
    states = (("paid", 5000), ("amount_mismatch", 500), ("failed", None), ("duplicate_payment", 5000))
    with closing(sqlite3.connect(tmp_path / "ekdial.db")) as database, database:
        for place, (status, paid) in enumerate(states):
            row = (f"k{place}", f"{place:012}", paid, status, f"s:{place}", NOW, NOW)
            database.execute(ROW, row)
    return settings


@pytest.fixture
def payments_command(settings):
    """Run the command in this process and return its output."""
    import argparse

    from cli.payments import add_arguments

    parser = argparse.ArgumentParser()
    add_arguments(parser)

    def run(*arguments):
        with redirect_stdout(io.StringIO()) as said:
            run_payments(settings, parser.parse_args(arguments))
        return said.getvalue()

    return run


def read(tmp_path, statement):
    with closing(sqlite3.connect(tmp_path / "ekdial.db")) as database:
        return database.execute(statement).fetchall()


@pytest.fixture
def in_a_thread(payments_command):
    """The command has an event loop of its own."""
    import asyncio

    async def run(*arguments):
        return await asyncio.to_thread(payments_command, *arguments)

    return run


async def test_the_report_counts_payments_by_status_and_lists_open_cases(in_a_thread):
    lines = (await in_a_thread("report")).splitlines()
    assert lines[:4] == [
        "fee  amount_mismatch        1  asked BDT 50.00  paid BDT 5.00",
        "fee  duplicate_payment      1  asked BDT 50.00  paid BDT 50.00",
        "fee  failed                 1  asked BDT 50.00  paid BDT 0.00",
        "fee  paid                   1  asked BDT 50.00  paid BDT 50.00",
    ]
    assert [line.split()[:5] for line in lines[4:]] == [
        ["!", "payment", "2", "BDT", "5.00"],
        ["!", "payment", "4", "BDT", "50.00"],
    ]
    assert await in_a_thread("report", "--since", "2999-01-01") != "\n".join(lines)


async def test_a_refund_is_recorded_with_actor_and_reason_for_the_worker(in_a_thread, tmp_path):
    said = await in_a_thread("refund", "1", "--amount", "2000", "--why", "Paid for the wrong service", "--by", "rahim")
    assert said.startswith("Refund 1 is recorded")
    kept = read(tmp_path, "SELECT payment, amount_minor, actor, explanation, status FROM payment_refunds")
    assert kept == [(1, 2000, "rahim", "Paid for the wrong service", "requested")]
    assert read(tmp_path, "SELECT actor_kind, actor, act, subject FROM audit") == [("staff", "rahim", "refund", "1")]
    with pytest.raises(CommandError, match="That is more than is left of payment 1"):
        await in_a_thread("refund", "1", "--amount", "3001", "--why", "x")
    with pytest.raises(CommandError, match="Payment 3 has no money"):
        await in_a_thread("refund", "3", "--why", "x")
    with pytest.raises(CommandError, match="There is no payment 99"):
        await in_a_thread("refund", "99", "--why", "x")
    with pytest.raises(CommandError, match="There is no refund 1 that needs a person"):
        await in_a_thread("returned", "1")


async def test_a_settled_payment_is_recorded_once_and_the_payer_notified(in_a_thread, tmp_path):
    await in_a_thread("settle", "2", "paid", "--receipt", "R9", "--by", "rahim")
    assert read(tmp_path, "SELECT status, receipt FROM payments WHERE id = 2") == [("paid", "R9")]
    assert read(tmp_path, "SELECT kind, status FROM messages") == [("payment", "queued")]
    with pytest.raises(CommandError, match="There is no payment 2 with an unknown outcome"):
        await in_a_thread("settle", "2", "failed")


@pytest.mark.parametrize(
    "said",
    [
        ("refund", "0", "--why", "x"),
        ("refund", "9" * 19, "--why", "x"),
        ("refund", "1", "--amount", "-1", "--why", "x"),
        ("refund", "1", "--why", "x" * 161),
        ("settle", "2", "perhaps"),
        ("report", "--since", "9999-12-31"),
    ],
)
def test_invalid_arguments_are_reported(payments_command, capsys, said):
    with pytest.raises(SystemExit) as ended:
        payments_command(*said)
    assert ended.value.code == 2
    assert ": error: " in capsys.readouterr().err
