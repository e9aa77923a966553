"""A sandbox biller: the bill follows from the consumer number, and is worth nothing.

A number that ends with 9 is unknown, and one that ends with 0 has nothing due. The payment for a number that ends with 8 is
rejected, so that it is refunded. Each month has a new bill.
"""

from datetime import timedelta
from hashlib import sha256
from typing import Final

from core.types import UtcClock, utc_now
from services.payments.billers.base import (
    Bill,
    BillLookup,
    BillPayment,
    NoSuchConsumer,
    NothingDue,
    PaymentPosted,
    PostRejected,
)

UNKNOWN_SUFFIX, NOTHING_DUE_SUFFIX, REJECTED_SUFFIX = "9", "0", "8"
MIN_AMOUNT, AMOUNT_RANGE = 150, 1800  # whole units of the currency
SAMPLE_NAMES: Final = ("S*** C***", "S*** K***", "N*** B***", "T*** R***")


class SandboxBiller:
    """A sandbox biller, named by its code in the catalogue."""

    def __init__(self, code: str, currency: str, *, clock: UtcClock = utc_now) -> None:
        self._code = code
        self._currency = currency
        self._clock = clock

    async def fetch_bill(self, consumer: str) -> BillLookup:
        """Return the sample bill of this month."""
        if consumer.endswith(UNKNOWN_SUFFIX):
            return NoSuchConsumer()
        if consumer.endswith(NOTHING_DUE_SUFFIX):
            return NothingDue()
        today = self._clock().date()
        number = _derive_number(f"{self._code} {consumer} {today:%Y-%m}")
        amount = (MIN_AMOUNT + number % AMOUNT_RANGE) * 100
        due = (today.replace(day=1) + timedelta(days=40)).replace(day=5)
        return Bill(
            f"{today:%Y%m}", amount, self._currency, due, SAMPLE_NAMES[_derive_number(consumer) % len(SAMPLE_NAMES)]
        )

    async def post_payment(self, payment: BillPayment) -> PaymentPosted | PostRejected:
        """Return a receipt that follows from the payment, so that it is the same each time."""
        if payment.consumer.endswith(REJECTED_SUFFIX):
            return PostRejected("SampleRefusal")
        return PaymentPosted(f"B{_derive_number(payment.key) % 10**8:08}")


def _derive_number(seed: str) -> int:
    return int.from_bytes(sha256(seed.encode()).digest()[:8])
