"""Which services are applied for most: counted now and then, never while somebody waits, and the same in every process.

The order of a day follows from what was handed in before the day before it began, so that it is known a day ahead and
changes nowhere but at midnight: a list keeps its numbers between two key presses, whichever process hears them.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, func, select

from services.records.database import Records
from services.records.tables import applications

DAYS: Final = 90
AHEAD: Final = timedelta(days=1)

_COUNTED = (
    select(applications.c.service, func.count().label("times"))
    .where(applications.c.created_at >= bindparam("since"), applications.c.created_at < bindparam("until"))
    .group_by(applications.c.service)
)


class Usage:
    """The services in the order of how often they were applied for; days begin at midnight in `zone`."""

    def __init__(self, records: Records, zone: ZoneInfo, today: Callable[[], date]) -> None:
        self._records = records
        self._zone = zone
        self._today = today
        self._orders: Mapping[date, Sequence[str]] = {}

    def order(self) -> Sequence[str]:
        """Codes of those that were applied for, today's most used first; none as long as they were not counted."""
        return self._orders.get(self._today(), ())

    async def count(self) -> None:
        """Count for today and tomorrow what is not counted yet."""
        today = self._today()
        days = (today, today + AHEAD)
        known = self._orders
        self._orders = {day: known[day] if day in known else await self._counted(day) for day in days}

    async def _counted(self, day: date) -> Sequence[str]:
        until = self._midnight(day - AHEAD)
        rows = await self._records.read(_COUNTED, {"since": until - timedelta(days=DAYS), "until": until})
        return [row.service for row in sorted(rows, key=lambda row: (-row.times, row.service))]

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self._zone)
