"""Ranks services by the number of applications: counted periodically, never while a caller waits, equal in every process.

The ranking of a day counts the applications up to the day before. So it is known a day ahead and changes only at midnight:
a list keeps its numbers between two key presses, whichever process handles them.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, func, select

from db.database import Database
from db.tables import applications

WINDOW_DAYS: Final = 90
LOOKAHEAD: Final = timedelta(days=1)

_COUNT_QUERY = (
    select(applications.c.service, func.count().label("times"))
    .where(applications.c.created_at >= bindparam("since"), applications.c.created_at < bindparam("until"))
    .group_by(applications.c.service)
)


class ServiceUsage:
    """The ranking of services; days begin at midnight in `zone`."""

    def __init__(self, database: Database, zone: ZoneInfo, today: Callable[[], date]) -> None:
        self._database = database
        self._zone = zone
        self._today = today
        self._rankings: Mapping[date, Sequence[str]] = {}

    def ranking(self) -> Sequence[str]:
        """The codes of the services with applications, most first; empty before the first count."""
        return self._rankings.get(self._today(), ())

    async def refresh(self) -> None:
        """Count today's and tomorrow's ranking where it is missing."""
        today = self._today()
        days = (today, today + LOOKAHEAD)
        known = self._rankings
        self._rankings = {day: known[day] if day in known else await self._rank_services(day) for day in days}

    async def _rank_services(self, day: date) -> Sequence[str]:
        until = self._midnight(day - LOOKAHEAD)
        rows = await self._database.fetch(_COUNT_QUERY, {"since": until - timedelta(days=WINDOW_DAYS), "until": until})
        return [row.service for row in sorted(rows, key=lambda row: (-row.times, row.service))]

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self._zone)
