"""A payment: as it is wanted, as it stands, and what is said of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

Purpose: TypeAlias = Literal["fee", "bill"]
Status: TypeAlias = Literal[
    "asked", "sending", "pending", "unknown", "differs", "paid", "failed", "expired", "surplus", "refunded"
]
"""`differs`: another amount was paid than was asked. `surplus`: paid, though something else had paid it already."""
OPEN: Final = ("asked", "sending", "pending", "unknown", "differs")
"""Nobody knows yet that it is paid or that it is not: nothing else is asked for the same meanwhile."""
HOLDS_MONEY: Final = ("paid", "differs", "surplus")

Stands: TypeAlias = Literal["due", "pending", "paid"]
Paid: TypeAlias = Literal["asked", "pending", "paid", "too_many"]
"""What asking for a payment comes to: it is asked, it was asked already, it is paid already, or it is asked too often."""
Counts: TypeAlias = Callable[[str], bool]
"""Whether what was done under an effect counts yet."""

GRACE: Final = timedelta(seconds=60)  # after which who is *sending* must be dead; many times a wallet's deadline
PATIENCE: Final = (30, 30, 60, 120, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600, 48 * 3600)
"""Seconds between two looks at what became of a request; after the last one it is left to a callback or a person."""
DOUBTFUL: Final = 5  # looks without an answer, after which the payer is told that we do not know
WITHIN: Final = timedelta(hours=1)
MOST_ASKED: Final = 6  # requests put before one payer in that time: a forged SMS must not make a phone ring all day


@dataclass(frozen=True, slots=True)
class Wanted:
    """A payment as it is asked for. `reference` is what is paid, once; `subject` the service's or the biller's code."""

    purpose: Purpose
    reference: str
    subject: str
    payer: str = field(repr=False)
    amount_minor: int
    currency: str
    language: str
    channel: str
    account: int = 0
    bill: int = 0


@dataclass(frozen=True, slots=True)
class Due:
    """A payment that a worker is to ask for now, or to ask after."""

    id: int
    key: str = field(repr=False)
    request: str
    purpose: Purpose
    reference: str
    payer: str = field(repr=False)
    amount_minor: int
    currency: str
    asked: datetime
    tries: int


@dataclass(frozen=True, slots=True)
class NotRefunded:
    """Nothing is given back: `unknown` payment, `not_paid`, or `too_much`."""

    reason: Literal["unknown", "not_paid", "too_much"]


def next_look(tries: int, now: datetime) -> datetime | None:
    """When to ask again what became of it, after so many looks; None when that has been done long enough."""
    return now + timedelta(seconds=PATIENCE[tries]) if tries < len(PATIENCE) else None
