"""The periods that the page offers: days that are read as days, and months that are read as months."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

TREND_DAYS: Final = 30
MONTHS: Final = 12
WEEK: Final = 7


@dataclass(frozen=True, slots=True)
class Period:
    """A period: its name in the address, and the days or months that it has, the first one first.

    `trend` are those whose calls are drawn as bars, so that a single day stands among others.
    """

    name: str
    parts: Sequence[str]
    trend: Sequence[str]

    @property
    def month(self) -> str:
        """The month, such as `2026-11`, of a period that is one; empty for others."""
        return self.name if self.name[:1].isdigit() else ""


def list_periods(today: date) -> Sequence[Period]:
    """The periods that the page offers on a day; the first is the usual one."""
    trend = _list_days(today, TREND_DAYS)
    months = _list_months(today)
    return (
        Period("week", _list_days(today, WEEK), trend),
        Period("today", (today.isoformat(),), trend),
        Period("yesterday", ((today - timedelta(days=1)).isoformat(),), trend),
        Period("year", months, months),
        *(Period(month, (month,), months) for month in reversed(months)),
    )


def find_period(today: date, name: str) -> Period:
    """The period with a name; the usual one where there is none."""
    periods = list_periods(today)
    return next((one for one in periods if one.name == name), periods[0])


def _list_days(today: date, count: int) -> Sequence[str]:
    return tuple((today - timedelta(days=days)).isoformat() for days in reversed(range(count)))


def _list_months(today: date) -> Sequence[str]:
    months, first = [], today.replace(day=1)
    for _ in range(MONTHS):
        months.append(f"{first:%Y-%m}")
        before = first - timedelta(days=1)
        first = before.replace(day=1)
    return tuple(reversed(months))
