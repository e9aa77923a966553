"""The database the records stand in: reading it, and writing in transactions that tell when they are over."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self, TypeAlias, TypeVar

from sqlalchemy import ColumnElement, CursorResult, Executable, Table, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from services.records.engines import address, engines
from services.records.lookup import Lookup
from services.records.upsert import Columns, Upsert

Insert: TypeAlias = sqlite.Insert | postgresql.Insert
INSERTS: Mapping[str, Callable[[Table], Insert]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
Found = TypeVar("Found")
Values: TypeAlias = Mapping[str, Any]


class Transaction:
    """A connection with a transaction on it, and what is to be called once that is over."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._afterwards: dict[Callable[[], None], None] = {}

    async def execute(
        self, statement: Executable, values: Values | Sequence[Values] | None = None
    ) -> CursorResult[Any]:
        """Run `statement` within the transaction."""
        return await self._connection.execute(statement, values)

    def afterwards(self, call: Callable[[], None]) -> None:
        """Have `call` called once when the transaction is over; equal calls are one.

        It is called after a failed commit too: when a commit is cut off, nobody knows whether it was made.
        """
        self._afterwards[call] = None

    def over(self) -> None:
        """Call what was to be called."""
        for call in self._afterwards:
            call()


class Records:
    """One database: read outside of transactions, written within them."""

    def __init__(self, url: str, *, connections: int = 10) -> None:
        parsed = address(url)
        self.dialect = parsed.get_backend_name()
        self._writing, self._reading = engines(parsed, connections)
        self._lookups: list[Lookup[Any]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """All of it is written, or nothing; what it leaves to do is done when it is over."""
        transaction: Transaction | None = None
        try:
            async with self._writing.begin() as connection:
                transaction = Transaction(connection)
                yield transaction
        finally:
            if transaction is not None:
                transaction.over()

    async def read(self, statement: Executable, values: Values | None = None) -> CursorResult[Any]:
        """The rows of one statement, all of them fetched; it sees what was committed before."""
        async with self._reading.connect() as connection:
            return await connection.execute(statement, values)

    async def answers(self) -> None:
        """Return when the database answers; raises what it raises."""
        await self.read(select(1))

    def insert(self, table: Table) -> Insert:
        """An INSERT that knows ON CONFLICT."""
        return INSERTS[self.dialect](table)

    def insert_once(self, table: Table) -> Insert:
        """An INSERT that does nothing where a row with one of its unique values is there already."""
        return self.insert(table).on_conflict_do_nothing()

    def lookup(
        self, key: ColumnElement[str], columns: Sequence[ColumnElement[Any]], make: Callable[[Sequence[Any]], Found]
    ) -> Lookup[Found]:
        """What finds rows by `key` as cheaply as can be; it is closed with these records."""
        lookup = Lookup(self._reading, key, columns, make)
        self._lookups.append(lookup)
        return lookup

    def upsert(self, table: Table, columns: Columns = ()) -> Upsert:
        """What writes many rows of `table` in one trip, each new or in place of the one with its key.

        With `columns`, the key among them, what a row has in the others is left alone.
        """
        return Upsert(self._writing, table, columns)

    async def close(self) -> None:
        """Give every connection back."""
        for lookup in self._lookups:
            await lookup.close()
        await self._writing.dispose()
        await self._reading.dispose()
