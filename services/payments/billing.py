"""What a biller is asked, whoever it is: what somebody owes, and to note that it was paid."""

from dataclasses import dataclass, field
from datetime import date
from typing import Protocol, TypeAlias


class BillerDown(Exception):
    """It does not answer, or answers what cannot be used: asking again later may help."""


@dataclass(frozen=True, slots=True)
class Bill:
    """What is owed, in hundredths. `reference` is the biller's own of this bill; `name` is masked, as the biller gives it."""

    reference: str
    amount_minor: int
    currency: str
    due: date | None = None
    name: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class NothingDue:
    """They know the number, and nothing is owed."""


@dataclass(frozen=True, slots=True)
class NoSuchConsumer:
    """They do not know the number."""


@dataclass(frozen=True, slots=True)
class Payment:
    """A bill that was paid. `key` is ours, and the same however often it is told: it is noted once."""

    key: str
    consumer: str = field(repr=False)
    reference: str
    amount_minor: int
    currency: str
    receipt: str


@dataclass(frozen=True, slots=True)
class Posted:
    """They have it; this is their receipt."""

    receipt: str


@dataclass(frozen=True, slots=True)
class NotPosted:
    """They do not take it and never will: it is to be given back. The reason is one word."""

    reason: str


Looked: TypeAlias = Bill | NothingDue | NoSuchConsumer


class Biller(Protocol):
    """Every call ends within the biller's own deadline."""

    async def look(self, consumer: str) -> Looked:
        """What this consumer owes. Raises BillerDown."""

    async def post(self, payment: Payment) -> Posted | NotPosted:
        """Note that it was paid. Raises BillerDown: then it may be noted or not, and is told again."""
