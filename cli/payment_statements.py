"""`payments reconcile`: a statement beside the books."""

import argparse
import secrets
import shlex
from collections.abc import Mapping
from datetime import tzinfo
from typing import TYPE_CHECKING, Final

from cli.arguments import find_period
from cli.payment_views import format_time
from cli.tables import print_csv, print_json, print_table
from core.amounts import format_money, format_units
from core.errors import CommandError
from services.audit.models import Actor

if TYPE_CHECKING:
    from app.cli import LedgerCommands
    from services.payments.statement_comparison import Comparison, Difference
    from services.payments.statement_reconciler import Reconciliation

EXIT_DIFFERENT: Final = 1
CSV_COLUMNS: Final = (
    *("difference", "direction", "line", "receipt", "payment", "refund", "time", "currency", "statement", "books"),
    *("state", "command"),
)
COLUMNS: Final = ("difference", "line", "time", "receipt", "statement", "books", "what")
KINDS: Final = {
    "missing_in_books": "not in our books",
    "missing_in_statement": "not in the statement",
    "amount": "amount differs",
    "currency": "currency differs",
    "state": "state differs",
    "twice": "twice",
    "not_completed": "not completed in the statement",
}


async def reconcile_statement(commands: "LedgerCommands", args: argparse.Namespace) -> int:
    """Compare a statement with the books; the exit status is 0 if everything matches, otherwise 1.

    Raises:
        CommandError: The file cannot be read, or a line of it is wrong.
    """
    from services.payments.statement_file import StatementError
    from services.payments.statement_reconciler import StatementFile

    zone = commands.reconciler.find_zone(args.format)
    since, until = find_period(args, zone)
    statement = StatementFile(args.file, args.format, args.wallet or commands.wallet, since, until)
    actor = Actor("staff", args.by, "terminal")
    try:
        result = await commands.reconciler.reconcile(statement, actor, f"terminal:{secrets.token_hex(8)}")
    except StatementError as error:
        raise CommandError("\n".join(error.problems)) from None
    if args.output == "json":
        print_json(_describe_result(result, zone))
    elif args.output == "csv":
        print_csv(CSV_COLUMNS, [_describe_difference(one, zone) for one in result.comparison.differences])
    else:
        _print_result(result, statement.wallet, zone)
    return 0 if result.comparison.is_equal else EXIT_DIFFERENT


def _print_result(result: "Reconciliation", wallet: str, zone: tzinfo) -> None:
    comparison = result.comparison
    period = f"{format_time(comparison.period.since, zone)} to {format_time(comparison.period.until, zone)}"
    print(f"Statement of {result.summary.lines} lines, {result.summary.digest[:12]}; books of {wallet}, {period}")
    for label, count in (
        ("match", comparison.matched),
        ("differ", len(comparison.differences)),
        ("were not completed", comparison.not_completed),
        ("are outside the period", comparison.outside),
    ):
        if count or label in {"match", "differ"}:
            print(f"{count} {label}")
    for (kind, currency, direction), count in sorted(comparison.other_counts.items()):
        total = format_money(comparison.other_sums[kind, currency, direction], currency)
        print(f"{count} {kind}: {total} {direction}, not compared")
    _print_sums(comparison)
    if comparison.differences:
        rows = [_build_cells(one, zone) for one in comparison.differences]
        print_table(COLUMNS, rows, right=frozenset({"line", "statement", "books"}))
    for command in filter(None, map(build_command, comparison.differences)):
        print(command)


def _print_sums(comparison: "Comparison") -> None:
    for currency, direction in sorted({*comparison.statement_sums, *comparison.book_sums}):
        statement, books = (sums[currency, direction] for sums in (comparison.statement_sums, comparison.book_sums))
        difference = format_money(statement - books, currency)
        print(
            f"{direction:<4}statement {format_money(statement, currency)}  books {format_money(books, currency)}  "
            f"difference {difference}"
        )


def build_command(difference: "Difference") -> str:
    """Return the command that corrects our books; empty where a person has to look first."""
    correction = difference.correction
    if correction is None:
        return ""
    what = (
        f"settle {shlex.quote(f'#{correction.id}')} paid" if correction.act == "settle" else f"returned {correction.id}"
    )
    return f'python server.py payments {what} --receipt {shlex.quote(correction.receipt)} --why "paid by the statement"'


def _build_cells(difference: "Difference", zone: tzinfo) -> tuple[str, ...]:
    def money(minor: int | None) -> str:
        return "" if minor is None else format_money(minor, difference.currency)

    return (
        KINDS[difference.kind],
        str(difference.line or ""),
        format_time(difference.at, zone) if difference.at else "",
        difference.receipt,
        money(difference.statement_minor),
        money(difference.books_minor),
        _describe_entry(difference),
    )


def _describe_entry(difference: "Difference") -> str:
    entry = f"payment {difference.payment}" if difference.payment else ""
    refund = f"refund {difference.refund}" if difference.refund else "refund" if difference.direction == "out" else ""
    return " ".join(part for part in (refund, "of" if refund and entry else "", entry, difference.status) if part)


def _describe_difference(difference: "Difference", zone: tzinfo) -> Mapping[str, object]:
    return {
        "difference": difference.kind,
        "direction": difference.direction,
        "line": difference.line or "",
        "receipt": difference.receipt,
        "payment": difference.payment or "",
        "refund": difference.refund or "",
        "time": difference.at.astimezone(zone).isoformat(timespec="seconds") if difference.at else "",
        "currency": difference.currency,
        "statement": "" if difference.statement_minor is None else format_units(difference.statement_minor),
        "books": "" if difference.books_minor is None else format_units(difference.books_minor),
        "state": difference.status,
        "command": build_command(difference),
    }


def _describe_result(result: "Reconciliation", zone: tzinfo) -> Mapping[str, object]:
    comparison = result.comparison
    return {
        "digest": result.summary.digest,
        "lines": result.summary.lines,
        "since": comparison.period.since.isoformat(),
        "until": comparison.period.until.isoformat(),
        "matched": comparison.matched,
        "not_completed": comparison.not_completed,
        "outside": comparison.outside,
        "sums": [
            {
                "currency": currency,
                "direction": direction,
                "statement": format_units(comparison.statement_sums[currency, direction]),
                "books": format_units(comparison.book_sums[currency, direction]),
            }
            for currency, direction in sorted({*comparison.statement_sums, *comparison.book_sums})
        ],
        "others": [
            {"kind": kind, "currency": currency, "direction": direction, "count": count}
            for (kind, currency, direction), count in sorted(comparison.other_counts.items())
        ],
        "differences": [_describe_difference(one, zone) for one in comparison.differences],
    }
