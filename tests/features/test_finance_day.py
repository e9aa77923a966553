"""A day of finance: payments come in, some are given back, some are in doubt, and the wallet's statement is laid beside.

Findings 7.1 to 7.4 of the field report.
"""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from aiohttp import ClientSession
from sqlalchemy import select

from core.errors import CommandError
from db.tables import applications, audit
from services.payments.wallets.base import PaymentReport, ResultUnknown
from tests.support.citizen_steps import (
    answer_wallet,
    apply_for_birth_certificate,
    pay_key,
    register,
    track_application,
)
from tests.support.commands import payments_command
from tests.support.payments import PaymentServiceSet, fee_request, paid_report
from tests.support.phone import Phone, build_settings, run_gateway
from tests.support.sample_rows import insert_row
from tests.support.services import ManualClock

SECRET = "a secret of the tests, 32 octets+"
WHY = ("--why", "ticket 4711", "--by", "nadia")
NAIROBI = ZoneInfo("Africa/Nairobi")
NOON = datetime.now(NAIROBI).replace(hour=12, minute=0, second=0, microsecond=0)  # the commands have the real clock
DAY = f"{NOON:%Y-%m-%d}"
PERIOD = ("--since", f"{NOON - timedelta(days=1):%Y-%m-%d}", "--until", f"{NOON + timedelta(days=1):%Y-%m-%d}")
HEADER = (
    "Receipt No.,Completion Time,Initiation Time,Details,Transaction Status,Paid In,Withdrawn,Balance,Balance Confirmed,"
    "Reason Type,Other Party Info,Linked Transaction ID,A/C No.\n"
)
COUNT = 100
UNKNOWN = (40, 41, 42)
REFUNDS = {3: 5000, 4: 5000, 5: None, 6: None, 7: 1000}  # place of the payment to the amount; None: all of it


def tracking_number(place):
    return f"{place:012}"


def receipt(place):
    return f"QK{place:08}"


def statement_line(code, amount, *, withdrawn="", linked="", place=None, reason="Pay Bill Online", status="Completed"):
    account = tracking_number(place) if place is not None else ""
    return f"{code},{DAY} 12:00:00,{DAY} 12:00:00,x,{status},{amount},{withdrawn},1,true,{reason},2547 - R B,{linked},{account}\n"


@pytest.fixture
def settings(tmp_path, database_url):
    return build_settings(
        tmp_path,
        DATABASE__URL=database_url,
        KEYS__SECRET=SECRET,
        PAYMENTS__WALLET="sandbox",
        COUNTRIES__TIME_ZONE="Africa/Nairobi",
    )


@pytest.fixture
def run(settings):
    async def run_command(*arguments):
        return await payments_command(settings, *arguments)

    return run_command


@pytest.fixture
async def day(database):
    """A hundred fees of 200 shillings asked for, 97 of them paid, and three of which the wallet said nothing."""
    clock = ManualClock(NOON.astimezone(UTC))
    services = PaymentServiceSet(database, clock)
    for place in range(COUNT):
        await insert_row(
            database,
            applications,
            clock(),
            tracking_number=tracking_number(place),
            language="en",
            department=f"department_{place % 2}",
        )
        if place in UNKNOWN:
            services.wallet.push_results.append(ResultUnknown("Timeout"))
        request = fee_request(
            tracking_number(place), f"+2547000{place:05}", department=f"department_{place % 2}", channel="sms"
        )
        assert await services.payments.request_payment(request, f"s:{place}") == "requested"
        await services.run_due_jobs()
    for place, row in enumerate(await services.fetch_rows()):
        if place not in UNKNOWN:
            await services.payments.record_report(row.key, paid_report(receipt(place), request=row.request))
    return services


async def give_back(services, run):
    """The five refunds of the day, of which finance makes four in the wallet's portal."""
    for place, amount in REFUNDS.items():
        units = () if amount is None else ("--amount", f"{amount // 100}")
        await run("refund", tracking_number(place), *units, "--category", "mistake", "--yes", *WHY)
    services.wallet.reports.extend([PaymentReport("unknown")] * 20)
    services.clock.now = datetime.now(UTC) + timedelta(minutes=1)  # the commands asked for them at the real time
    await services.run_due_jobs()
    assert set(await services.refund_statuses()) == {"by_hand"}
    for refund in (1, 2, 3, 4):
        await run("returned", str(refund), "--receipt", f"RF{refund}", *WHY)


def write_statement(folder):
    """What M-Pesa says of the day: as our books, but for four differences; and a fee of the wallet itself."""
    lines = [
        statement_line(receipt(place), "200.00", place=place)
        for place in range(COUNT)
        if place not in {*UNKNOWN, 10, 11}
    ]
    amounts = {1: "50.00", 2: "50.00", 3: "200.00", 4: "200.00"}
    paid = [receipt(place) for place in REFUNDS]
    reversals = [
        statement_line(f"RF{refund}", "", withdrawn=f"-{amount}", linked=paid[refund - 1], reason="Pay Bill Reversal")
        for refund, amount in amounts.items()
    ]
    differences = [
        statement_line(receipt(11), "150.00", place=11),  # another amount than ours
        statement_line("QKUNKNOWN1", "200.00", place=40),  # the wallet has the money of a payment in doubt
        statement_line("QKSTRANGE1", "75.00"),  # of nobody; and payment 10 is not in the statement
    ]
    others = [
        statement_line("QKCHARGE01", "", withdrawn="30.00", reason="Business Pay Bill Charge"),
        statement_line("QKFAILED01", "200.00", place=41, status="Failed"),
    ]
    path = folder / "statement.csv"
    path.write_text(HEADER + "".join([*lines, *reversals, *differences, *others]), encoding="utf-8")
    return path


async def test_the_day_is_listed_reported_reconciled_and_settled(day, run, tmp_path):
    await give_back(day, run)
    listed = json.loads((await run("list", "--limit", "60", "--json")).output)
    older = json.loads((await run("list", "--limit", "60", "--before", str(listed["before"]), "--json")).output)
    every = [*listed["payments"], *older["payments"]]
    assert older["before"] is None
    assert [one["id"] for one in every] == list(range(COUNT, 0, -1)), "newest first, each once"
    assert {len(one["payer"]) for one in every} == {6}, "masked"
    doubtful = list(csv.DictReader(io.StringIO((await run("list", "--state", "unknown", "--csv")).output)))
    assert [one["tracking_number"] for one in doubtful] == [tracking_number(place) for place in reversed(UNKNOWN)]

    report = json.loads((await run("report", "--since", DAY, "--until", DAY, "--json")).output)
    sums = {one["status"]: (one["count"], one["requested"], one["paid"], one["refunded"], one["net"]) for one in report}
    assert sums == {
        "paid": (95, "19000.00", "19000.00", "100.00", "18900.00"),
        "refunded": (2, "400.00", "400.00", "400.00", "0.00"),
        "unknown": (3, "600.00", "0.00", "0.00", "0.00"),
    }
    for split in ("department", "service", "day"):
        rows = json.loads((await run("report", "--since", DAY, "--until", DAY, "--by", split, "--json")).output)
        assert sum(float(one["net"]) for one in rows) == 18900.0, split

    statement = write_statement(tmp_path)
    result = await run("reconcile", str(statement), "--wallet", "told", *PERIOD, "--by", "nadia", "--json")
    compared = json.loads(result.output)
    assert result.status == 1
    assert compared["matched"] == 95 + 4
    assert {
        (one["difference"], one["receipt"], one["payment"], one["statement"], one["books"])
        for one in compared["differences"]
    } == {
        ("amount", receipt(11), 12, "150.00", "200.00"),
        ("state", "QKUNKNOWN1", 41, "200.00", "200.00"),
        ("missing_in_books", "QKSTRANGE1", "", "75.00", ""),
        ("missing_in_statement", receipt(10), 11, "", "200.00"),
    }
    assert compared["not_completed"] == 1
    assert [(one["kind"], one["count"]) for one in compared["others"]] == [("Business Pay Bill Charge", 1)]
    assert {(one["direction"], one["statement"], one["books"]) for one in compared["sums"]} == {
        ("in", "19425.00", "19400.00"),
        ("out", "500.00", "500.00"),
    }

    (command,) = [one["command"] for one in compared["differences"] if one["command"]]
    assert command == (
        "python server.py payments settle '#41' paid --receipt QKUNKNOWN1 --why \"paid by the statement\""
    )
    settled = await run("settle", "#41", "paid", "--receipt", "QKUNKNOWN1", "--why", "paid by the statement")
    assert "Payment 41 is recorded as paid" in settled.output
    await run("settle", tracking_number(41), "failed", *WHY)
    again = await run("reconcile", str(statement), "--wallet", "told", *PERIOD, "--by", "nadia")
    assert again.status == 1
    assert f"{95 + 4 + 1} match\n3 differ\n" in again.output

    rows = (await day.database.fetch(select(audit).where(audit.c.act == "reconciled"))).all()
    assert [(row.actor, row.subject_kind, row.details["differences"]) for row in rows] == [
        ("nadia", "statement", "4"),
        ("nadia", "statement", "3"),
    ]


async def test_a_statement_that_is_as_our_books_ends_with_0_and_a_wrong_line_compares_nothing(day, run, tmp_path):
    lines = [statement_line(receipt(place), "200.00", place=place) for place in range(COUNT) if place not in UNKNOWN]
    path = tmp_path / "statement.csv"
    path.write_text(HEADER + "".join(lines), encoding="utf-8")
    result = await run("reconcile", str(path), "--wallet", "told", *PERIOD)
    assert (result.status, result.output.splitlines()[1:3]) == (0, ["97 match", "0 differ"])
    assert "in  statement KES 19400.00  books KES 19400.00  difference KES 0.00" in result.output
    path.write_text(HEADER + "".join([*lines, lines[0]]), encoding="utf-8")
    twice = json.loads((await run("reconcile", str(path), "--wallet", "told", *PERIOD, "--json")).output)
    assert [(one["difference"], one["receipt"], one["payment"]) for one in twice["differences"]] == [
        ("twice", receipt(0), 1)
    ]
    path.write_text(HEADER + lines[0] + lines[1].replace(DAY, "never"), encoding="utf-8")
    with pytest.raises(CommandError, match=rf"{path}:3: 'never 12:00:00' is not a time"):
        await run("reconcile", str(path), "--wallet", "told", *PERIOD)
    acts = (await day.database.fetch(select(audit).where(audit.c.act == "reconciled"))).all()
    assert len(acts) == 2, "what could not be read is not recorded as compared"


async def test_a_refund_by_hand_that_the_statement_has_prints_its_command(day, run, tmp_path):
    await give_back(day, run)
    lines = [statement_line(receipt(place), "200.00", place=place) for place in range(COUNT) if place not in UNKNOWN]
    paid = list(REFUNDS)
    back = [
        statement_line("RF1", "", withdrawn="50", linked=receipt(paid[0])),
        statement_line("RF2", "", withdrawn="40", linked=receipt(paid[1])),
        statement_line("RF4", "", withdrawn="200", linked=receipt(paid[3])),
        statement_line("RF5", "", withdrawn="10", linked=receipt(paid[4])),
        statement_line("RF9", "", withdrawn="200", linked=receipt(20)),
    ]
    path = tmp_path / "statement.csv"
    path.write_text(HEADER + "".join([*lines, *back]), encoding="utf-8")
    result = await run("reconcile", str(path), "--wallet", "told", *PERIOD, "--json")
    found = {
        (one["difference"], one["receipt"], one["refund"]): one["command"]
        for one in json.loads(result.output)["differences"]
    }
    assert found == {
        ("amount", "RF2", 2): "",
        ("missing_in_statement", "RF3", 3): "",
        ("state", "RF5", 5): 'python server.py payments returned 5 --receipt RF5 --why "paid by the statement"',
        ("missing_in_books", "RF9", ""): "",
    }


async def test_a_citizen_is_found_by_phone_given_back_in_units_and_told_why(tmp_path):
    """From the phone to the verbs and back: 7.1, 7.3, 7.4, and an SMS that says the reason."""
    settings = build_settings(tmp_path, PAYMENTS__PUSH_DELAY="0")
    async with run_gateway(settings) as url, ClientSession() as http:
        phone = Phone(http, url)
        await register(phone)
        number = await apply_for_birth_certificate(phone)
        await phone.enter(pay_key(await track_application(phone, number)))
        await phone.enter("1")
        assert await answer_wallet(phone, "4826") == "paid"
        paid_sms = await phone.wait_for_sms("Receipt SB")
        wallet_receipt = paid_sms.partition("Receipt ")[2]
        shown = (await payments_command(settings, "show", wallet_receipt)).output
        assert shown.startswith(f"payment: 1\nfor: fee birth_certificate {number[:4]} {number[4:8]} {number[8:]}\n")
        assert phone.msisdn not in shown
        listed = (await payments_command(settings, "list", "--phone", phone.msisdn)).output
        assert wallet_receipt in listed
        with pytest.raises(CommandError, match="no terminal to ask on"):
            await payments_command(settings, "refund", number, "--amount", "10", *WHY)
        said = await payments_command(
            settings, "refund", number, "--amount", "10", "--category", "wrong_amount", "--yes", *WHY
        )
        assert "Give back BDT 10.00 to XX0001; BDT 40.00 stays" in said.output
        assert await phone.wait_for_sms("given back") == (
            "Ekdial: Tk 10 for Birth certificate was given back to you.\nThe amount was wrong."
        )
        (total,) = json.loads((await payments_command(settings, "report", "--json")).output)
        assert (total["paid"], total["refunded"], total["net"]) == ("50.00", "10.00", "40.00")
        history = json.loads((await payments_command(settings, "show", number, "--json")).output)
        happened = [one["event"] for one in history["events"]]
        assert [happened[0], happened[-1]] == ["requested", "refund_returned"]
        assert {"asked", "report", "ended", "refund_requested"} <= set(happened)
        (requested,) = [one for one in history["events"] if one["event"] == "refund_requested"]
        assert (requested["by"], requested["why"], requested["amount"]) == ("nadia", "ticket 4711", "10.00")
