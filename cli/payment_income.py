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


async def register_urls(commands: "LedgerCommands", _: argparse.Namespace) -> int:
    """Tell M-Pesa where it asks about payments by reference and tells of them.

    Raises:
        CommandError: Nobody pays by reference here, or M-Pesa rejects the addresses.
    """
    validation, confirmation = await commands.register_urls()
    print(f"M-Pesa asks at {validation}")
    print(f"and tells of payments at {confirmation}")
    return 0
