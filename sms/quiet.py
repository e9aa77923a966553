"""The night of each network: when messages that can wait are not sent there."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Final, NamedTuple, Self
from zoneinfo import ZoneInfo

import phonenumbers

CLOCK: Final = "((?:[01][0-9]|2[0-3]):[0-5][0-9])"
FORM: Final = re.compile(f"{CLOCK}-{CLOCK} ([A-Za-z0-9_+/-]+)")
EXAMPLE: Final = "20:00-08:00 Africa/Lagos"


class Quiet(NamedTuple):
    """From one time of day to another, past midnight where that is earlier, in a time zone."""

    begins: time
    ends: time
    zone: ZoneInfo

    @classmethod
    def read(cls, written: str) -> Self:
        """`20:00-08:00 Africa/Lagos`; ValueError where it is written otherwise, or says nothing."""
        parts = FORM.fullmatch(written)
        if parts is None:
            raise ValueError(f"{written!r} is no time of day and zone; write {EXAMPLE}")
        begins, ends = (time.fromisoformat(part) for part in parts.groups()[:2])
        if begins == ends:
            raise ValueError(f"{written!r} begins when it ends; write {EXAMPLE}")
        try:
            return cls(begins, ends, ZoneInfo(parts[3]))
        except (ValueError, OSError, KeyError):
            raise ValueError(f"{parts[3]!r} is not a time zone; write one such as Africa/Lagos") from None

    def until(self, now: datetime) -> datetime | None:
        """When it ends, in UTC, where `now` is within it; None where it is not."""
        there = now.astimezone(self.zone)
        if not self._holds(there.time()):
            return None
        day = there.date() + timedelta(days=there.time() >= self.ends)
        return datetime.combine(day, self.ends, self.zone).astimezone(UTC)

    def _holds(self, clock: time) -> bool:
        if self.begins < self.ends:
            return self.begins <= clock < self.ends
        return clock >= self.begins or clock < self.ends


class QuietHours:
    """When a message may go to a number: a network's own night counts, else that of its country."""

    def __init__(self, nights: Mapping[str, Quiet]) -> None:
        """By country (`NG`) or by network code (`62120`)."""
        self._nights = nights

    def __call__(self, number: str, network: str, now: datetime) -> datetime | None:
        """When it is over, where it is night for `number` now; `network` is the code of its network, if known."""
        if not self._nights:
            return None
        night = self._nights.get(network) or self._nights.get(_country(number))
        return night.until(now) if night else None


@lru_cache(maxsize=10_000)
def _country(number: str) -> str:
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number)) or ""
    except phonenumbers.NumberParseException:
        return ""
