"""Finding one row by its key, as every call does, straight to the driver.

SQLAlchemy writes the statement and knows how each column is read, but what it does around every execution costs some
five times what the driver does, and this runs on the way of a key press.
"""

import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar

from sqlalchemy import ColumnElement, Text, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from together import Together

Found = TypeVar("Found")
Row: TypeAlias = Sequence[Any]
Columns: TypeAlias = Sequence[ColumnElement[Any]]

TURNS = 10  # of the loop in which keys come together: a trip to the server costs ten times what one of them does
BUSY = 0.2  # seconds: in WAL mode nobody who reads waits, but for the moment in which another process opens the file


class RecordsUnreadable(Exception):
    """The database did not answer. The message names the kind of error, and nothing that was asked for."""


class Rows(Protocol):
    """One database's way to the row with a key: its other columns as the driver gives them, or None."""

    def __call__(self, key: str) -> Awaitable[Row | None]:
        """Raises RecordsUnreadable."""

    async def close(self) -> None:
        """Give the connection back."""


class Lookup(Generic[Found]):
    """Call it with a key: it gives `make` of the other columns of the row with that key, or None."""

    def __init__(
        self, engine: AsyncEngine, key: ColumnElement[str], columns: Columns, make: Callable[[Row], Found]
    ) -> None:
        self._row = _ROWS[engine.dialect.name](engine, key, columns)
        reads = [column.type.dialect_impl(engine.dialect).result_processor(engine.dialect, None) for column in columns]
        self._read = [(place, read) for place, read in enumerate(reads) if read]
        self._make = make

    async def __call__(self, key: str) -> Found | None:
        """Raises RecordsUnreadable when the database does not answer in time."""
        # Keys are digits. What no database could hold as text must not spoil the question of everybody who asks now.
        row = await self._row(key) if key.isascii() and key.isprintable() else None
        if row is None:
            return None
        values = list(row)
        for place, read in self._read:
            values[place] = read(values[place])
        return self._make(values)

    async def close(self) -> None:
        """Give the connection back."""
        await self._row.close()


class FileRows:
    """Rows of a SQLite file, read where they are asked for.

    To read one row takes some ten microseconds, and to have another thread do it ten times that; and in WAL mode who
    reads waits for no writer.
    """

    def __init__(self, engine: AsyncEngine, key: ColumnElement[str], columns: Columns) -> None:
        self._file = str(engine.url.database)
        self._sql = str(select(*columns).where(key == bindparam("key")).compile(dialect=engine.dialect))
        self._held: sqlite3.Connection | None = None

    async def __call__(self, key: str) -> Row | None:
        """As `Rows` has it."""
        try:
            if self._held is None:
                self._held = _opened(self._file)
            row: Row | None = self._held.execute(self._sql, (key,)).fetchone()
        except sqlite3.Error as error:
            await self.close()
            raise RecordsUnreadable(type(error).__name__) from None
        return row

    async def close(self) -> None:
        """As `Rows` has it."""
        if self._held is not None:
            held, self._held = self._held, None
            held.close()


def _opened(file: str) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=BUSY, isolation_level=None)
    connection.execute("PRAGMA query_only = ON")
    return connection


class ServerRows:
    """Rows of a PostgreSQL: what is asked for at once is one SELECT.

    It holds one connection for as long as that lives. Where it breaks, the question is asked once more on a new one.
    """

    def __init__(self, engine: AsyncEngine, key: ColumnElement[str], columns: Columns) -> None:
        # All the keys are one parameter, so that the statement is one, and prepared once, however many they are.
        among = key == any_(bindparam("keys", type_=ARRAY(Text)))
        self._sql = str(select(key, *columns).where(among).compile(dialect=engine.dialect))
        self._engine = engine
        self._held: AsyncConnection | None = None
        self._together: Together[str, Row | None] = Together(self._find, turns=TURNS)

    def __call__(self, key: str) -> Awaitable[Row | None]:
        """As `Rows` has it."""
        return self._together(key)

    async def close(self) -> None:
        """As `Rows` has it."""
        if self._held is not None:
            held, self._held = self._held, None
            await held.close()

    async def _find(self, keys: Sequence[str]) -> list[Row | None]:
        found = {row[0]: row[1:] for row in await self._rows(list(dict.fromkeys(keys)))}
        return [found.get(key) for key in keys]

    async def _rows(self, keys: Sequence[str]) -> Sequence[Row]:
        held = self._held is not None
        try:
            return await self._ask(keys)
        except Exception as error:  # noqa: BLE001 - whatever a driver raises
            await self._drop()
            if not held or isinstance(error, TimeoutError):  # a new connection would not answer sooner
                raise RecordsUnreadable(type(error).__name__) from None
        return await self._rows(keys)

    async def _ask(self, keys: Sequence[str]) -> Sequence[Row]:
        if self._held is None:
            self._held = await self._engine.connect()
        driver: Any = (await self._held.get_raw_connection()).driver_connection
        rows: Sequence[Row] = await driver.fetch(self._sql, keys)
        return rows

    async def _drop(self) -> None:
        """Let go of a connection that cannot be trusted any more."""
        if self._held is not None:
            held, self._held = self._held, None
            await held.invalidate()
            await held.close()


_ROWS: Final[dict[str, Callable[[AsyncEngine, ColumnElement[str], Columns], Rows]]] = {
    "postgresql": ServerRows,
    "sqlite": FileRows,
}
