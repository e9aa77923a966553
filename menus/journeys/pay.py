"""Paying the fee of an application: what it costs, whose wallet is asked, and that the wallet asks once the call is over.

A USSD call keeps the phone busy, and no wallet can put its own screen before it: so the last thing said ends the call. The
wallet's PIN is typed into the wallet and never here.
"""

from collections.abc import Awaitable, Callable
from typing import Literal, NamedTuple, Protocol

from menus.journeys.sign_in import existed
from menus.model import Choice, Goodbye, Journey, Option, Outcome, Step, Visit

State = Literal["none", "due", "pending", "paid"]
Asked = Literal["asked", "pending", "paid", "too_many", "none"]
SHOWN = 4  # digits of a number, enough to know one's own by


class Fee(Protocol):
    """What is to be paid for an application; it says nothing of a person."""

    @property
    def service(self) -> str:
        """The service's code."""

    @property
    def amount_minor(self) -> int:
        """In hundredths."""

    @property
    def currency(self) -> str:
        """ISO 4217."""

    @property
    def state(self) -> State:
        """How it stands."""

    @property
    def here(self) -> bool:
        """Whether it can be paid here."""


class Payer(NamedTuple):
    """Whose wallet is asked."""

    number: str
    account: int
    language: str
    channel: str


FeeOf = Callable[[str, Callable[[str], bool]], Awaitable[Fee | None]]
"""Tracking number, and whether what was done under an effect counts yet; None where there is no such application."""
PayFee = Callable[[str, Payer, str], Awaitable[Asked]]
"""Tracking number, who pays, effect."""


class Paying(NamedTuple):
    """The calls that this journey makes."""

    fee: FeeOf
    pay: PayFee


def pay(calls: Paying) -> Journey:
    """From a tracking number to a wallet that asks for its PIN; whoever has the number may pay."""

    async def fee(visit: Visit) -> Outcome[Literal["due", "pending", "paid", "none", "elsewhere", "unknown"]]:
        found = await calls.fee(visit.facts["number"], lambda effect: existed(effect, visit.effect))
        if found is None:
            return Outcome("unknown")
        known = {"service": found.service, "fee": [found.amount_minor, found.currency], "wallet": shown(visit.citizen)}
        if found.state == "due" and not found.here:
            return Outcome("elsewhere", known)
        return Outcome(found.state, known)

    async def ask(visit: Visit) -> Outcome[Asked]:
        return Outcome(await calls.pay(visit.facts["number"], payer_of(visit), visit.effect))

    stands = {"pending": "pay_pending", "paid": "pay_paid"}
    helped = (Option("help", goto="get_help", key="7"),)
    return (
        Step(
            "pay_fee",
            fee,
            {
                **stands,
                "due": "pay_confirm",
                "none": "pay_nothing",
                "elsewhere": "pay_elsewhere",
                "unknown": "no_such_number",
            },
        ),
        Choice("pay_confirm", (Option("pay", goto="ask_wallet"),)),
        Step(
            "ask_wallet",
            ask,
            {**stands, "asked": "wallet_asked", "too_many": "pay_too_often", "none": "pay_elsewhere"},
            commits=True,
        ),
        Goodbye("wallet_asked"),
        Choice("pay_pending", helped),
        Choice("pay_paid", helped),
        Choice("pay_nothing", helped),
        Choice("pay_elsewhere", helped),
        Choice("pay_too_often", helped),
    )


def payer_of(visit: Visit) -> Payer:
    """The citizen, for whom an operator may be calling."""
    return Payer(visit.citizen, int(visit.facts.get("account") or 0), visit.told_in, visit.channel)


def shown(number: str) -> str:
    """A number's last digits."""
    return f"XX{number[-SHOWN:]}"
