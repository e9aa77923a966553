"""`server.py payments`: report, refunds, and outcomes that a person found out."""

import json
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime

import pytest

from app.resources import ensure_tables
from core.errors import CommandError
from tests.support.commands import payments_command
from tests.support.phone import build_settings

NOW = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.000000")
ROW = """
INSERT INTO payments (key, purpose, reference, subject, department, payer, amount_minor, currency, paid_minor, language,
    channel, status, wallet, receipt, idempotency_key, created_at, updated_at)
VALUES (?, 'fee', ?, 'birth_certificate', 'civil_registration', '+8801700000001', ?, ?, ?, 'en', 'ussd', ?, ?, ?, ?, ?, ?)
"""
WHY = ("--why", "wrong service, ticket 47", "--by", "rahim")
STATES = (
    ("paid", 5000, 5000, "BDT", "sandbox"),
    ("amount_mismatch", 5000, 500, "BDT", "sandbox"),
    ("failed", 5000, None, "BDT", "sandbox"),
    ("duplicate_payment", 5000, 5000, "BDT", "sandbox"),
    ("paid", 20000, 20000, "KES", "daraja"),
)


@pytest.fixture
async def settings(tmp_path):
    settings = build_settings(tmp_path)
    await ensure_tables(settings)
    with closing(sqlite3.connect(tmp_path / "ekdial.db")) as database, database:
        for place, (status, amount, paid, currency, wallet) in enumerate(STATES, 1):
            receipt = f"R{place}" if paid else None
            row = (f"k{place}", f"{place:012}", amount, currency, paid, status, wallet, receipt, f"s:{place}", NOW, NOW)
            database.execute(ROW, row)
    return settings


@pytest.fixture
def run(settings):
    """Run the command; its output."""

    async def run_command(*arguments):
        return (await payments_command(settings, *arguments)).output

    return run_command


def read(tmp_path, statement):
    with closing(sqlite3.connect(tmp_path / "ekdial.db")) as database:
        return database.execute(statement).fetchall()


def return_refund(tmp_path, amount):
    """Put a refund that the payer has back beside payment 1."""
    statement = (
        "INSERT INTO payment_refunds (payment, amount_minor, actor, explanation, status, idempotency_key, created_at, "
        "updated_at) VALUES (1, ?, 'rahim', 'x', 'returned', 'r:1', ?, ?)"
    )
    with closing(sqlite3.connect(tmp_path / "ekdial.db")) as database, database:
        database.execute(statement, (amount, NOW, NOW))


async def test_the_report_counts_payments_by_status_and_lists_open_cases(run):
    lines = [line.split() for line in (await run("report")).splitlines()]
    assert lines[:6] == [
        ["purpose", "status", "count", "currency", "requested", "paid", "refunded", "net"],
        ["fee", "amount_mismatch", "1", "BDT", "50.00", "5.00", "0.00", "5.00"],
        ["fee", "duplicate_payment", "1", "BDT", "50.00", "50.00", "0.00", "50.00"],
        ["fee", "failed", "1", "BDT", "50.00", "0.00", "0.00", "0.00"],
        ["fee", "paid", "1", "BDT", "50.00", "50.00", "0.00", "50.00"],
        ["fee", "paid", "1", "KES", "200.00", "200.00", "0.00", "200.00"],
    ]
    assert [line[:5] for line in lines[6:]] == [
        ["!", "payment", "2", "BDT", "5.00"],
        ["!", "payment", "4", "BDT", "50.00"],
    ]


async def test_7_3_a_partial_refund_is_counted_in_the_report_the_list_and_the_payment(run, tmp_path):
    return_refund(tmp_path, 1000)
    assert ["fee", "paid", "1", "BDT", "50.00", "50.00", "10.00", "40.00"] in [
        line.split() for line in (await run("report")).splitlines()
    ]
    by_department = json.loads(await run("report", "--by", "department", "--json"))
    assert {(one["department"], one["refunded"], one["net"]) for one in by_department if one["status"] == "paid"} == {
        ("civil_registration", "10.00", "40.00"),
        ("civil_registration", "0.00", "200.00"),
    }
    (listed,) = json.loads(await run("list", "--tracking", "0000 0000 0001", "--json"))["payments"]
    assert (listed["paid"], listed["refunded"]) == ("50.00", "10.00")
    shown = await run("show", "#1")
    assert "paid: BDT 50.00\nrefunded: BDT 10.00\n" in shown


@pytest.mark.parametrize("split", ["department", "biller", "service", "day"])
async def test_7_2_the_report_splits_the_sums_and_every_split_has_the_same_total(run, split):
    rows = json.loads(await run("report", "--by", split, "--json"))
    assert sum(float(row["net"]) for row in rows) == (0 if split == "biller" else 305.0)
    named = {"department": {"civil_registration"}, "service": {"birth_certificate"}, "biller": set()}
    assert {row[split] for row in rows} == named.get(split, {row[split] for row in rows})


async def test_a_period_without_payments_says_so_and_a_reversed_one_is_refused(run):
    said = await run("report", "--since", "2030-01-01")
    assert said.startswith("Nothing in this period: no payment was requested from 2030-01-01")
    assert "from 2020-01-01 to 2020-01-31" in await run("report", "--since", "2020-01-01", "--until", "2020-01-31")
    with pytest.raises(CommandError, match="--since 2026-12-02 is after --until 2026-12-01; swap the two days"):
        await run("report", "--since", "2026-12-02", "--until", "2026-12-01")
    with pytest.raises(CommandError, match="at most 366 days"):
        await run("report", "--since", "1980-01-01", "--by", "day")


async def test_7_4_a_refund_is_in_units_and_shows_amount_payer_and_rest_before_it_is_made(run, tmp_path):
    said = await run("refund", "1", "--amount", "10.50", *WHY, "--category", "mistake", "--yes")
    assert said.splitlines()[:3] == [
        "Payment 1: fee birth_certificate 0000 0000 0001, receipt R1",
        "Paid BDT 50.00, given back before BDT 0.00, left BDT 50.00",
        "Give back BDT 10.50 to XX0001; BDT 39.50 stays",
    ]
    kept = read(tmp_path, "SELECT payment, amount_minor, actor, explanation, category, status FROM payment_refunds")
    assert kept == [(1, 1050, "rahim", "wrong service, ticket 47", "mistake", "requested")]
    assert read(tmp_path, "SELECT actor_kind, actor, act, subject, details FROM audit") == [
        (
            *("staff", "rahim", "refund", "1"),
            '{"amount": "1050", "currency": "BDT", "reason": "wrong service, ticket 47", "category": "mistake"}',
        )
    ]
    again = await run("refund", "R1", *WHY, "--yes")
    assert "given back before BDT 10.50, left BDT 39.50\nGive back BDT 39.50 to XX0001; BDT 0.00 stays" in again


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("1", "--amount", "50.01"), "more than is left of payment 1, or nothing; BDT 50.00 is left"),
        (("3",), "Payment 3 has no money"),
        (("99",), "No payment has this number"),
        (("5", "--amount", "10.50"), r"steps of 1.00, and 10.50 is none; write 10.00 or 11.00"),
    ],
)
async def test_a_refund_that_cannot_be_made_is_refused_in_words(run, tmp_path, arguments, problem):
    with pytest.raises(CommandError, match=problem):
        await run("refund", *arguments, *WHY, "--yes")
    assert read(tmp_path, "SELECT count(*) FROM payment_refunds") == [(0,)]


@pytest.mark.parametrize(("typed", "count"), [("y", 1), ("", 0), ("n", 0)])
async def test_7_4_on_a_terminal_the_refund_is_made_only_after_a_yes(run, tmp_path, monkeypatch, typed, count):
    monkeypatch.setattr("builtins.input", lambda _: typed)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    if count:
        await run("refund", "1", *WHY)
    else:
        with pytest.raises(CommandError, match="Nothing is done"):
            await run("refund", "1", *WHY)
    assert read(tmp_path, "SELECT count(*) FROM payment_refunds") == [(count,)]


async def test_7_4_without_a_terminal_and_without_yes_nothing_is_given_back(run, tmp_path, monkeypatch):
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    with pytest.raises(CommandError, match="no terminal to ask on, so nothing is done; add --yes"):
        await run("refund", "1", *WHY)
    assert read(tmp_path, "SELECT count(*) FROM payment_refunds") == [(0,)]


async def test_a_settled_payment_is_recorded_once_with_its_reason_and_the_payer_notified(run, tmp_path):
    assert "recorded as paid" in await run("settle", "2", "paid", "--receipt", "R9", *WHY)
    assert read(tmp_path, "SELECT status, receipt FROM payments WHERE id = 2") == [("paid", "R9")]
    assert read(tmp_path, "SELECT kind, status FROM messages") == [("payment", "queued")]
    assert (
        '"reason": "wrong service, ticket 47"'
        in read(tmp_path, "SELECT details FROM audit WHERE act = 'settled_paid'")[0][0]
    )
    with pytest.raises(CommandError, match="Payment 2 is paid, which nobody settles"):
        await run("settle", "2", "failed", *WHY)


async def test_a_failed_payment_that_the_statement_shows_paid_is_settled_with_its_receipt_alone(run, tmp_path):
    with pytest.raises(CommandError, match="settled as paid with --receipt"):
        await run("settle", "3", "paid", *WHY)
    await run("settle", "3", "paid", "--receipt", "R33", *WHY)
    assert read(tmp_path, "SELECT status, paid_minor, receipt FROM payments WHERE id = 3") == [("paid", 5000, "R33")]


async def test_7_1_a_payment_is_found_by_everything_that_a_person_may_have(run):
    for what in ("#1", "1", "000000000001", "0000 0000 0001", "R1", "r1"):
        assert (await run("show", what)).startswith("payment: 1\nfor: fee birth_certificate 0000 0000 0001\n"), what
    listed = await run("list", "--phone", "+8801700000001", "--limit", "2")
    assert "XX0001" in listed
    assert "8801700000001" not in listed
    assert listed.endswith("There are more: the same command with --before 4\n")
    older = await run("list", "--phone", "+8801700000001", "--before", "4", "--csv")
    assert [line.split(",")[0] for line in older.splitlines()] == ["id", "3", "2", "1"]
    several = await run("show", "+8801700000001")
    assert several.endswith("Several payments have this number; name one by its id, such as #5\n")
    with pytest.raises(CommandError, match="No payment has this number"):
        await run("show", "QQQ")
    with pytest.raises(CommandError, match="There is no payment 99; --before takes the id"):
        await run("list", "--before", "99")


@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        (("--state", "paid"), [5, 1]),
        (("--state", "paid", "--department", "civil_registration"), [5, 1]),
        (("--department", "other"), []),
        (("--service", "birth_certificate", "--state", "failed"), [3]),
        (("--biller", "birth_certificate"), []),
        (("--receipt", "R4"), [4]),
        (("--wallet", "daraja"), [5]),
        (("--bill", "12345671"), []),
        (("--since", "2020-01-01", "--until", "2020-12-31"), []),
    ],
)
async def test_7_1_payments_are_listed_by_each_filter(run, arguments, ids):
    assert [one["id"] for one in json.loads(await run("list", *arguments, "--json"))["payments"]] == ids


@pytest.mark.parametrize(
    "said",
    [
        ("refund", "1"),
        ("refund", "1", "--why", ""),
        ("refund", "1", "--why", "  "),
        ("settle", "2", "paid"),
        ("settle", "2", "paid", "--why", ""),
        ("returned", "1", "--why", " "),
        ("returned", "1"),
        ("refund", "1", "--amount", "-1", "--why", "x"),
        ("refund", "1", "--amount", "10.555", "--why", "x"),
        ("refund", "1", "--amount", "1e3", "--why", "x"),
        ("refund", "1", "--amount", "10,50", "--why", "x"),
        ("refund", "1", "--why", "x" * 161),
        ("settle", "2", "perhaps", "--why", "x"),
        ("report", "--since", "9999-12-31"),
        ("list", "--phone", "0170"),
        ("list", "--state", "lost"),
    ],
)
async def test_invalid_arguments_are_reported(run, capsys, said):
    with pytest.raises(SystemExit) as ended:
        await run(*said)
    assert ended.value.code == 2
    assert ": error: " in capsys.readouterr().err
