"""`server.py payments`: the books, and what only a person can bring to an end: refunds, and payments nobody knows of."""

import argparse
import asyncio
import secrets
from typing import TYPE_CHECKING, Final

from commands.arguments import count, day, signed, since, words
from commands.verb import common
from faults import CannotRun
from settings import Settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from assembly.bookkeeping import Books

LONGEST_WHY: Final = 160
NOT_REFUNDED: Final = {
    "unknown": "There is no payment {id}; payments report shows those that wait for a person",
    "not_paid": "Payment {id} holds no money that could be given back",
    "too_much": "That is more than is left of payment {id}, or nothing",
}


def payments(settings: Settings, given: argparse.Namespace) -> int:
    """Payments: what was asked, paid and differs; give one back; say what became of one that nobody knows of."""
    return asyncio.run(_run(settings, given))


def options(parser: argparse.ArgumentParser) -> None:
    """What may be said to it."""
    verbs = parser.add_subparsers(dest="do", metavar="VERB", title="verbs", required=True)
    report = verbs.add_parser("report", help="what was asked and paid, and what waits for a person", parents=[common()])
    report.add_argument("--since", type=day, metavar="DAY", help="the first day (default: thirty days ago)")
    refund = verbs.add_parser("refund", help="give a payment back, or some of it", parents=[common(), signed()])
    refund.add_argument("id", type=count, help="the payment")
    refund.add_argument("--amount", type=count, help="in hundredths, such as 5000 (default: all that is left)")
    refund.add_argument("--why", type=words(LONGEST_WHY), required=True, help="in a few words, which are kept")
    returned = verbs.add_parser(
        "returned", help="a refund was made in the wallet's portal", parents=[common(), signed()]
    )
    returned.add_argument("id", type=count, help="the refund")
    returned.add_argument("--receipt", default="", help="the wallet's")
    settle = verbs.add_parser("settle", help="what became of a payment, found out by you", parents=[common(), signed()])
    settle.add_argument("id", type=count, help="the payment")
    settle.add_argument("outcome", choices=["paid", "failed"])
    settle.add_argument("--receipt", default="", help="the wallet's")


async def _run(settings: Settings, given: argparse.Namespace) -> int:
    from assembly.bookkeeping import bookkeeping

    async with bookkeeping(settings) as books:
        await DOES[given.do](books, given)
    return 0


async def _report(books: "Books", given: argparse.Namespace) -> None:
    for one in await books.ledger.sums(since(given.since, books.zone)):
        asked, paid = _money(one.asked_minor, one.currency), _money(one.paid_minor, one.currency)
        print(f"{one.purpose:<5}{one.status:<9} {one.count:>6}  asked {asked}  paid {paid}")
    for thing in await books.ledger.attention():
        amount = _money(thing.amount_minor, thing.currency)
        print(
            f"! {thing.kind} {thing.id}  {amount}  {thing.why}  since {thing.since:%Y-%m-%d %H:%M}  {thing.reference}"
        )


async def _refund(books: "Books", given: argparse.Namespace) -> None:
    from services.payments import NotRefunded
    from services.payments.refunds import Giving

    giving = Giving("staff", given.by, given.why, f"cli:{secrets.token_hex(16)}")
    refund = await books.refunds.ask(given.id, given.amount, giving)
    if isinstance(refund, NotRefunded):
        raise CannotRun(NOT_REFUNDED[refund.reason].format(id=given.id))
    print(
        f"Refund {refund} is noted; the gateway asks the wallet for it, and payments report shows it if a person must"
    )


async def _returned(books: "Books", given: argparse.Namespace) -> None:
    if not await books.refunds.returned(given.id, given.by, given.receipt):
        raise CannotRun(f"There is no refund {given.id} that waits for a person; payments report shows them")


async def _settle(books: "Books", given: argparse.Namespace) -> None:
    if not await books.payments.settle(given.id, given.outcome, given.by, given.receipt):
        raise CannotRun(f"There is no payment {given.id} of which it is not known; payments report shows them")


def _money(minor: int, currency: str) -> str:
    return f"{currency} {minor / 100:.2f}".strip()


DOES: "Mapping[str, Callable[[Books, argparse.Namespace], Awaitable[None]]]" = {
    "report": _report,
    "refund": _refund,
    "returned": _returned,
    "settle": _settle,
}
