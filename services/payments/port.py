"""What a mobile wallet is asked, whoever runs it: to ask a payer for money, what became of that, to give some back.

A payer answers on their own phone, with a PIN that never passes through here. So a wallet takes a request and answers
that it was put before the payer; how that ended is told later by a callback, or when it is asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, Protocol, TypeAlias

Outcome: TypeAlias = Literal[
    "pending", "paid", "cancelled", "wrong_pin", "no_money", "unreachable", "expired", "failed", "unknown"
]
"""How a request stands; `unknown`: the wallet cannot say, and asking again later may help."""

NOT_PAID: Final = frozenset({"cancelled", "wrong_pin", "no_money", "unreachable", "expired", "failed"})
"""The outcomes that are certain, and by which nothing was charged."""


@dataclass(frozen=True, slots=True)
class Push:
    """A request for money, of so many hundredths of a currency.

    `key` names the payment, and nobody can guess it; `about` is what the payer's wallet shows and its statement says: a
    tracking number or another twelve characters, from which a person finds the payment again.
    """

    key: str = field(repr=False)
    payer: str = field(repr=False)
    amount_minor: int
    currency: str
    about: str
    asked: datetime


@dataclass(frozen=True, slots=True)
class Pushed:
    """It is on its way to the payer's phone; `request` is the wallet's own id of it."""

    request: str


@dataclass(frozen=True, slots=True)
class Declined:
    """It certainly was not done, and is not tried again by itself. The reason is one word, fit for logs."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """It may have been done: never to be asked again, but settled by a callback, by asking what became of it, or by a person."""

    reason: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked before; `request` is empty where the wallet's answer was lost."""

    key: str = field(repr=False)
    request: str
    payer: str = field(repr=False)
    asked: datetime


@dataclass(frozen=True, slots=True)
class Report:
    """What a wallet says became of a request. `amount_minor` is None, and the ids empty, where it does not say."""

    outcome: Outcome
    reason: str = ""
    request: str = ""
    receipt: str = ""
    amount_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Return:
    """So much of what was paid is to be given back; `refund` is our id of it, the same if it is ever asked again."""

    refund: str
    key: str = field(repr=False)
    payer: str = field(repr=False)
    request: str
    receipt: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Returned:
    """It is with the payer again."""

    receipt: str


@dataclass(frozen=True, slots=True)
class ByHand:
    """This wallet gives nothing back for a program: a person does, in its own portal."""


Answer: TypeAlias = Pushed | Declined | Unclear
GivenBack: TypeAlias = Returned | Declined | Unclear | ByHand


class Wallet(Protocol):
    """Where the money comes from. Every call ends within the wallet's own deadline, and raises nothing."""

    @property
    def name(self) -> str:
        """One word."""

    currencies: Mapping[str, int]
    """The currencies it takes, each with the least step of an amount in hundredths: 100 for whole ones."""

    def reaches(self, number: str) -> bool:
        """Whether the holder of this MSISDN may have such a wallet."""

    async def ask(self, push: Push) -> Answer:
        """Put it before the payer."""

    async def query(self, asked: Asked) -> Report:
        """What became of it."""

    async def give_back(self, back: Return) -> GivenBack:
        """Give some of it back."""


def takes(wallet: Wallet | None, amount_minor: int, currency: str) -> bool:
    """Whether this can be asked of this wallet; of none, nothing."""
    if wallet is None or amount_minor <= 0:
        return False
    step = wallet.currencies.get(currency)
    return step is not None and amount_minor % step == 0
