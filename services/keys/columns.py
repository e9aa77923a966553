"""The columns whose values need a key, found by their types in the metadata of all tables."""

import operator
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

from sqlalchemy import Column, ColumnElement, Row, Select, Table, func, literal, select, tuple_

from core.crypto import LABEL_BYTES
from db.database import Database
from db.tables import metadata
from db.tables.columns import Encrypted, EncryptedBase64, KeyedHash, SecretHash

SCAN_SIZE: Final = 2_000
"""Rows that one statement of a scan reads."""
LABEL_BASE64: Final = LABEL_BYTES * 4 // 3

PrimaryKey: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class EncryptedColumn:
    """One column of encrypted values, as bytes or in Base64."""

    column: Column[Any]

    @property
    def table(self) -> Table:
        """Its table."""
        return self.column.table

    @property
    def name(self) -> str:
        """Its name for people, such as `accounts.name`."""
        return f"{self.table.name}.{self.column.name}"

    @property
    def context_columns(self) -> Sequence[Column[Any]]:
        """The columns that its associated data contains."""
        return [self.table.c[name] for name in self._type.context_columns]

    @property
    def has_value(self) -> ColumnElement[bool]:
        """Whether a row has an encrypted value: an erased one is null or empty."""
        return self.column.is_not(None) & (func.length(self.column) > 0)

    def begins_with(self, label: bytes) -> ColumnElement[bool]:
        """Whether the value in a row begins with this label."""
        start = literal(self.write(label), self.column.type)
        return self.stored_label == start

    @property
    def stored_label(self) -> ColumnElement[Any]:
        """As many bytes or characters of the value in a row as a label has."""
        length = LABEL_BASE64 if isinstance(self._type, EncryptedBase64) else LABEL_BYTES
        return func.substr(self.column, 1, length, type_=self.column.type)

    def context(self, row: Row[Any]) -> str:
        """The associated data of the value in this row."""
        return self._type.context(dict(row._mapping))  # noqa: SLF001 - the public name of a row's mapping

    def read(self, stored: Any) -> bytes:
        """The bytes of a stored value."""
        return b64decode(stored) if isinstance(self._type, EncryptedBase64) else bytes(stored)

    def write(self, encrypted: bytes) -> Any:
        """The stored value of encrypted bytes."""
        return b64encode(encrypted).decode() if isinstance(self._type, EncryptedBase64) else encrypted

    @property
    def _type(self) -> Encrypted | EncryptedBase64:
        return self.column.type  # type: ignore[return-value]  # see `encrypted_columns`


def encrypted_columns() -> Sequence[EncryptedColumn]:
    """Every column that is encrypted again when the key changes."""
    columns = columns_of_type((Encrypted, EncryptedBase64))
    return [EncryptedColumn(column) for column in columns if not column.type.fixed]  # type: ignore[attr-defined]


def secret_hash_columns() -> Sequence[Column[Any]]:
    """Every column of hashes of PINs and answers."""
    return columns_of_type(SecretHash)


def keyed_hash_columns() -> Sequence[Column[Any]]:
    """Every column of keyed hashes."""
    return columns_of_type(KeyedHash)


def columns_of_type(types: Any) -> Sequence[Column[Any]]:
    """Every column of all tables whose type is one of `types`."""
    return [column for table in metadata.sorted_tables for column in table.columns if isinstance(column.type, types)]


class KeyRange(NamedTuple):
    """The rows whose primary key comes after `after`, which is empty for the first ones, up to `last`."""

    after: PrimaryKey
    last: PrimaryKey


async def scan(
    database: Database, table: Table, columns: Sequence[ColumnElement[Any]], where: ColumnElement[bool]
) -> AsyncIterator[Row[Any]]:
    """Yield the primary key and `columns` of the rows that meet `where`, in its order, by statements that are short each."""
    async for _, rows in _pages(database, table, columns, where):
        for row in rows:
            if row.is_wanted:
                yield row


async def find_ranges(database: Database, table: Table, where: ColumnElement[bool]) -> AsyncIterator[KeyRange]:
    """Yield the ranges of at most SCAN_SIZE rows that have one which meets `where`."""
    async for key_range, rows in _pages(database, table, (), where):
        if any(row.is_wanted for row in rows):
            yield key_range


def select_in_range(statement: Select[Any], table: Table, key_range: KeyRange) -> Select[Any]:
    """`statement` in the order of the primary key, limited to the range."""
    key = tuple(table.primary_key.columns)
    within = statement.order_by(*key).where(_compare(key, key_range.last, operator.le))
    return within.where(_compare(key, key_range.after, operator.gt)) if key_range.after else within


async def _pages(
    database: Database, table: Table, columns: Sequence[ColumnElement[Any]], where: ColumnElement[bool]
) -> AsyncIterator[tuple[KeyRange, Sequence[Row[Any]]]]:
    """Read the whole table in pages: `where` only marks rows, because a filter could pass over millions of them."""
    key = tuple(table.primary_key.columns)
    statement = select(*key, *columns, where.label("is_wanted")).order_by(*key).limit(SCAN_SIZE)
    after: PrimaryKey = ()
    while True:
        rows = (await database.fetch(statement.where(_compare(key, after, operator.gt)) if after else statement)).all()
        if not rows:
            return
        last = tuple(rows[-1][: len(key)])
        yield KeyRange(after, last), rows
        after = last


def _compare(key: Sequence[Column[Any]], values: PrimaryKey, compare: Callable[[Any, Any], Any]) -> Any:
    return compare(key[0], values[0]) if len(key) == 1 else compare(tuple_(*key), tuple_(*map(literal, values)))
