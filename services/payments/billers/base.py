"""The interface to a biller: fetch the bill of a consumer, post a payment."""

from dataclasses import dataclass, field
from datetime import date
from typing import Protocol, TypeAlias


class BillerUnavailableError(Exception):
    """The biller does not answer, or gives an answer that cannot be used; a later call may succeed."""


@dataclass(frozen=True, slots=True)
class Bill:
    """A bill with its amount in hundredths and the biller's own reference; the biller has masked `name`."""

    reference: str
    amount_minor: int
    currency: str
    due_date: date | None = None
    name: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class NothingDue:
    """The biller knows the consumer number, and nothing is due."""


@dataclass(frozen=True, slots=True)
class NoSuchConsumer:
    """The biller does not know the consumer number."""


@dataclass(frozen=True, slots=True)
class BillPayment:
    """The payment of a bill. `key` is ours, and the same at each post, so that the biller records it once."""

    key: str
    consumer: str = field(repr=False)
    reference: str
    amount_minor: int
    currency: str
    receipt: str


@dataclass(frozen=True, slots=True)
class PaymentPosted:
    """The biller has accepted the payment; this is its receipt."""

    receipt: str


@dataclass(frozen=True, slots=True)
class PostRejected:
    """The biller will never accept the payment, so it is refunded. The reason is one word."""

    reason: str


BillLookup: TypeAlias = Bill | NothingDue | NoSuchConsumer


class Biller(Protocol):
    """A biller. Every call ends within the biller's deadline."""

    async def fetch_bill(self, consumer: str) -> BillLookup:
        """Return the bill of a consumer. Raises BillerUnavailableError."""

    async def post_payment(self, payment: BillPayment) -> PaymentPosted | PostRejected:
        """Post a payment. Raises BillerUnavailableError: the biller may have recorded it or not, and it is posted again."""
