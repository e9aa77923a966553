"""`server.py payments`: the books in lines, refunds, and what only a person finds out."""

import io
import sqlite3
from contextlib import closing, redirect_stdout
from datetime import UTC, datetime

import pytest

from assembly.ground import tables_ready
from commands.payments import payments
from faults import CannotRun
from tests.phone import settings_for

NOW = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.000000")
ROW = """
INSERT INTO payments (key, purpose, reference, subject, payer, amount_minor, currency, paid_minor, language, channel,
    status, wallet, receipt, effect, created_at, updated_at)
VALUES (?, 'fee', ?, 'birth_certificate', '+8801700000001', 5000, 'BDT', ?, 'en', 'ussd', ?, 'daraja', 'R1', ?, ?, ?)
"""


@pytest.fixture
async def settings(tmp_path):
    settings = settings_for(tmp_path)
    await tables_ready(settings)
    states = (("paid", 5000), ("differs", 500), ("failed", None), ("surplus", 5000))
    with closing(sqlite3.connect(tmp_path / "ekdial.db")) as database, database:
        for place, (status, paid) in enumerate(states):
            row = (f"k{place}", f"{place:012}", paid, status, f"s:{place}", NOW, NOW)
            database.execute(ROW, row)
    return settings


@pytest.fixture
def program(settings):
    """One run of the verb, in this process; what it printed."""
    import argparse

    from commands.payments import options

    parser = argparse.ArgumentParser()
    options(parser)

    def run(*arguments):
        with redirect_stdout(io.StringIO()) as said:
            payments(settings, parser.parse_args(arguments))
        return said.getvalue()

    return run


def read(tmp_path, statement):
    with closing(sqlite3.connect(tmp_path / "ekdial.db")) as database:
        return database.execute(statement).fetchall()


@pytest.fixture
def in_a_thread(program):
    """The verb has a loop of its own."""
    import asyncio

    async def run(*arguments):
        return await asyncio.to_thread(program, *arguments)

    return run


async def test_the_report_counts_what_came_of_payments_and_lists_what_waits_for_a_person(in_a_thread):
    lines = (await in_a_thread("report")).splitlines()
    assert lines[:4] == [
        "fee  differs        1  asked BDT 50.00  paid BDT 5.00",
        "fee  failed         1  asked BDT 50.00  paid BDT 0.00",
        "fee  paid           1  asked BDT 50.00  paid BDT 50.00",
        "fee  surplus        1  asked BDT 50.00  paid BDT 50.00",
    ]
    assert [line.split()[:5] for line in lines[4:]] == [
        ["!", "payment", "2", "BDT", "5.00"],
        ["!", "payment", "4", "BDT", "50.00"],
    ]
    assert await in_a_thread("report", "--since", "2999-01-01") != "\n".join(lines)


async def test_a_refund_is_noted_with_who_and_why_and_waits_for_the_till(in_a_thread, tmp_path):
    said = await in_a_thread("refund", "1", "--amount", "2000", "--why", "Paid for the wrong service", "--by", "rahim")
    assert said.startswith("Refund 1 is noted")
    kept = read(tmp_path, "SELECT payment, amount_minor, actor, why, status FROM payment_refunds")
    assert kept == [(1, 2000, "rahim", "Paid for the wrong service", "asked")]
    assert read(tmp_path, "SELECT actor_kind, actor, act, subject FROM audit") == [("staff", "rahim", "refund", "1")]
    with pytest.raises(CannotRun, match="That is more than is left of payment 1"):
        await in_a_thread("refund", "1", "--amount", "3001", "--why", "x")
    with pytest.raises(CannotRun, match="Payment 3 holds no money"):
        await in_a_thread("refund", "3", "--why", "x")
    with pytest.raises(CannotRun, match="There is no payment 99"):
        await in_a_thread("refund", "99", "--why", "x")
    with pytest.raises(CannotRun, match="There is no refund 1 that waits for a person"):
        await in_a_thread("returned", "1")


async def test_what_a_person_found_out_is_settled_once_and_told_to_the_payer(in_a_thread, tmp_path):
    await in_a_thread("settle", "2", "paid", "--receipt", "R9", "--by", "rahim")
    assert read(tmp_path, "SELECT status, receipt FROM payments WHERE id = 2") == [("paid", "R9")]
    assert read(tmp_path, "SELECT kind, status FROM messages") == [("payment", "queued")]
    with pytest.raises(CannotRun, match="There is no payment 2 of which it is not known"):
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
def test_what_is_not_understood_is_named(program, capsys, said):
    with pytest.raises(SystemExit) as ended:
        program(*said)
    assert ended.value.code == 2
    assert ": error: " in capsys.readouterr().err
