"""Parse timestamps that come from outside: only those that can be stored and compared in every time zone."""

from datetime import UTC, datetime, timedelta
from typing import Final

EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
MAX_LIFETIME: Final = timedelta(days=3650)
MAX_LIFETIME_DIGITS: Final = 9


def parse_timestamp(text: str) -> datetime | None:
    """The moment of an ISO 8601 text in UTC, which is also its zone where it names none.

    None for any other text, and for a moment before 1970 or after 2199.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):  # OverflowError: in UTC it is before the year 1 or after 9999
        return None
    return moment if is_storable(moment) else None


def parse_lifetime(value: object) -> timedelta:
    """The seconds, a number or digits, for which something is valid; zero for any other value, and above `MAX_LIFETIME`."""
    text = str(value)
    is_number = text.isascii() and text.isdigit() and len(text) <= MAX_LIFETIME_DIGITS
    lifetime = timedelta(seconds=int(text)) if is_number else timedelta()
    return lifetime if lifetime <= MAX_LIFETIME else timedelta()


def is_storable(moment: datetime) -> bool:
    """Whether an aware moment is from 1970 to 2199. It compares without a conversion, which can overflow."""
    return EARLIEST <= moment < LATEST
