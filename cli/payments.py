"""`server.py payments`: find and list payments, the ledger, refunds, statements, and outcomes that a person finds out."""

import argparse
import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_args

from cli import payment_acts, payment_income, payment_statements, payment_views
from cli.arguments import (
    act_parser,
    actor_parser,
    add_period,
    line_parser,
    parse_count,
)
from cli.command import common_parser
from cli.tables import add_output_format
from config.settings import Settings
from core.amounts import AmountError, parse_amount
from core.phone_numbers import PhoneNumberError, parse_msisdn
from services.payments.ledger import Split
from services.payments.models import PaymentStatus, RefundCategory
from services.payments.statement_file import StatementFormat

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from app.cli import LedgerCommands

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 10_000
MAX_RECEIPT_LENGTH: Final = 64
PAYMENT_HELP: Final = "the payment: its id, tracking number or receipt, or the number on the bill; #12 is always the id"


def run_payments(settings: Settings, args: argparse.Namespace) -> int:
    """Find and report payments, compare a statement, refund, and record outcomes that the wallet did not report."""
    try:
        return asyncio.run(_run_action(settings, args))
    except BrokenPipeError:  # the reader, such as head, has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions of `payments` and their arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions", required=True)
    _add_list(actions)
    show = actions.add_parser("show", help="one payment with its whole history", parents=[common_parser()])
    show.add_argument("what", help=f"{PAYMENT_HELP}; or a phone number such as +8801711000009")
    show.add_argument("--json", dest="output", action="store_const", const="json", default="table", help="write JSON")
    report = actions.add_parser(
        "report", help="sums by purpose and status, and the cases that need a person", parents=[common_parser()]
    )
    add_period(report, "default: 30 days ago")
    splits = [split for split in get_args(Split) if split]
    report.add_argument("--by", choices=splits, default="", dest="split", help="also split the sums by this")
    add_output_format(report)
    _add_reconcile(actions)
    _add_acts(actions)


def _add_list(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    listing = actions.add_parser("list", help="payments, newest first, with masked payers", parents=[common_parser()])
    listing.add_argument("--tracking", default="", metavar="NUMBER", help="tracking number of the application")
    listing.add_argument("--receipt", default="", help="receipt of the wallet, of the biller or of a refund")
    listing.add_argument("--bill", default="", metavar="NUMBER", help="consumer number on the bill")
    listing.add_argument("--phone", type=_parse_phone, metavar="NUMBER", help="payer, as +8801711000009")
    for name in ("department", "biller", "service"):
        listing.add_argument(f"--{name}", default="", metavar="CODE", help=f"code of the {name}")
    listing.add_argument("--state", choices=get_args(PaymentStatus), default="", help="status of the payment")
    listing.add_argument("--wallet", default="", metavar="NAME", help="wallet, such as daraja, or cash")
    add_period(listing, "default: all")
    listing.add_argument(
        "--limit", type=_parse_limit, default=DEFAULT_LIMIT, help=f"lines at most (default: {DEFAULT_LIMIT})"
    )
    listing.add_argument(
        "--before", type=parse_count, default=0, metavar="ID", help="only those older than this payment"
    )
    add_output_format(listing)


def _add_reconcile(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    help_text = "compare the statement of the wallet's account with the books; 1 is the exit status if they differ"
    reconcile = actions.add_parser("reconcile", help=help_text, parents=[common_parser(), actor_parser()])
    reconcile.add_argument("file", type=Path, help="the statement as CSV in UTF-8")
    reconcile.add_argument(
        "--format",
        choices=get_args(StatementFormat),
        default="mpesa",
        help="mpesa: the organisation statement of M-Pesa (default); generic: receipt,time,amount,currency,direction,account",
    )
    reconcile.add_argument("--wallet", default="", metavar="NAME", help="wallet (default: payments.wallet)")
    add_period(reconcile, "default: the days that the statement has")
    add_output_format(reconcile)


def _add_acts(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parents = [common_parser(), act_parser()]
    refund = actions.add_parser("refund", help="refund a payment, all or part of it", parents=parents)
    refund.add_argument("what", help=PAYMENT_HELP)
    amount_help = "amount in units, such as 10 or 10.50 (default: all that is left)"
    refund.add_argument("--amount", type=_parse_amount, help=amount_help)
    category_help = "what the SMS to the payer gives as the reason (default: none)"
    refund.add_argument("--category", choices=get_args(RefundCategory), default="", help=category_help)
    refund.add_argument("--yes", action="store_true", help="do not ask, for scripts")
    payment_income.add_cash(actions, parents, _parse_amount)
    payment_income.add_unmatched(actions, parents)
    register_help = "tell M-Pesa the addresses for payments by reference (payments.daraja.c2b)"
    actions.add_parser("register-urls", help=register_help, parents=[common_parser()])
    returned_help = "record a refund that was made in the wallet's portal"
    returned = actions.add_parser("returned", help=returned_help, parents=parents)
    returned.add_argument("id", type=parse_count, help="id of the refund")
    settle_help = "record the outcome of a payment that you found out"
    settle = actions.add_parser("settle", help=settle_help, parents=parents)
    settle.add_argument("what", help=PAYMENT_HELP)
    settle.add_argument("outcome", choices=["paid", "failed"])
    for one in (returned, settle):
        one.add_argument(
            "--receipt", type=line_parser(MAX_RECEIPT_LENGTH), default="", help="receipt number of the wallet"
        )


async def _run_action(settings: Settings, args: argparse.Namespace) -> int:
    from app.cli import open_ledger_commands

    async with open_ledger_commands(settings) as commands:
        return await ACTIONS[args.action](commands, args)


def _parse_amount(text: str) -> int:
    try:
        return parse_amount(text)
    except AmountError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _parse_phone(text: str) -> str:
    try:
        return parse_msisdn(text)
    except PhoneNumberError:
        raise argparse.ArgumentTypeError(
            "this is not a phone number; write it with a plus, such as +8801711000009"
        ) from None


def _parse_limit(text: str) -> int:
    return min(parse_count(text), MAX_LIMIT)


ACTIONS: "Mapping[str, Callable[[LedgerCommands, argparse.Namespace], Awaitable[int]]]" = {
    "list": payment_views.list_payments,
    "show": payment_views.show_payment,
    "report": payment_views.print_report,
    "reconcile": payment_statements.reconcile_statement,
    "refund": payment_acts.request_refund,
    "returned": payment_acts.record_refund,
    "settle": payment_acts.settle_payment,
    "cash": payment_income.record_cash,
    "assign": payment_income.assign_money,
    "given-back": payment_income.record_given_back,
    "register-urls": payment_income.register_urls,
}
