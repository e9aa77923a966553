"""Count the moves between screens in memory, and write them in batches: a key press waits for none of it.

What a process counted since its last write is lost where it is killed.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, Final

from sqlalchemy import Table

from db.database import Database
from db.tables import monthly_screen_moves, screen_moves
from services.menu_traffic.models import Move

MAX_PENDING: Final = 20_000
"""Different moves that wait to be written; while the database is down, others are not counted."""
BATCH_SIZE: Final = 500

_is_network: Final = re.compile(r"[0-9]{5,6}", re.ASCII).fullmatch


class MoveCounter:
    """Counts moves. `today` is the date in the country of the service: a move belongs to the day on which it is written."""

    def __init__(self, database: Database, today: Callable[[], date]) -> None:
        self._database = database
        self._today = today
        self._pending: dict[Move, int] = {}
        self._upserts = {table: _build_upsert(database, table) for table in (screen_moves, monthly_screen_moves)}

    def count(self, move: Move) -> None:
        """Count one move."""
        pending = self._pending
        if move in pending:
            pending[move] += 1
        elif len(pending) < MAX_PENDING:
            pending[move] = 1

    async def write_pending(self) -> None:
        """Add what was counted to the database. What is not written after a failure is written the next time."""
        pending, self._pending = self._pending, {}
        batches = _split(_sum_by_network(pending))
        try:
            while batches:
                await self._write(batches[-1])
                batches.pop()
        finally:
            for move, times in (one for batch in batches for one in batch):
                self._pending[move] = self._pending.get(move, 0) + times

    async def _write(self, batch: Sequence[tuple[Move, int]]) -> None:
        """Write one batch to both tables. It is sorted: two processes that write the same rows would deadlock otherwise."""
        today = self._today()
        month = today.replace(day=1)
        of_day = {"day": today.isoformat(), "begins_at": _midnight(today)}
        of_month = {"month": f"{month:%Y-%m}", "begins_at": _midnight(month)}
        async with self._database.transaction() as transaction:
            for table, period in ((screen_moves, of_day), (monthly_screen_moves, of_month)):
                rows = [{**move._asdict(), "times": times, **period} for move, times in batch]
                await transaction.execute(self._upserts[table], rows)


def _sum_by_network(counts: Mapping[Move, int]) -> Sequence[tuple[Move, int]]:
    """The counts, sorted. A network that is no code of one is not written: a provider may send any text."""
    sums: dict[Move, int] = {}
    for move, times in counts.items():
        known = move if not move.network or _is_network(move.network) else move._replace(network="")
        sums[known] = sums.get(known, 0) + times
    return sorted(sums.items(), key=lambda one: (one[0].source, one[0].target, one[0]))


def _split(counts: Sequence[tuple[Move, int]]) -> list[Sequence[tuple[Move, int]]]:
    return [counts[start : start + BATCH_SIZE] for start in range(0, len(counts), BATCH_SIZE)]


def _build_upsert(database: Database, table: Table) -> Any:
    """An INSERT that adds to the count of a row that exists."""
    insert = database.insert(table)
    added = {"times": table.c.times + insert.excluded.times}
    return insert.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=added)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
