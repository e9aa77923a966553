"""Quiet hours by country or network: the hours of the night in which unsolicited messages are not sent."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Final, NamedTuple, Self
from zoneinfo import ZoneInfo

from core.phone_numbers import find_country

TIME_PATTERN: Final = "((?:[01][0-9]|2[0-3]):[0-5][0-9])"
QUIET_PERIOD_PATTERN: Final = re.compile(f"{TIME_PATTERN}-{TIME_PATTERN} ([A-Za-z0-9_+/-]+)")
EXAMPLE: Final = "20:00-08:00 Africa/Lagos"


class QuietPeriod(NamedTuple):
    """From one time of day to another in a time zone; past midnight if `end` is before `start`."""

    start: time
    end: time
    zone: ZoneInfo

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the period written as `20:00-08:00 Africa/Lagos`.

        Raises:
            ValueError: The text is not such a period, or the period is empty; the message is *problem; fix*.
        """
        parts = QUIET_PERIOD_PATTERN.fullmatch(text)
        if parts is None:
            raise ValueError(f"{text!r} is not a period with a time zone; write {EXAMPLE}")
        begins, ends = (time.fromisoformat(part) for part in parts.groups()[:2])
        if begins == ends:
            raise ValueError(f"{text!r} begins when it ends; write {EXAMPLE}")
        try:
            return cls(begins, ends, ZoneInfo(parts[3]))
        except (ValueError, OSError, KeyError):
            raise ValueError(f"{parts[3]!r} is not a time zone; write one such as Africa/Lagos") from None

    def end_after(self, now: datetime) -> datetime | None:
        """Return when the period that contains `now` ends, in UTC; None if `now` is outside it."""
        local = now.astimezone(self.zone)
        if not self._contains(local.time()):
            return None
        day = local.date() + timedelta(days=local.time() >= self.end)
        return datetime.combine(day, self.end, self.zone).astimezone(UTC)

    def _contains(self, time_of_day: time) -> bool:
        if self.start < self.end:
            return self.start <= time_of_day < self.end
        return time_of_day >= self.start or time_of_day < self.end


class QuietHours:
    """Tells whether an unsolicited message must wait. The period of a network overrides that of its country."""

    def __init__(self, periods: Mapping[str, QuietPeriod]) -> None:
        """`periods` has country codes (`NG`) and network codes (`62120`) as its keys."""
        self._periods = periods

    def __call__(self, msisdn: str, network: str, now: datetime) -> datetime | None:
        """Return when the quiet hours of the number end, in UTC; None if it has none now. `network` can be empty."""
        if not self._periods:
            return None
        period = self._periods.get(network) or self._periods.get(find_country(msisdn))
        return period.end_after(now) if period else None
