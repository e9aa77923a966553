"""Fast path: find one row by its key, straight through the driver.

SQLAlchemy compiles the statement and converts the columns. It does not execute it: its work around an execution costs
about five times the driver's, and these lookups run while a caller waits (`python -m bench.tracking`).
"""

import sqlite3
from collections import namedtuple
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar

from sqlalchemy import BigInteger, ColumnElement, Text, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from core.batching import Batcher
from db.circuit_breaker import CircuitBreaker, DatabaseUnavailableError

Found = TypeVar("Found")
Row: TypeAlias = Sequence[Any]
Key: TypeAlias = str | int
Columns: TypeAlias = Sequence[ColumnElement[Any]]

# Iterations of the event loop in which keys are collected for one SELECT: a round trip costs ten times one iteration.
BATCH_ITERATIONS: Final = 10
# Seconds. In WAL mode a reader waits only while another process opens the file.
BUSY_TIMEOUT: Final = 0.2


class ReadError(DatabaseUnavailableError):
    """The database did not answer. The message is the type of the error and never contains the key."""


class RowReader(Protocol):
    """Reads the other columns of the row with a key, as the driver returns them."""

    def __call__(self, key: Key) -> Awaitable[Row | None]:
        """The row, or None. Raises ReadError."""

    async def close(self) -> None:
        """Release the connection."""


class FastLookup(Generic[Found]):
    """Finds the row with a key and returns `build(row)`. The row is a named tuple of `columns`, by their names."""

    def __init__(
        self,
        engine: AsyncEngine,
        key: ColumnElement[Any],
        columns: Columns,
        build: Callable[[Any], Found],
        breaker: CircuitBreaker,
    ) -> None:
        self._reader = _READERS[engine.dialect.name](engine, key, columns, breaker)
        self._row_type: Any = namedtuple("Row", [column.key for column in columns])  # type: ignore[misc] # noqa: PYI024 - the fields are the columns
        converters = [
            column.type.dialect_impl(engine.dialect).result_processor(engine.dialect, None) for column in columns
        ]
        self._converters = [(index, convert) for index, convert in enumerate(converters) if convert]
        self._build = build

    async def __call__(self, key: Key) -> Found | None:
        """The row with this key, built; None where there is none.

        Raises:
            ReadError: the database did not answer in time.
        """
        row = await self._reader(key) if _is_storable(key) else None
        if row is None:
            return None
        values = list(row)
        for index, convert in self._converters:
            values[index] = convert(values[index])
        return self._build(self._row_type._make(values))

    async def close(self) -> None:
        """Release the connection."""
        await self._reader.close()


def _is_storable(key: Key) -> bool:
    """Whether the database may have this key. PostgreSQL would reject any other, and with it every key of its batch."""
    if isinstance(key, int):
        return abs(key) < 1 << 63
    return key.isascii() and key.isprintable()


class SqliteReader:
    """Reads rows of a SQLite file in the event loop's own thread.

    One row takes about ten microseconds; another thread would take ten times that. In WAL mode a reader does not wait
    for writers.
    """

    def __init__(self, engine: AsyncEngine, key: ColumnElement[Any], columns: Columns, _: CircuitBreaker) -> None:
        self._file = str(engine.url.database)
        self._sql = str(select(*columns).where(key == bindparam("key")).compile(dialect=engine.dialect))
        self._connection: sqlite3.Connection | None = None

    async def __call__(self, key: Key) -> Row | None:
        """The row, or None.

        Raises:
            ReadError: SQLite raised an error.
        """
        try:
            if self._connection is None:
                self._connection = _open_connection(self._file)
            row: Row | None = self._connection.execute(self._sql, (key,)).fetchone()
        except sqlite3.Error as error:
            await self.close()
            raise ReadError(type(error).__name__) from None
        return row

    async def close(self) -> None:
        """Close the connection; the next call opens another one."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.close()


def _open_connection(file: str) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=BUSY_TIMEOUT, isolation_level=None)
    connection.execute("PRAGMA query_only = ON")
    return connection


class PostgresReader:
    """Reads rows of a PostgreSQL database; concurrent calls become one SELECT.

    It keeps one connection open. When that breaks, the SELECT is repeated once on a new connection.
    """

    def __init__(self, engine: AsyncEngine, key: ColumnElement[Any], columns: Columns, breaker: CircuitBreaker) -> None:
        # All keys are one array parameter, so that one prepared statement serves any number of keys.
        key_type = BigInteger if key.type.python_type is int else Text
        any_of_keys = key == any_(bindparam("keys", type_=ARRAY(key_type)))
        self._sql = str(select(key, *columns).where(any_of_keys).compile(dialect=engine.dialect))
        self._engine = engine
        self._breaker = breaker
        self._connection: AsyncConnection | None = None
        self._batcher: Batcher[Key, Row | None] = Batcher(self._fetch_batch, loop_turns=BATCH_ITERATIONS)

    def __call__(self, key: Key) -> Awaitable[Row | None]:
        """The row, or None. Raises ReadError."""
        return self._batcher(key)

    async def close(self) -> None:
        """Release the connection."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close()

    async def _fetch_batch(self, keys: Sequence[Key]) -> list[Row | None]:
        try:
            with self._breaker.attempt():
                rows = await self._fetch_with_retry(list(dict.fromkeys(keys)))
        except DatabaseUnavailableError as error:
            raise ReadError(str(error)) from None
        except Exception as error:  # noqa: BLE001 - the driver raises errors of many kinds
            raise ReadError(type(error).__name__) from None
        rows_by_key = {row[0]: row[1:] for row in rows}
        return [rows_by_key.get(key) for key in keys]

    async def _fetch_with_retry(self, keys: Sequence[Key]) -> Sequence[Row]:
        was_connected = self._connection is not None
        try:
            return await self._fetch(keys)
        except Exception as error:
            await self._discard_connection()
            if not was_connected or isinstance(error, TimeoutError):  # a new connection would not be faster
                raise
        return await self._fetch_with_retry(keys)

    async def _fetch(self, keys: Sequence[Key]) -> Sequence[Row]:
        if self._connection is None:
            self._connection = await self._engine.connect()
        driver: Any = (await self._connection.get_raw_connection()).driver_connection
        rows: Sequence[Row] = await driver.fetch(self._sql, keys)
        return rows

    async def _discard_connection(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.invalidate()
            await connection.close()


_READERS: Final[dict[str, Callable[[AsyncEngine, ColumnElement[str], Columns, CircuitBreaker], RowReader]]] = {
    "postgresql": PostgresReader,
    "sqlite": SqliteReader,
}
