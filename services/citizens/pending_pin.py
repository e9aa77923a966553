"""The recovered PIN of an account that was not used for long: it replaces the other one after a notice."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row

NO_PENDING_PIN: Final = {"pending_pin_hash": None, "pending_pin_at": None}
"""The columns of an account without one."""


@dataclass(frozen=True, slots=True)
class RecoveryPolicy:
    """The time without use after which a recovered PIN works only after `notice`."""

    notice_after: timedelta = timedelta(days=90)
    notice: timedelta = timedelta(hours=24)


def is_pin_due(pending_pin_at: datetime | None, now: datetime) -> bool:
    """Whether a recovered PIN works by now."""
    return pending_pin_at is not None and pending_pin_at <= now


def effective_pin_hash(row: Row[Any], now: datetime) -> str:
    """The hash of the PIN that opens the account at this time."""
    return str(row.pending_pin_hash if is_pin_due(row.pending_pin_at, now) else row.pin_hash)
