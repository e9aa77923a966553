"""Finding one row by its key, as every call does: what is asked in one loop turn is one SELECT, straight to the driver.

SQLAlchemy writes the statement and knows how each column is read, but what it does around every execution costs some
five times what the driver does, and this runs on the way of a key press.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Generic, TypeAlias, TypeVar

from sqlalchemy import ColumnElement, Text, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from together import Together

Found = TypeVar("Found")
Rows: TypeAlias = Sequence[Sequence[Any]]


class RecordsUnreadable(Exception):
    """The database did not answer. The message names the kind of error, and nothing that was asked for."""


class Lookup(Generic[Found]):
    """Call it with a key: it gives `make` of the other columns of the row with that key, or None.

    It holds one connection for as long as that lives. Where it breaks, the question is asked once more on a new one.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        key: ColumnElement[str],
        columns: Sequence[ColumnElement[Any]],
        make: Callable[[Sequence[Any]], Found],
    ) -> None:
        among, self._fetch = DRIVERS[engine.dialect.name]
        self._engine = engine
        self._sql = str(select(key, *columns).where(among(key)).compile(dialect=engine.dialect))
        self._reads = [
            column.type.dialect_impl(engine.dialect).result_processor(engine.dialect, None) for column in columns
        ]
        self._make = make
        self._held: AsyncConnection | None = None
        self._together: Together[str, Found | None] = Together(self._find, linger=LINGERS)

    async def __call__(self, key: str) -> Found | None:
        """Raises RecordsUnreadable when the database does not answer in time."""
        # Keys are digits. What no database could hold as text must not spoil the question of everybody who asks now.
        return await self._together(key) if key.isascii() and key.isprintable() else None

    async def close(self) -> None:
        """Give the connection back."""
        if self._held is not None:
            held, self._held = self._held, None
            await held.close()

    async def _find(self, keys: Sequence[str]) -> list[Found | None]:
        rows = await self._rows(list(dict.fromkeys(keys)))
        found = {key: self._make([*map(_read, self._reads, values)]) for key, *values in rows}
        return [found.get(key) for key in keys]

    async def _rows(self, keys: Sequence[str]) -> Rows:
        held = self._held is not None
        try:
            return await self._ask(keys)
        except Exception as error:  # noqa: BLE001 - whatever a driver raises
            await self._drop()
            if not held or isinstance(error, TimeoutError):  # a new connection would not answer sooner
                raise RecordsUnreadable(type(error).__name__) from None
        return await self._rows(keys)

    async def _ask(self, keys: Sequence[str]) -> Rows:
        if self._held is None:
            self._held = await self._engine.connect()
        driver = (await self._held.get_raw_connection()).driver_connection
        return await self._fetch(driver, self._sql, keys)

    async def _drop(self) -> None:
        """Let go of a connection that cannot be trusted any more."""
        if self._held is not None:
            held, self._held = self._held, None
            await held.invalidate()
            await held.close()


def _read(how: Callable[[Any], Any] | None, value: Any) -> Any:
    return how(value) if how else value


def _among_array(key: ColumnElement[str]) -> ColumnElement[bool]:
    return key == any_(bindparam("keys", type_=ARRAY(Text)))


def _among_json(key: ColumnElement[str]) -> ColumnElement[bool]:
    return key.in_(select(func.json_each(bindparam("keys", type_=Text)).table_valued("value").c.value))


async def _fetch_asyncpg(driver: Any, sql: str, keys: Sequence[str]) -> Rows:
    rows: Rows = await driver.fetch(sql, keys)
    return rows


async def _fetch_aiosqlite(driver: Any, sql: str, keys: Sequence[str]) -> Rows:
    rows: Rows = await driver.execute_fetchall(sql, (json.dumps(keys),))
    return rows


Among: TypeAlias = Callable[[ColumnElement[str]], ColumnElement[bool]]
Fetch: TypeAlias = Callable[[Any, str, Sequence[str]], Awaitable[Rows]]
# All the keys are one parameter, so that the statement is one, and prepared once, however many they are.
LINGERS = 0.001  # seconds in which keys come together: a trip to the database costs ten times what one of them does
DRIVERS: Final[Mapping[str, tuple[Among, Fetch]]] = {
    "postgresql": (_among_array, _fetch_asyncpg),
    "sqlite": (_among_json, _fetch_aiosqlite),
}
