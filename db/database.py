"""The database: single statements that read, and transactions that write."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, Self, TypeAlias, TypeVar

from sqlalchemy import ColumnElement, CursorResult, Executable, Table, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from core.deadline import current_deadline
from db.bulk_upsert import BulkUpsert, Columns
from db.circuit_breaker import CircuitBreaker
from db.commit import commit_in_time
from db.connection_slots import ConnectionSlots
from db.engines import create_engines, create_lookup_engine, parse_database_url
from db.fast_lookup import FastLookup

Insert: TypeAlias = sqlite.Insert | postgresql.Insert
INSERT_BUILDERS: Mapping[str, Callable[[Table], Insert]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
Found = TypeVar("Found")
Values: TypeAlias = Mapping[str, Any]


RESERVED_CONNECTIONS: Final = 2
"""Connections of PostgreSQL's pool that transactions leave to single statements and to writers of batches."""


def count_transactions(dialect: str, pool_size: int) -> int:
    """The number of transactions that may be open at the same time; SQLite has one writer."""
    return 1 if dialect == "sqlite" else max(1, pool_size - RESERVED_CONNECTIONS)


class Transaction:
    """An open transaction, with the callbacks that run after it. `has_failed`: the database did not execute a statement."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self.has_failed = False
        self._callbacks: dict[Callable[[], None], None] = {}

    async def execute(
        self, statement: Executable, values: Values | Sequence[Values] | None = None
    ) -> CursorResult[Any]:
        """Execute `statement` in this transaction; the result, with the rows that it returns."""
        try:
            return await self._connection.execute(statement, values)
        except Exception:
            self.has_failed = True
            raise

    def after_transaction(self, callback: Callable[[], None]) -> None:
        """Call `callback` once after the transaction; equal callbacks are called once.

        It is called after a failed commit too: when the connection breaks during a commit, the outcome is unknown.
        """
        self._callbacks[callback] = None

    def run_callbacks(self) -> None:
        """Call every registered callback."""
        for call in self._callbacks:
            call()


class Database:
    """One database. Reads are single statements outside transactions; writes need a transaction."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        parsed = parse_database_url(url)
        self.dialect = parsed.get_backend_name()
        self._write_engine, self._read_engine = create_engines(parsed, pool_size)
        self._lookup_engine = create_lookup_engine(parsed)
        self._slots = ConnectionSlots(count_transactions(self.dialect, pool_size))
        self._breaker = CircuitBreaker()
        self._lookups: list[FastLookup[Any]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """A transaction for the block: it commits at the end, or rolls back on an exception; then its callbacks run.

        It neither begins nor commits for a caller whose deadline is nearly over. A commit that has begun is awaited, also
        where the caller's task is cancelled meanwhile.

        Raises:
            DatabaseUnavailableError: nothing was written: the database is down, or takes no writes.
            OverloadedError: nothing was written: no connection became free, or too little time was left.
            OutcomeUnknownError: the answer to the commit did not come in time. Where the database fails during the commit,
                the error of the driver means the same.
        """
        deadline = current_deadline()
        if deadline is not None:
            deadline.check_begin()
        with self._breaker.attempt() as attempt:
            async with self._slots.hold(deadline):
                transaction: Transaction | None = None
                try:
                    async with self._write_engine.connect() as connection, connection.begin() as inner:
                        transaction = Transaction(connection)
                        try:
                            yield transaction
                        except Exception:
                            attempt.is_error_of_work = not transaction.has_failed
                            raise
                        attempt.is_in_doubt = True
                        if deadline is not None:
                            await commit_in_time(inner, deadline)
                finally:
                    if transaction is not None:
                        transaction.run_callbacks()

    async def fetch(self, statement: Executable, values: Values | None = None) -> CursorResult[Any]:
        """Execute one statement that reads; the result, with all rows fetched. It sees every earlier commit.

        Raises:
            DatabaseUnavailableError: the database is down.
        """
        with self._breaker.attempt():
            async with self._read_engine.connect() as connection:
                return await connection.execute(statement, values)

    async def ping(self) -> None:
        """Check that the database answers; raises DatabaseUnavailableError or the error of the driver if it does not."""
        await self.fetch(select(1))

    def insert(self, table: Table) -> Insert:
        """An INSERT for the dialect of this database, which supports ON CONFLICT."""
        return INSERT_BUILDERS[self.dialect](table)

    def insert_or_ignore(self, table: Table) -> Insert:
        """An INSERT that does nothing where a row with the same unique value exists."""
        return self.insert(table).on_conflict_do_nothing()

    def fast_lookup(
        self, key: ColumnElement[Any], columns: Sequence[ColumnElement[Any]], build: Callable[[Any], Found]
    ) -> FastLookup[Found]:
        """A lookup of rows by `key` through the driver; closed with this database. See `db.fast_lookup`."""
        lookup = FastLookup(self._lookup_engine, key, columns, build, self._breaker)
        self._lookups.append(lookup)
        return lookup

    def bulk_upsert(self, table: Table, columns: Columns = ()) -> BulkUpsert:
        """A writer that inserts or replaces many rows of `table` in one round trip. See `db.bulk_upsert`.

        `columns`, which include the key, limit it to these columns; the others keep their values.
        """
        return BulkUpsert(self._write_engine, table, columns, self._breaker)

    async def close(self) -> None:
        """Close every connection."""
        for lookup in self._lookups:
            await lookup.close()
        await self._write_engine.dispose()
        await self._read_engine.dispose()
        await self._lookup_engine.dispose()
