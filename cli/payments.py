"""`server.py payments`: the ledger, refunds, and payments whose outcome only a person can find out."""

import argparse
import asyncio
import secrets
from typing import TYPE_CHECKING, Final

from cli.arguments import actor_parser, line_parser, parse_count, parse_day, period_start
from cli.command import common_parser
from config.settings import Settings
from core.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from app.cli import LedgerCommands

MAX_REASON_LENGTH: Final = 160
REFUND_ERRORS: Final = {
    "unknown": "There is no payment {id}; payments report lists those that need a person",
    "not_paid": "Payment {id} has no money to refund",
    "too_much": "That is more than is left of payment {id}, or nothing",
}


def run_payments(settings: Settings, args: argparse.Namespace) -> int:
    """Report payments, refund them, and record outcomes that the wallet did not report."""
    return asyncio.run(_run_action(settings, args))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions of `payments` and their arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions", required=True)
    report = actions.add_parser(
        "report", help="sums by purpose and status, and the cases that need a person", parents=[common_parser()]
    )
    report.add_argument("--since", type=parse_day, metavar="DAY", help="first day (default: 30 days ago)")
    refund = actions.add_parser(
        "refund", help="refund a payment, all or part of it", parents=[common_parser(), actor_parser()]
    )
    refund.add_argument("id", type=parse_count, help="id of the payment")
    refund.add_argument(
        "--amount", type=parse_count, help="amount in hundredths, such as 5000 (default: all that is left)"
    )
    refund.add_argument(
        "--why", type=line_parser(MAX_REASON_LENGTH), required=True, help="reason, in a few words; it is recorded"
    )
    returned = actions.add_parser(
        "returned",
        help="record a refund that was made in the wallet's portal",
        parents=[common_parser(), actor_parser()],
    )
    returned.add_argument("id", type=parse_count, help="id of the refund")
    returned.add_argument("--receipt", default="", help="receipt number of the wallet")
    settle = actions.add_parser(
        "settle", help="record the outcome of a payment that you found out", parents=[common_parser(), actor_parser()]
    )
    settle.add_argument("id", type=parse_count, help="id of the payment")
    settle.add_argument("outcome", choices=["paid", "failed"])
    settle.add_argument("--receipt", default="", help="receipt number of the wallet")


async def _run_action(settings: Settings, args: argparse.Namespace) -> int:
    from app.cli import open_ledger_commands

    async with open_ledger_commands(settings) as commands:
        await ACTIONS[args.action](commands, args)
    return 0


async def _print_report(commands: "LedgerCommands", args: argparse.Namespace) -> None:
    for one in await commands.ledger.totals(period_start(args.since, commands.zone)):
        asked, paid = _format_money(one.requested_minor, one.currency), _format_money(one.paid_minor, one.currency)
        print(f"{one.purpose:<5}{one.status:<17} {one.count:>6}  asked {asked}  paid {paid}")
    for thing in await commands.ledger.issues():
        amount = _format_money(thing.amount_minor, thing.currency)
        print(
            f"! {thing.kind} {thing.id}  {amount}  {thing.reason}  since {thing.since:%Y-%m-%d %H:%M}  {thing.reference}"
        )


async def _request_refund(commands: "LedgerCommands", args: argparse.Namespace) -> None:
    from services.payments.models import RefundRejected
    from services.payments.refunds import RefundReason

    giving = RefundReason("staff", args.by, args.why, f"cli:{secrets.token_hex(16)}")
    refund = await commands.refunds.request(args.id, args.amount, giving)
    if isinstance(refund, RefundRejected):
        raise CommandError(REFUND_ERRORS[refund.reason].format(id=args.id))
    print(
        f"Refund {refund} is recorded; the gateway requests it from the wallet, and payments report lists it if a person must make it"
    )


async def _record_refund(commands: "LedgerCommands", args: argparse.Namespace) -> None:
    if not await commands.refunds.mark_refunded(args.id, args.by, args.receipt):
        raise CommandError(f"There is no refund {args.id} that needs a person; payments report lists them")


async def _settle_payment(commands: "LedgerCommands", args: argparse.Namespace) -> None:
    if not await commands.payments.settle(args.id, args.outcome, args.by, args.receipt):
        raise CommandError(f"There is no payment {args.id} with an unknown outcome; payments report lists them")


def _format_money(minor: int, currency: str) -> str:
    return f"{currency} {minor / 100:.2f}".strip()


ACTIONS: "Mapping[str, Callable[[LedgerCommands, argparse.Namespace], Awaitable[None]]]" = {
    "report": _print_report,
    "refund": _request_refund,
    "returned": _record_refund,
    "settle": _settle_payment,
}
