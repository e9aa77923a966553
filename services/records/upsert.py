"""Writing many rows at once, each new or in place of the one with its key: one statement, and one trip for all of them.

In a transaction, with a row for each execution, the same takes four trips, and on the way of a key press each of them
waits for a turn of a busy event loop.
"""

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

Rows: TypeAlias = Sequence[Mapping[str, Any]]
Write: TypeAlias = Callable[[str], Awaitable[object]]
Columns: TypeAlias = Sequence[Column[Any]]


class NotWritten(Exception):
    """The database refused these rows, or did not answer. The message names the kind of error, and nothing of a row."""


class Upsert:
    """Call it with rows, each naming every one of `columns`; of two with one key the later is written.

    `columns` are all of the table unless others are said; what a row has in the rest of them is left alone.
    """

    def __init__(self, engine: AsyncEngine, table: Table, columns: Columns = ()) -> None:
        (self._key,) = table.primary_key.columns.keys()
        dialect, written = engine.dialect, columns or tuple(table.columns)
        binds = {column.name: column.type.dialect_impl(dialect).bind_processor(dialect) for column in written}
        self._binds = {name: bind for name, bind in binds.items() if bind}
        self._write = _WRITES[dialect.name](engine, table, written)

    async def __call__(self, rows: Rows) -> None:
        """All are written when this returns, or none is and NotWritten raised."""
        last = {row[self._key]: self._bound(row) for row in rows}
        # In the order of their keys, or two processes that write the same rows could wait for each other.
        in_order = [last[key] for key in sorted(last, key=str)]
        try:
            await self._write(json.dumps(in_order, default=str, ensure_ascii=False))
        except (DBAPIError, sqlite3.Error) as error:
            refused = error.orig if isinstance(error, DBAPIError) and error.orig else error
            raise NotWritten(type(refused).__name__) from None

    def _bound(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**row, **{name: bind(row[name]) for name, bind in self._binds.items()}}


def _into_server(engine: AsyncEngine, table: Table, columns: Columns) -> Write:
    """For PostgreSQL: by SQLAlchemy, on a connection where each statement is committed by itself."""
    typed = [column(one.name, one.type) for one in columns]
    records = func.jsonb_to_recordset(cast(bindparam("rows", type_=Text), JSONB)).table_valued(*typed)
    upsert = _in_place(postgresql.insert(table), columns, select(records.render_derived(with_types=True)))
    at_once = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def write(rows: str) -> None:
        async with at_once.connect() as connection:
            await connection.execute(upsert, {"rows": rows})

    return write


def _into_file(engine: AsyncEngine, table: Table, columns: Columns) -> Write:
    """For SQLite: straight to the driver, for SQLAlchemy would begin a transaction first, and that is two more trips."""
    each = func.json_each(bindparam("rows")).table_valued("value")
    parts: list[ColumnElement[Any]] = [literal_column(f"json_extract(value, '$.{one.name}')") for one in columns]
    records = select(*parts).select_from(each).where(true())  # without a WHERE, SQLite takes ON CONFLICT for a join
    upsert = str(_in_place(sqlite.insert(table), columns, records).compile(dialect=engine.dialect))

    async def write(rows: str) -> None:
        async with engine.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            await driver.execute(upsert, (rows,))

    return write


def _in_place(insert: Any, columns: Columns, records: Select[Any]) -> Any:
    """`insert` of these records, each over the row that has its key."""
    (key,) = (one for one in columns if one.primary_key)
    new = insert.from_select([one.name for one in columns], records)
    others = {one.name: new.excluded[one.name] for one in columns if one is not key}
    return new.on_conflict_do_update(index_elements=[key], set_=others)


_WRITES: Final[Mapping[str, Callable[[AsyncEngine, Table, Columns], Write]]] = {
    "postgresql": _into_server,
    "sqlite": _into_file,
}
