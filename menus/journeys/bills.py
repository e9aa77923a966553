"""Paying a bill: of whom, under which number, what it says, and a wallet that asks once the call is over.

A consumer's number reaches the step that asks the biller and is never remembered; to whoever is signed in, the number they
paid for last is offered by its last digits.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date
from typing import Final, Literal, NamedTuple

from menus.journeys.pay import Asked, Payer, payer_of, shown
from menus.journeys.sign_in import existed
from menus.model import (
    Accepted,
    Choice,
    Facts,
    Journey,
    Listing,
    Option,
    Outcome,
    Question,
    Refused,
    Step,
    Texts,
    Visit,
)

Found = Literal["due", "none", "unknown", "down", "wrong", "paid", "pending", "elsewhere"]
Counts = Callable[[str], bool]
LONGEST: Final = 40  # characters of a number, with whatever stands between its digits


class Asker(NamedTuple):
    """Who asks after a bill of which biller, and on which day."""

    biller: str
    number: str
    account: int
    today: date


class Bill(NamedTuple):
    """What became of asking; the facts are what screens say. `refused` says what was wrong with the number."""

    outcome: Found
    bill: int
    facts: Mapping[str, object]
    refused: Refused | None = None


class Billing(NamedTuple):
    """The calls that this journey makes.

    `billers`: the codes that are offered to an MSISDN, in order. `last`: the last digits of the number that an account
    paid a biller for last. `again`: the bill of that number. `pay`: bill, who pays, effect.
    """

    billers: Callable[[str], Sequence[str]]
    label: Callable[[str], Texts]
    last: Callable[[int, str, Counts], Awaitable[str]]
    look: Callable[[Asker, str, str, Counts], Awaitable[Bill]]
    again: Callable[[Asker, str, Counts], Awaitable[Bill]]
    pay: Callable[[int, Payer, str], Awaitable[Asked]]


def bills(calls: Billing) -> Journey:
    """From the list of billers to a wallet that asks for its PIN."""

    async def start(visit: Visit) -> Outcome[Literal["listed"]]:
        return Outcome("listed", {"billers": [{"biller": code} for code in calls.billers(visit.citizen)]})

    async def ask(visit: Visit) -> Outcome[Literal["new", "known"]]:
        code, account = visit.facts["biller"], int(visit.facts.get("account") or 0)
        last = await calls.last(account, code, _counts(visit)) if account else ""
        return Outcome("known" if last else "new", {"label": dict(calls.label(code)), "last": last})

    async def look(visit: Visit) -> Outcome[Found]:
        return _found(await calls.look(_asker(visit), visit.facts["consumer"], visit.effect, _counts(visit)), visit)

    async def again(visit: Visit) -> Outcome[Found]:
        return _found(await calls.again(_asker(visit), visit.effect, _counts(visit)), visit)

    async def pay(visit: Visit) -> Outcome[Asked]:
        return Outcome(await calls.pay(visit.facts["bill"], payer_of(visit), visit.effect))

    stands = {"pending": "bill_pending", "paid": "bill_paid"}
    helped = (Option("help", goto="get_help", key="7"),)
    found = {
        **stands,
        "due": "bill_due",
        "none": "bill_none",
        "unknown": "bill_unknown",
        "down": "bill_down",
        "wrong": "bill_number",
        "elsewhere": "bill_elsewhere",
    }
    same = (Option("same", goto="bill_again"),)
    return (
        Step("bills", start, {"listed": "billers"}),
        Listing("billers", _billers, saves="biller", goto="bill_ask", empty="no_billers"),
        Choice("no_billers", helped),
        Step("bill_ask", ask, {"new": "bill_number", "known": "bill_number_known"}),
        Question("bill_number", "consumer", _number, goto="bill_look", secret=True),
        Question("bill_number_known", "consumer", _number, goto="bill_look", secret=True, options=same),
        Question("bill_unknown", "consumer", _number, goto="bill_look", secret=True, options=helped),
        Step("bill_look", look, found),
        Step("bill_again", again, found),
        Choice("bill_due", (Option("pay", goto="pay_bill"), Option("other", goto="bill_number"))),
        Step(
            "pay_bill",
            pay,
            {**stands, "asked": "wallet_asked", "too_many": "pay_too_often", "none": "bill_elsewhere"},
            commits=True,
        ),
        Choice("bill_none", (Option("other", goto="bill_number"),)),
        Choice("bill_down", helped),
        Choice("bill_pending", helped),
        Choice("bill_paid", helped),
        Choice("bill_elsewhere", helped),
    )


def _found(bill: Bill, visit: Visit) -> Outcome[Found]:
    facts = {**bill.facts, "bill": bill.bill, "wallet": shown(visit.citizen)}
    return Outcome(bill.outcome, facts, refused=bill.refused)


def _asker(visit: Visit) -> Asker:
    return Asker(visit.facts["biller"], visit.citizen, int(visit.facts.get("account") or 0), visit.today)


def _counts(visit: Visit) -> Counts:
    return lambda effect: existed(effect, visit.effect)


def _number(typed: str, _today: date) -> Accepted | Refused:
    """Something that may be a number; which, the biller's own check says."""
    if not typed:
        return Refused("empty")
    return Accepted(typed) if len(typed) <= LONGEST else Refused("too_long", {"most": LONGEST})


def _billers(facts: Facts) -> Sequence[Facts]:
    rows: Sequence[Facts] = facts.get("billers", ())
    return rows
