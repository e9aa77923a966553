"""Retention: ends rows that have been stored long enough, in small batches.

Each rule walks through its table in the order of the primary key, a page at a time, and remembers where it stopped. So it
needs no index, a page costs the same in any table, and rows that do not end are passed by: they never stop it. The place
is in the database, so that a restart goes on there, and one process at a time takes a rule.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

import structlog
from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    bindparam,
    delete,
    select,
    tuple_,
    update,
)
from sqlalchemy.exc import SQLAlchemyError

from core.deadline import NotRecordedError
from core.logging import error_facts
from core.types import UtcClock, utc_now
from db.database import Database
from db.tables import retention_walks
from services.privacy.metrics import RetentionMetrics
from services.privacy.retention_rules import RETENTION_RULES, RetentionRule

BATCH_SIZE: Final = 500  # rows in one transaction, which takes milliseconds and delays no SMS
MAX_PAGES: Final = 50  # pages of one rule in one run
PAUSE: Final = 0.02  # seconds between two pages, for everything else
LEASE: Final = timedelta(minutes=10)  # another process takes over a rule whose process died; longer than a run

log = structlog.get_logger()


@dataclass(slots=True)
class _Walk:
    """The state of one walk: the key of the last row examined, and the oldest row so far."""

    place: list[Any] | None
    oldest: datetime | None
    ended_rows: int = 0
    is_complete: bool = False


class DataRetention:
    """Ends rows by RETENTION_RULES. `days` has the value of each setting in `[retention]`.

    `interval` is the time for which no process takes a rule again.
    """

    def __init__(
        self,
        database: Database,
        days: Mapping[str, int],
        *,
        clock: UtcClock = utc_now,
        metrics: RetentionMetrics | None = None,
        rules: Sequence[RetentionRule] = RETENTION_RULES,
        interval: timedelta = timedelta(),
        batch_size: int = BATCH_SIZE,
        max_pages: int = MAX_PAGES,
    ) -> None:
        self._database = database
        self._clock = clock
        self._metrics = metrics
        self._interval = interval
        self._max_pages = max_pages
        self._rules, self._days, self._batch_size = rules, days, batch_size

    @cached_property
    def _queries(self) -> Mapping[str, "_RuleQueries"]:
        """The statements of each rule; building them takes a while, which a start does not wait for."""
        return {rule.name: _RuleQueries(rule, self._days.get(rule.period, 0), self._batch_size) for rule in self._rules}

    async def delete_expired(self) -> int:
        """Run every rule that is due and that no other process runs, longest waiting first; return the number of ended rows.

        The rows of a rule that fails are left for the next run.
        """
        await self._add_missing_walks()
        counts: dict[str, int] = {}
        due = await self._database.fetch(_DUE, {"now": self._clock()})
        for name in [one for one in due.scalars() if one in self._queries]:
            if count := await self._run_or_log(self._queries[name]):
                counts[name] = count
        await self._report(counts)
        return sum(counts.values())

    async def _run_or_log(self, queries: "_RuleQueries") -> int:
        try:
            return await self._run_rule(queries)
        except (NotRecordedError, SQLAlchemyError, OSError) as error:
            log.error("retention_rule_failed", rule=queries.rule.name, **error_facts(error))
            return 0

    async def _run_rule(self, queries: "_RuleQueries") -> int:
        """Walk some pages from the remembered place; return the number of ended rows."""
        walk = await self._claim(queries.rule.name)
        if walk is None:
            return 0
        try:
            for _ in range(self._max_pages):
                await self._walk_page(queries, walk)
                if walk.is_complete:
                    break
                await asyncio.sleep(PAUSE)
        finally:
            await self._release(queries.rule.name, walk)
        return walk.ended_rows

    async def _walk_page(self, queries: "_RuleQueries", walk: _Walk) -> None:
        now = self._clock()
        before = now - queries.period
        rows = (await self._database.fetch(*queries.page_after(walk.place))).all()
        applicable = [row for row in rows if row.applies and row.timestamp is not None]
        expired = [queries.row_key(row) for row in applicable if row.timestamp < before]
        walk.ended_rows += await self._end_rows(queries, expired, before) if expired else 0
        left = [row.timestamp for row in applicable if row.timestamp >= before]
        walk.oldest = min(left if walk.oldest is None else [walk.oldest, *left], default=None)
        walk.is_complete = queries.is_last_page(rows, now)
        walk.place = None if walk.is_complete else queries.row_key(rows[-1])

    async def _end_rows(self, queries: "_RuleQueries", keys: list[list[Any]], before: datetime) -> int:
        """End the rows together, or where one of them cannot be ended, one by one; return how many ended."""
        try:
            return await self._end_batch(queries, keys, before)
        except SQLAlchemyError as error:
            if len(keys) == 1:
                log.error("expired_record_not_ended", rule=queries.rule.name, **error_facts(error))
                return 0
        return sum([await self._end_rows(queries, [key], before) for key in keys])

    async def _end_batch(self, queries: "_RuleQueries", keys: list[list[Any]], before: datetime) -> int:
        async with self._database.transaction() as transaction:
            ended = await transaction.execute(queries.end, {"keys": queries.as_parameter(keys), "before": before})
            return len(ended.all())

    async def _add_missing_walks(self) -> None:
        now = self._clock()
        async with self._database.transaction() as transaction:
            rows = [{"rule": name, "due_at": now} for name in self._queries]
            await transaction.execute(self._database.insert_or_ignore(retention_walks), rows)

    async def _claim(self, rule: str) -> _Walk | None:
        """Take a rule; None where another process has taken it."""
        now = self._clock()
        async with self._database.transaction() as transaction:
            claimed = await transaction.execute(_CLAIM, {"name": rule, "now": now, "until": now + LEASE})
            row = claimed.one_or_none()
        return None if row is None else _Walk(json.loads(row.place) if row.place else None, row.oldest_so_far)

    async def _release(self, rule: str, walk: _Walk) -> None:
        facts = {"due_at": self._clock() + self._interval, "place": json.dumps(walk.place) if walk.place else None}
        oldest = (
            {"oldest_at": walk.oldest, "oldest_so_far": None} if walk.is_complete else {"oldest_so_far": walk.oldest}
        )
        async with self._database.transaction() as transaction:
            statement = update(retention_walks).where(retention_walks.c.rule == rule)
            await transaction.execute(statement.values(**facts, **oldest))

    async def _report(self, counts: Mapping[str, int]) -> None:
        if counts:
            log.info("expired_records_ended", **counts)
        if self._metrics:
            oldest = {row.rule: row.oldest_at for row in await self._database.fetch(_OLDEST)}
            self._metrics.record(counts, oldest, self._clock())


class _RuleQueries:
    """The statements of one rule, each built once."""

    def __init__(self, rule: RetentionRule, days: int, batch_size: int) -> None:
        self.rule = rule
        self.period = timedelta(days=days)
        self.end = _build_end(rule)
        self._key = tuple(rule.table.primary_key.columns)
        self._batch_size = batch_size
        self._first_page = _build_page(rule, batch_size)
        self._next_page = self._first_page.where(_is_after(self._key))

    def page_after(self, place: list[Any] | None) -> tuple[Select[Any], dict[str, Any]]:
        """The query of the page after this key, or of the first page."""
        if place is None:
            return self._first_page, {}
        return self._next_page, {f"after_{number}": value for number, value in enumerate(place)}

    def row_key(self, row: Row[Any]) -> list[Any]:
        """The primary key of a row of a page."""
        return list(row[: len(self._key)])

    def as_parameter(self, keys: list[list[Any]]) -> list[Any]:
        """The keys as the parameter of `end`."""
        return [key[0] if len(self._key) == 1 else tuple(key) for key in keys]

    def is_last_page(self, rows: Sequence[Row[Any]], now: datetime) -> bool:
        """Whether the walk is complete: the table ends here, or all rows after these are too young.

        A row from the future says nothing about the next: the clock of a machine was wrong.
        """
        if len(rows) < self._batch_size:
            return True
        return self.rule.created is not None and now - self.period <= rows[-1].created <= now


def _build_page(rule: RetentionRule, batch_size: int) -> Select[Any]:
    """Rows in the order of their keys, with no filter but a partial index, so that a page costs the same wherever it is."""
    key = tuple(rule.table.primary_key.columns)
    created = (rule.created if rule.created is not None else rule.timestamp).label("created")
    columns = (rule.timestamp.label("timestamp"), created, rule.condition.label("applies"))
    page = select(*key, *columns).order_by(*key).limit(batch_size)
    return page if rule.among is None else page.where(rule.among)


def _is_after(key: tuple[ColumnElement[Any], ...]) -> ColumnElement[bool]:
    place = [bindparam(f"after_{number}", type_=column.type) for number, column in enumerate(key)]
    return key[0] > place[0] if len(key) == 1 else tuple_(*key) > tuple_(*place)


def _build_end(rule: RetentionRule) -> Any:
    """The DELETE or UPDATE of a rule. It checks each row again, and skips rows that another transaction has locked."""
    key = tuple(rule.table.primary_key.columns)
    whole_key: Any = key[0] if len(key) == 1 else tuple_(*key)
    is_named = whole_key.in_(bindparam("keys", expanding=True))
    expired = select(*key).where(is_named, rule.condition, rule.timestamp < bindparam("before"))
    expired = expired if rule.among is None else expired.where(rule.among)
    batch = expired.with_for_update(skip_locked=True).cte("batch")
    is_in_batch = whole_key.in_(select(*batch.c))
    if rule.values is None:
        return delete(rule.table).where(is_in_batch).returning(key[0])
    return update(rule.table).where(is_in_batch).values(rule.values).returning(key[0])


_DUE: Final = (
    select(retention_walks.c.rule)
    .where(retention_walks.c.due_at <= bindparam("now"))
    .order_by(retention_walks.c.due_at, retention_walks.c.rule)
)
_CLAIM: Final = (
    update(retention_walks)
    .where(retention_walks.c.rule == bindparam("name"), retention_walks.c.due_at <= bindparam("now"))
    .values(due_at=bindparam("until"))
    .returning(retention_walks.c.place, retention_walks.c.oldest_so_far)
)
_OLDEST: Final = select(retention_walks.c.rule, retention_walks.c.oldest_at)
