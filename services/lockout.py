"""How many wrong tries an account bears, and for how long it is closed then."""

from dataclasses import dataclass
from datetime import datetime, timedelta

TRIES = 5
CLOSED = (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=24))
"""For the first five wrong tries in a row, for the next five, and for every five after that."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Wrong tries since the last right one, and until when the account is closed for them."""

    failures: int = 0
    until: datetime | None = None

    @property
    def left(self) -> int:
        """How many more wrong tries there are before it is closed."""
        return TRIES - self.failures % TRIES

    def closed(self, now: datetime) -> bool:
        """Whether no try is heard at this time."""
        return self.until is not None and now < self.until

    def after_wrong(self, now: datetime) -> "Tally":
        """The tally with one more wrong try; the last of five closes."""
        failures = self.failures + 1
        times, rest = divmod(failures, TRIES)
        if rest:
            return Tally(failures, self.until)
        return Tally(failures, now + CLOSED[min(times, len(CLOSED)) - 1])
