"""A biller of samples: what a consumer owes follows from the number, and is good for nothing.

A number that ends with 9 is nobody's and one that ends with 0 owes nothing; of one that ends with 8 the payment is not taken,
so that it is given back. Every month has another bill.
"""

from datetime import timedelta
from hashlib import sha256
from typing import Final

from services.given import Clock, utc_now
from services.payments.billing import Bill, Looked, NoSuchConsumer, NothingDue, NotPosted, Payment, Posted

NOBODY, OWES_NOTHING, NOT_TAKEN = "9", "0", "8"
LEAST, SPREAD = 150, 1800  # whole units of the currency
NAMES: Final = ("S*** C***", "S*** K***", "N*** B***", "T*** R***")


class SandboxBiller:
    """One of them, named by its code in the catalogue."""

    def __init__(self, code: str, currency: str, *, clock: Clock = utc_now) -> None:
        self._code = code
        self._currency = currency
        self._clock = clock

    async def look(self, consumer: str) -> Looked:
        """The sample of this month."""
        if consumer.endswith(NOBODY):
            return NoSuchConsumer()
        if consumer.endswith(OWES_NOTHING):
            return NothingDue()
        today = self._clock().date()
        drawn = _drawn(f"{self._code} {consumer} {today:%Y-%m}")
        amount = (LEAST + drawn % SPREAD) * 100
        due = (today.replace(day=1) + timedelta(days=40)).replace(day=5)
        return Bill(f"{today:%Y%m}", amount, self._currency, due, NAMES[_drawn(consumer) % len(NAMES)])

    async def post(self, payment: Payment) -> Posted | NotPosted:
        """The receipt follows from the payment, so that it is the same each time."""
        if payment.consumer.endswith(NOT_TAKEN):
            return NotPosted("SampleRefusal")
        return Posted(f"B{_drawn(payment.key) % 10**8:08}")


def _drawn(said: str) -> int:
    return int.from_bytes(sha256(said.encode()).digest()[:8])
