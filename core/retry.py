"""When to try again: exponential back-off, and the HTTP header `Retry-After`."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

MAX_RETRY_AFTER: Final = timedelta(hours=1)
RETRY_AFTER_DIGITS: Final = 6  # a longer number of seconds is not taken for one
MAX_DOUBLINGS: Final = 16  # keeps 2.0 ** attempts in range for any number of attempts


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential back-off: the delay doubles with each attempt, from `initial` to `maximum` seconds."""

    initial: float = 2.0
    maximum: float = 3600.0

    def delay(self, attempts: int, random_fraction: float = 0.0) -> timedelta:
        """Return the delay after this many attempts (1 or more), shortened by up to a half.

        `random_fraction`, between 0 and 1, spreads retries that failed at the same moment.
        """
        longest = min(self.initial * 2.0 ** min(attempts - 1, MAX_DOUBLINGS), self.maximum)
        return timedelta(seconds=longest * (1 - random_fraction / 2))


def parse_retry_after(header: str, now: datetime, *, maximum: timedelta = MAX_RETRY_AFTER) -> timedelta | None:
    """Return the wait a `Retry-After` header asks for (seconds or an HTTP date), at most `maximum`.

    None where the header is missing, unreadable or in the past.
    """
    if header.isascii() and header.isdigit() and len(header) <= RETRY_AFTER_DIGITS:
        wait = timedelta(seconds=int(header))
    else:
        wait = (_parse_http_date(header) or now) - now
    return min(wait, maximum) if wait > timedelta() else None


def _parse_http_date(header: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
