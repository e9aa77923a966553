"""The database the records stand in: reading it, and writing in transactions that tell when they are over."""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self, TypeAlias

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Dialect,
    Executable,
    Table,
    Text,
    TypeDecorator,
    any_,
    bindparam,
    func,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from services.records.engines import address, engines

Insert: TypeAlias = sqlite.Insert | postgresql.Insert
INSERTS: Mapping[str, Callable[[Table], Insert]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
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

    def among(self, column: ColumnElement[str]) -> ColumnElement[bool]:
        """Whether `column` is one of the texts given as `asked`: one statement text, however many they are."""
        if self.dialect == "postgresql":
            return column == any_(bindparam("asked", type_=postgresql.ARRAY(Text)))
        listed = func.json_each(bindparam("asked", type_=JsonList)).table_valued("value")
        return column.in_(select(listed.c.value))

    async def close(self) -> None:
        """Give every connection back."""
        await self._writing.dispose()
        await self._reading.dispose()


class JsonList(TypeDecorator[Sequence[str]]):
    """Texts as one JSON list, which is what SQLite's `json_each` reads."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Sequence[str] | None, dialect: Dialect) -> str:  # noqa: ARG002 - SQLAlchemy gives it
        """The list as JSON text."""
        return json.dumps(value)
