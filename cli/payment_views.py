"""The verbs of `payments` that show: list, show, report. Payers are masked; amounts are in units."""

import argparse
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Final

from cli.arguments import find_period, period_start
from cli.tables import print_csv, print_json, print_table
from core.amounts import format_money, format_units
from core.errors import CommandError

if TYPE_CHECKING:
    from app.cli import LedgerCommands
    from services.payments.ledger import LedgerTotal
    from services.payments.payment_history import PaymentEvent, PaymentHistory
    from services.payments.payment_list import ListedPayment, PaymentFilter

COLUMNS: Final = ("id", "requested", "for", "payer", "amount", "paid", "refunded", "state", "receipt")
CSV_COLUMNS: Final = (
    *("id", "requested_at", "purpose", "subject", "department", "tracking_number", "consumer", "payer", "currency"),
    *("amount", "paid", "refunded", "pending_refund", "state", "reason", "wallet", "channel", "receipt"),
    *("biller_receipt", "ended_at"),
)
REPORT_COLUMNS: Final = ("purpose", "status", "count", "currency", "requested", "paid", "refunded", "net")
NO_PAYMENT: Final = (
    "No payment has this number; name an id, a tracking number, a receipt, the number on a bill, or a phone with a plus"
)
AMOUNTS: Final = frozenset({"id", "amount", "paid", "refunded", "count", "requested", "net"})


async def list_payments(commands: "LedgerCommands", args: argparse.Namespace) -> int:
    """Print a page of the payments that meet the filters.

    Raises:
        CommandError: The payment of --before does not exist.
    """
    page = await commands.listing.fetch_page(_build_filter(commands, args), args.limit, args.before)
    if page is None:
        raise CommandError(f"There is no payment {args.before}; --before takes the id in the last line of a page")
    values = [describe_payment(one, commands.zone) for one in page.payments]
    if args.output == "json":
        print_json({"payments": values, "before": page.before})
        return 0
    if args.output == "csv":
        print_csv(CSV_COLUMNS, values)
        return 0
    print_payments(page.payments, commands.zone)
    if page.before:
        print(f"There are more: the same command with --before {page.before}")
    return 0


async def show_payment(commands: "LedgerCommands", args: argparse.Namespace) -> int:
    """Print one payment with its history; where a number is of several things, the payments to choose from.

    Raises:
        CommandError: No payment has the number.
    """
    from services.payments.payment_history import find_best

    found = await commands.histories.find(args.what)
    if not found:
        raise CommandError(NO_PAYMENT)
    payment = find_best(found)
    if payment is None:
        print_ambiguous(found, commands.zone)
        return 1
    history = await commands.histories.fetch_history(payment)
    if args.output == "json":
        print_json(_describe_history(history, commands.zone))
        return 0
    _print_history(history, commands.zone)
    for other in found:
        if other.id != payment.id:
            print(f"Also: payments show #{other.id}  {other.status}  {format_time(other.created_at, commands.zone)}")
    return 0


async def print_report(commands: "LedgerCommands", args: argparse.Namespace) -> int:
    """Print the totals of a period, and what waits for a person.

    Raises:
        CommandError: The period ends before it begins, or has too many days for a report by day.
    """
    from services.payments.ledger import MAX_DAYS, LedgerPeriod

    since, until = find_period(args, commands.zone)
    now = datetime.now(UTC)
    period = LedgerPeriod(since or period_start(None, commands.zone), until or max(now, since or now), commands.zone)
    if args.split == "day" and len(period.days) > MAX_DAYS:
        raise CommandError(
            f"payments report --by day: at most {MAX_DAYS} days; name a later --since or an earlier --until"
        )
    if period.since > period.until:
        raise CommandError("The period ends before it begins; name a --since before --until")
    totals = await commands.ledger.fetch_totals(period, args.split)
    _print_totals(totals, args)
    if args.output != "table":
        return 0
    if not totals:
        last = "" if until is None else f" to {args.until}"
        print(
            f"Nothing in this period: no payment was requested from {period.since.astimezone(commands.zone):%Y-%m-%d}{last}"
        )
    for thing in await commands.ledger.issues():
        amount, since_when = format_money(thing.amount_minor, thing.currency), format_time(thing.since, commands.zone)
        print(f"! {thing.kind} {thing.id}  {amount}  {thing.reason}  since {since_when}  {thing.reference}")
    return 0


def print_payments(payments: "Sequence[ListedPayment]", zone: tzinfo) -> None:
    """Print payments as a table."""
    if not payments:
        print("No payments")
        return
    print_table(COLUMNS, [_build_cells(one, zone) for one in payments], right=AMOUNTS - {"requested"})


def print_ambiguous(found: "Sequence[ListedPayment]", zone: tzinfo) -> None:
    """Print the payments to choose from, and say how to name one."""
    print_payments(found, zone)
    print("Several payments have this number; name one by its id, such as", f"#{found[0].id}")


def describe_subject(payment: "ListedPayment") -> str:
    """Return what was paid: a service and a tracking number, or a biller and the last digits of a consumer number."""
    number = re.sub(r"(\d{4})(?=\d)", r"\1 ", payment.reference) if payment.reference else payment.consumer
    return f"{payment.subject} {number}".strip()


def describe_payment(payment: "ListedPayment", zone: tzinfo) -> Mapping[str, object]:
    """Return a payment as values for CSV and JSON; amounts are texts in units, times have an offset."""
    return {
        "id": payment.id,
        "requested_at": _iso_time(payment.created_at, zone),
        "purpose": payment.purpose,
        "subject": payment.subject,
        "department": payment.department,
        "tracking_number": payment.reference,
        "consumer": payment.consumer,
        "payer": payment.payer,
        "currency": payment.currency,
        "amount": format_units(payment.amount_minor),
        "paid": format_units(payment.paid_minor),
        "refunded": format_units(payment.refunded_minor),
        "pending_refund": format_units(payment.pending_minor),
        "state": payment.status,
        "reason": payment.reason,
        "wallet": payment.wallet,
        "channel": payment.channel,
        "receipt": payment.receipt,
        "biller_receipt": payment.biller_receipt,
        "ended_at": _iso_time(payment.ended_at, zone) if payment.ended_at else "",
    }


def format_time(moment: datetime, zone: tzinfo) -> str:
    """Return a moment to the minute, in the time zone."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"


def _build_filter(commands: "LedgerCommands", args: argparse.Namespace) -> "PaymentFilter":
    from services.payments.payment_list import PaymentFilter

    since, until = find_period(args, commands.zone)
    return PaymentFilter(
        reference=re.sub(r"[\s-]", "", args.tracking),
        receipt=args.receipt.strip(),
        consumer=re.sub(r"[\s-]", "", args.bill),
        payer=args.phone or "",
        department=args.department,
        biller=args.biller,
        service=args.service,
        status=args.state,
        wallet=args.wallet,
        since=since,
        until=until,
    )


def _build_cells(payment: "ListedPayment", zone: tzinfo) -> Sequence[str]:
    return (
        str(payment.id),
        format_time(payment.created_at, zone),
        describe_subject(payment),
        payment.payer,
        format_money(payment.amount_minor, payment.currency),
        format_units(payment.paid_minor),
        format_units(payment.refunded_minor),
        payment.status,
        payment.receipt,
    )


def _print_totals(totals: "Sequence[LedgerTotal]", args: argparse.Namespace) -> None:
    columns = [*([args.split] if args.split else []), *REPORT_COLUMNS]
    rows = [{args.split: one.group, **_describe_total(one)} for one in totals]
    if args.output == "json":
        print_json([{name: row[name] for name in columns} for row in rows])
    elif args.output == "csv":
        print_csv(columns, rows)
    elif rows:
        print_table(columns, [[str(row[name]) for name in columns] for row in rows], right=AMOUNTS)


def _describe_total(total: "LedgerTotal") -> Mapping[str, object]:
    return {
        "purpose": total.purpose,
        "status": total.status,
        "count": total.count,
        "currency": total.currency,
        "requested": format_units(total.requested_minor),
        "paid": format_units(total.paid_minor),
        "refunded": format_units(total.refunded_minor),
        "net": format_units(total.net_minor),
    }


def _print_history(history: "PaymentHistory", zone: tzinfo) -> None:
    payment = history.payment
    lines = {
        "payment": payment.id,
        "for": f"{payment.purpose} {describe_subject(payment)}",
        "department": payment.department,
        "payer": payment.payer or "deleted",
        "state": f"{payment.status} {payment.reason}".strip(),
        "requested": format_money(payment.amount_minor, payment.currency),
        "paid": format_money(payment.paid_minor, payment.currency),
        "refunded": format_money(payment.refunded_minor, payment.currency),
        "refund pending": format_money(payment.pending_minor, payment.currency) if payment.pending_minor else "",
        "wallet": payment.wallet,
        "receipt": payment.receipt,
        "biller's receipt": payment.biller_receipt,
    }
    for label, value in lines.items():
        if value != "":
            print(f"{label}: {value}")
    rows = [
        (_precise_time(one.at, zone), one.act, one.actor, _describe_facts(one, payment.currency))
        for one in history.events
    ]
    print_table(("time", "event", "by", "facts"), rows)


def _describe_facts(event: "PaymentEvent", currency: str) -> str:
    facts = {name: format_fact(name, value, currency) for name, value in event.facts.items()}
    return "  ".join(f"{name.removesuffix('_minor')}={value}" for name, value in facts.items())


def format_fact(name: str, value: str, currency: str) -> str:
    """Return a fact of an event as text; an amount in units."""
    return format_money(int(value), currency) if name.endswith("_minor") else value


def _describe_history(history: "PaymentHistory", zone: tzinfo) -> Mapping[str, object]:
    return {
        **describe_payment(history.payment, zone),
        "refunds": [
            {
                "id": one.id,
                "amount": format_units(one.amount_minor),
                "state": one.status,
                "category": one.category,
                "receipt": one.receipt,
            }
            for one in history.refunds
        ],
        "events": [
            {
                "at": _iso_time(one.at, zone),
                "event": one.act,
                "by": one.actor,
                **{
                    name.removesuffix("_minor"): format_units(int(value)) if name.endswith("_minor") else value
                    for name, value in one.facts.items()
                },
            }
            for one in history.events
        ],
    }


def _precise_time(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def _iso_time(moment: datetime, zone: tzinfo) -> str:
    return moment.astimezone(zone).isoformat(timespec="seconds")
