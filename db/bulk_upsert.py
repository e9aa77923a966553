"""Fast path: insert or replace many rows with one statement in one round trip.

In a transaction, with one execution for each row, the same takes four round trips, and each waits for a busy event loop
while a caller waits (`python -m bench.hops`).
"""

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    Column,
    ColumnElement,
    Select,
    Table,
    Text,
    bindparam,
    cast,
    column,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from core.deadline import NotRecordedError, check_time_left
from db.circuit_breaker import CircuitBreaker, DatabaseUnavailableError

UpsertRows: TypeAlias = Sequence[Mapping[str, Any]]
WriteRows: TypeAlias = Callable[[str], Awaitable[object]]
Columns: TypeAlias = Sequence[Column[Any]]


class WriteError(Exception):
    """The database rejected the rows, or did not answer. The message is the type of the error and never contains a value."""


class RejectedWriteError(WriteError, NotRecordedError):
    """The rows are certainly not written: the database rejected them, or could not be reached."""


class UnwritableError(RejectedWriteError, DatabaseUnavailableError):
    """The rows are certainly not written, because the database is down or takes no writes."""


class BulkUpsert:
    """Writes rows, each a mapping with every one of `columns`. Of two rows with the same key the later is written.

    `columns` are all columns of the table by default; columns that are left out keep their values.
    """

    def __init__(self, engine: AsyncEngine, table: Table, columns: Columns, breaker: CircuitBreaker) -> None:
        (self._key,) = table.primary_key.columns.keys()
        dialect, written_columns = engine.dialect, columns or tuple(table.columns)
        binds = {column.name: column.type.dialect_impl(dialect).bind_processor(dialect) for column in written_columns}
        self._binds = {name: bind for name, bind in binds.items() if bind}
        self._breaker = breaker
        self._write_rows = _WRITERS[dialect.name](engine, table, written_columns)

    async def __call__(self, rows: UpsertRows) -> None:
        """Write all rows or none.

        Raises:
            RejectedWriteError: none is written.
            UnwritableError: none is written, because the database is down or takes no writes.
            WriteError: the database did not answer, and none or all are written.
            OverloadedError: too little time is left, and none is written.
        """
        last = {row[self._key]: self._bind_values(row) for row in rows}
        # Sorted by key: two processes that write the same rows in different orders would deadlock.
        in_order = [last[key] for key in sorted(last, key=str)]
        try:
            with self._breaker.attempt() as attempt:
                attempt.is_in_doubt = True
                await self._write_rows(json.dumps(in_order, default=str, ensure_ascii=False))
        except DatabaseUnavailableError as error:
            raise UnwritableError(str(error)) from None
        except (DBAPIError, sqlite3.Error) as error:
            cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
            has_rejected = isinstance(error, sqlite3.Error) or not error.connection_invalidated
            raise (RejectedWriteError if has_rejected else WriteError)(type(cause).__name__) from None

    async def write_each(self, rows: UpsertRows) -> Sequence[BaseException | None]:
        """Write all rows at once or, where that fails, one by one: one error or None a row.

        Raises:
            WriteError: the only row is not written.
        """
        try:
            await self(rows)
        except WriteError:
            if len(rows) == 1:
                raise
            return await asyncio.gather(*(self([row]) for row in rows), return_exceptions=True)
        return [None] * len(rows)

    def _bind_values(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**row, **{name: bind(row[name]) for name, bind in self._binds.items()}}


def _postgresql_writer(engine: AsyncEngine, table: Table, columns: Columns) -> WriteRows:
    """For PostgreSQL: through SQLAlchemy, on a connection that commits each statement."""
    typed_columns = [column(one.name, one.type) for one in columns]
    records = func.jsonb_to_recordset(cast(bindparam("rows", type_=Text), JSONB)).table_valued(*typed_columns)
    upsert = _upsert_statement(postgresql.insert(table), columns, select(records.render_derived(with_types=True)))
    autocommit = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def write(rows: str) -> None:
        async with autocommit.connect() as connection:
            check_time_left()
            await connection.execute(upsert, {"rows": rows})

    return write


def _sqlite_writer(engine: AsyncEngine, table: Table, columns: Columns) -> WriteRows:
    """For SQLite: through the driver; SQLAlchemy would begin a transaction first, which is two more round trips."""
    each = func.json_each(bindparam("rows")).table_valued("value")
    parts: list[ColumnElement[Any]] = [literal_column(f"json_extract(value, '$.{one.name}')") for one in columns]
    records = (
        select(*parts).select_from(each).where(true())
    )  # without WHERE, SQLite parses ON CONFLICT as part of a join
    upsert = str(_upsert_statement(sqlite.insert(table), columns, records).compile(dialect=engine.dialect))

    async def write(rows: str) -> None:
        async with engine.connect() as connection:
            check_time_left()
            driver: Any = (await connection.get_raw_connection()).driver_connection
            await driver.execute(upsert, (rows,))

    return write


def _upsert_statement(insert: Any, columns: Columns, database: Select[Any]) -> Any:
    """`insert` from `records`, which replaces the row with the same key."""
    (key,) = (one for one in columns if one.primary_key)
    new = insert.from_select([one.name for one in columns], database)
    others = {one.name: new.excluded[one.name] for one in columns if one is not key}
    return new.on_conflict_do_update(index_elements=[key], set_=others)


_WRITERS: Final[Mapping[str, Callable[[AsyncEngine, Table, Columns], WriteRows]]] = {
    "postgresql": _postgresql_writer,
    "sqlite": _sqlite_writer,
}
