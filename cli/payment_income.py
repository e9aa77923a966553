"""The verbs of `payments` about money that came without a request of ours: cash at a counter, and pay by reference."""

import argparse
from typing import TYPE_CHECKING, Final

from cli.arguments import build_act, line_parser
from core.amounts import format_money
from core.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.cli import LedgerCommands

MAX_RECEIPT_LENGTH: Final = 32
CASH_ERRORS: Final = {
    "unknown": "There is no application {number}; copy its tracking number",
    "no_fee": "There is no fee to pay for application {number}; give the cash back",
    "paid": "The fee of application {number} is paid; give the cash back, and look at payments list --tracking {number}",
    "wrong_amount": "The fee of application {number} is {fee}; take exactly the fee",
}
UNMATCHED_ERRORS: Final = {
    "unknown": "No report of money has this id or receipt; payments report lists them",
    "several": "Several reports have this receipt; write the id of one, such as #7, as payments report lists it",
    "no_receipt": "The wallet told no receipt or no amount of this money; find it in the portal, and use payments settle",
    "assigned": "This money is payment {payment}; look at payments show '#{payment}'",
    "given_back": "This money is recorded as given back, so it stays as it is",
    "unknown_account": "Nothing has this number; write a tracking number, or the BILL… of a payment of a bill",
    "wrong_currency": "This money has another currency than what it would pay; give it back in the portal",
}
ASSIGNED: Final = {
    "paid": "who is told by SMS. Of a bill: once its biller has accepted it",
    "amount_mismatch": "but the amount is another, or nothing is due: give it back with payments refund, or settle it",
    "duplicate_payment": "which was paid before, or is being paid: payments report lists what a person gives back",
}


def add_unmatched(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", parents: "list[argparse.ArgumentParser]"
) -> None:
    """Add the arguments of `payments assign` and `payments given-back`."""
    assign = actions.add_parser("assign", help="say what money without a payment is for", parents=parents)
    given_back_help = "record that you gave money without a payment back in the wallet's portal"
    given_back = actions.add_parser("given-back", help=given_back_help, parents=parents)
    for one in (assign, given_back):
        one.add_argument("report", metavar="REPORT", help="id or receipt of the money, as payments report lists it")
    assign.add_argument("account", metavar="TRACKING|BILL", help="tracking number, or the BILL… of a payment of a bill")
    given_back.add_argument(
        "--receipt",
        type=line_parser(MAX_RECEIPT_LENGTH),
        required=True,
        help="receipt of the wallet for giving it back",
    )


def add_cash(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]",
    parents: "list[argparse.ArgumentParser]",
    parse_amount: "Callable[[str], int]",
) -> None:
    """Add the arguments of `payments cash`."""
    cash = actions.add_parser("cash", help="record a fee that was paid in cash at a counter", parents=parents)
    cash.add_argument("number", metavar="TRACKING", help="tracking number of the application")
    cash.add_argument("--amount", type=parse_amount, required=True, help="amount in units, such as 50 or 50.00")
    cash.add_argument(
        "--receipt", type=line_parser(MAX_RECEIPT_LENGTH), required=True, help="number of the paper receipt"
    )


async def record_cash(commands: "LedgerCommands", args: argparse.Namespace) -> int:
    """Record a fee in cash, and send the receipt to the citizen.

    Raises:
        CommandError: There is no such application, its fee is another one, or it is not due.
    """
    from services.payments.cash import CashPayment, CashRejected

    act, number = build_act(args), "".join(args.number.split())
    cash = CashPayment(number, args.amount, receipt=args.receipt, reason=act.reason)
    result = await commands.cash.record(cash, act.actor, act.idempotency_key)
    if isinstance(result, CashRejected):
        fee = format_money(result.amount_minor, result.currency)
        raise CommandError(CASH_ERRORS[result.reason].format(number=number, fee=fee))
    paid = format_money(result.amount_minor, result.currency)
    if result.state == "pending":
        print(
            f"Payment {result.payment}: {paid} is recorded. The citizen's wallet is being asked too: if it pays, give the"
        )
        print("cash back; payments report then lists the refund")
    else:
        print(f"Payment {result.payment}: {paid} is recorded, and the citizen gets the receipt by SMS")
    return 0


async def assign_money(commands: "LedgerCommands", args: argparse.Namespace) -> int:
    """Make money that belongs to no payment a payment of what it is for.

    Raises:
        CommandError: There is no such money or nothing with this number, or it was assigned or given back before.
    """
    from services.payments.unmatched_money import UnmatchedRejected

    result = await commands.unmatched.assign(args.report, args.account, build_act(args))
    if isinstance(result, UnmatchedRejected):
        raise CommandError(UNMATCHED_ERRORS[result.reason].format(payment=result.payment))
    money = format_money(result.amount_minor, result.currency)
    outcome = ASSIGNED.get(result.status, f"which is {result.status}")
    print(f"Report {result.report}, {money}: it is payment {result.payment} of {args.account},\n{outcome}")
    return 0


async def record_given_back(commands: "LedgerCommands", args: argparse.Namespace) -> int:
    """Record that a person gave money without a payment back.

    Raises:
        CommandError: There is no such money, or it was assigned, or given back with another receipt.
    """
    from services.payments.unmatched_money import UnmatchedRejected

    result = await commands.unmatched.give_back(args.report, args.receipt, build_act(args))
    if isinstance(result, UnmatchedRejected):
        raise CommandError(UNMATCHED_ERRORS[result.reason].format(payment=result.payment))
    money = format_money(result.amount_minor, result.currency)
    print(
        f"Report {result.report}, {money}: it is recorded as given back. No SMS goes out: the payer is not known here"
    )
    return 0


async def register_urls(commands: "LedgerCommands", _: argparse.Namespace) -> int:
    """Tell M-Pesa where it asks about payments by reference and tells of them.

    Raises:
        CommandError: Nobody pays by reference here, or M-Pesa rejects the addresses.
    """
    validation, confirmation = await commands.register_urls()
    print(f"M-Pesa asks at {validation}")
    print(f"and tells of payments at {confirmation}")
    return 0
