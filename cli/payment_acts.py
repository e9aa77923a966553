"""The verbs of `payments` that change something: refund, returned, settle. Each has a reason and an audit line."""

import argparse
import sys
from typing import TYPE_CHECKING, Final

from cli.arguments import build_act
from cli.payment_views import NO_PAYMENT, describe_subject, print_ambiguous
from core.amounts import AmountError, check_step, format_money
from core.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.cli import LedgerCommands
    from services.payments.payment_list import ListedPayment

REFUND_ERRORS: Final = {
    "unknown": "There is no payment {id}; payments list lists them",
    "not_paid": "Payment {id} has no money to refund",
    "too_much": "That is more than is left of payment {id}, or nothing",
}


async def request_refund(commands: "LedgerCommands", args: argparse.Namespace) -> int:
    """Show what is given back and what stays, ask, and request the refund.

    Raises:
        CommandError: There is no such payment, too little is left, or nobody confirms.
    """
    from services.payments.models import REFUNDABLE_STATUSES, RefundRejected
    from services.payments.refunds import RefundReason

    payment = await _find_payment(commands, args.what, REFUNDABLE_STATUSES)
    if payment.status not in REFUNDABLE_STATUSES:
        raise CommandError(REFUND_ERRORS["not_paid"].format(id=payment.id))
    amount = payment.remaining_minor if args.amount is None else args.amount
    _check_amount(commands, payment, amount)
    _print_refund(payment, amount)
    _confirm(is_confirmed=args.yes)
    act = build_act(args)
    reason = RefundReason("staff", args.by, args.why, act.idempotency_key, args.category, act.actor.channel)
    refund = await commands.refunds.request(payment.id, amount, reason)
    if isinstance(refund, RefundRejected):
        raise CommandError(REFUND_ERRORS[refund.reason].format(id=payment.id))
    print(f"Refund {refund} is recorded; the gateway requests it from the wallet, and payments report lists it")
    print("if a person must make it")
    return 0


async def record_refund(commands: "LedgerCommands", args: argparse.Namespace) -> int:
    """Record a refund that a person made in the wallet's portal.

    Raises:
        CommandError: No refund with this id waits for a person.
    """
    if not await commands.refunds.mark_refunded(args.id, build_act(args), args.receipt):
        raise CommandError(f"There is no refund {args.id} that needs a person; payments report lists them")
    print(f"Refund {args.id} is recorded as made, and the payer is told by SMS")
    return 0


async def settle_payment(commands: "LedgerCommands", args: argparse.Namespace) -> int:
    """Record the outcome of a payment that a person found out.

    Raises:
        CommandError: There is no such payment, or its outcome is known.
    """
    from services.payments.models import OPEN_STATUSES

    payment = await _find_payment(commands, args.what, OPEN_STATUSES)
    if not await commands.payments.settle(payment.id, args.outcome, build_act(args), args.receipt):
        raise CommandError(
            f"Payment {payment.id} is {payment.status}, which nobody settles; payments report lists those that wait. "
            "One that failed is settled as paid with --receipt"
        )
    print(f"Payment {payment.id} is recorded as {args.outcome}, and the payer is told by SMS")
    return 0


async def _find_payment(commands: "LedgerCommands", what: str, statuses: "Sequence[str]") -> "ListedPayment":
    """Return the payment that a number is of, the only one of these statuses.

    Raises:
        CommandError: There is none, or there are several; they are printed.
    """
    from services.payments.payment_history import find_sole

    found = await commands.histories.find(what)
    if not found:
        raise CommandError(NO_PAYMENT)
    payment = found[0] if len(found) == 1 else find_sole(found, statuses)
    if payment is None:
        print_ambiguous(found, commands.zone)
        raise CommandError("Nothing is done")
    return payment


def _check_amount(commands: "LedgerCommands", payment: "ListedPayment", amount: int) -> None:
    step = commands.find_amount_step(payment.wallet, payment.currency)
    try:
        check_step(amount, step, payment.currency)
    except AmountError as error:
        raise CommandError(f"--amount: {error}") from None
    if not 0 < amount <= payment.remaining_minor:
        left = format_money(payment.remaining_minor, payment.currency)
        raise CommandError(f"{REFUND_ERRORS['too_much'].format(id=payment.id)}; {left} is left")


def _print_refund(payment: "ListedPayment", amount: int) -> None:
    def money(minor: int) -> str:
        return format_money(minor, payment.currency)

    given = payment.refunded_minor + payment.pending_minor
    print(
        f"Payment {payment.id}: {payment.purpose} {describe_subject(payment)}, receipt {payment.receipt or 'unknown'}"
    )
    print(f"Paid {money(payment.paid_minor)}, given back before {money(given)}, left {money(payment.remaining_minor)}")
    print(
        f"Give back {money(amount)} to {payment.payer or 'the payer'}; {money(payment.remaining_minor - amount)} stays"
    )


def _confirm(*, is_confirmed: bool) -> None:
    """Ask on a terminal, unless `--yes` was given.

    Raises:
        CommandError: The person says no, or there is no terminal to ask on.
    """
    if is_confirmed:
        return
    if not sys.stdin.isatty():
        raise CommandError("There is no terminal to ask on, so nothing is done; add --yes to do it")
    if input("Give it back? (y/N) ").strip().lower() not in {"y", "yes"}:
        raise CommandError("Nothing is done")
