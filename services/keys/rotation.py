"""Encrypt every value again with the current key, while the gateway serves.

A value is replaced only where it is still the one that was read, and only in rows that no other transaction has locked, so
that no change is lost and nobody waits in a circle. What is done is seen in the values: a rotation that was interrupted is
continued by running it again.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from sqlalchemy import Column, ColumnElement, Row, bindparam, func, literal, select, update

from core.crypto import Cipher, DecryptionError
from db.database import Database
from services.keys.columns import (
    EncryptedColumn,
    KeyRange,
    PrimaryKey,
    encrypted_columns,
    find_ranges,
    scan,
    secret_hash_columns,
    select_in_range,
)

BATCH_SIZE: Final = 100
"""Rows that one transaction replaces, and PostgreSQL locks for some milliseconds."""
MAX_PASSES: Final = 5
"""Walks over a column: locked rows are left to the next one."""
PASS_INTERVAL: Final = 1.0
"""Seconds between two walks over a column."""
UNLABELLED_PREFIX: Final = "$"
"""The beginning of a hash of a PIN that does not name its key."""


@dataclass(frozen=True, slots=True)
class ColumnProgress:
    """How far the rotation of one column is. `unreadable` values need a key that is not given, and stay as they are."""

    name: str
    rotated: int
    unreadable: int = 0
    locked: int = 0


Report: TypeAlias = Callable[[ColumnProgress], None]


@dataclass(slots=True)
class _Pass:
    """One walk over a column."""

    rotated: int = 0
    unreadable: int = 0


class KeyRotation:
    """Rotates the columns of one database to the current key of `cipher`."""

    def __init__(
        self, database: Database, cipher: Cipher, *, batch_size: int = BATCH_SIZE, interval: float = PASS_INTERVAL
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._batch_size = batch_size
        self._interval = interval

    async def rotate(self, report: Report) -> Sequence[ColumnProgress]:
        """Rotate every encrypted column; the result of each. `report` is told of each batch."""
        return [await self._rotate_column(column, report) for column in encrypted_columns()]

    async def label_secret_hashes(self, key_id: str) -> int:
        """Write the id of their key in front of the hashes of PINs that do not name it; return how many."""
        return sum([await self._label_hashes(column, key_id) for column in secret_hash_columns()])

    async def _rotate_column(self, column: EncryptedColumn, report: Report) -> ColumnProgress:
        rotated, locked, one = 0, 0, _Pass()
        for _ in range(MAX_PASSES):
            one = await self._walk(column, rotated, report)
            rotated += one.rotated
            locked = await self._count_left(column) - one.unreadable
            if locked <= 0:
                break
            await asyncio.sleep(self._interval)
        return ColumnProgress(column.name, rotated, one.unreadable, max(locked, 0))

    async def _walk(self, column: EncryptedColumn, rotated_before: int, report: Report) -> _Pass:
        one = _Pass()
        async for key_range in find_ranges(self._database, column.table, self._needs_rotation(column)):
            rest = await self._rotate_batch(column, key_range, one)
            while rest is not None:
                report(ColumnProgress(column.name, rotated_before + one.rotated, one.unreadable))
                rest = await self._rotate_batch(column, rest, one)
        return one

    async def _rotate_batch(self, column: EncryptedColumn, key_range: KeyRange, one: _Pass) -> KeyRange | None:
        """Replace the next values of a range in one transaction; the rest of the range, None if there were no values."""
        async with self._database.transaction() as transaction:
            rows = (await transaction.execute(self._select_batch(column, key_range))).all()
            if not rows:
                return None
            replacements = []
            for row in rows:
                try:
                    replacements.append(self._build_replacement(column, row))
                except (DecryptionError, ValueError):  # ValueError: not Base64
                    one.unreadable += 1
            if replacements:
                await transaction.execute(_replace(column), replacements)
        one.rotated += len(replacements)
        return KeyRange(tuple(rows[-1][: len(column.table.primary_key.columns)]), key_range.last)

    def _needs_rotation(self, column: EncryptedColumn) -> ColumnElement[bool]:
        return column.has_value & ~column.begins_with(self._cipher.label)

    def _select_batch(self, column: EncryptedColumn, key_range: KeyRange) -> Any:
        key = tuple(column.table.primary_key.columns)
        others = [it for it in column.context_columns if it not in set(key)]
        statement = select(*key, *others, column.column).where(self._needs_rotation(column))
        batch = select_in_range(statement, column.table, key_range).limit(self._batch_size)
        return batch.with_for_update(skip_locked=True)

    def _build_replacement(self, column: EncryptedColumn, row: Row[Any]) -> dict[str, Any]:
        stored, context = row._mapping[column.column], column.context(row)  # noqa: SLF001 - a row's public mapping
        plaintext = self._cipher.decrypt(column.read(stored), context)
        key = {f"pk_{it.name}": row._mapping[it] for it in column.table.primary_key.columns}  # noqa: SLF001
        return {**key, "stored": stored, "replacement": column.write(self._cipher.encrypt(plaintext, context))}

    async def _count_left(self, column: EncryptedColumn) -> int:
        return len([_ async for _ in scan(self._database, column.table, (), self._needs_rotation(column))])

    async def _label_hashes(self, column: Column[Any], key_id: str) -> int:
        table: Any = column.table
        labelled = 0
        async for key_range in find_ranges(self._database, table, _is_unlabelled(column)):
            statement = select_in_range(select(*table.primary_key.columns), table, key_range)
            batch = statement.where(_is_unlabelled(column)).limit(self._batch_size).with_for_update(skip_locked=True)
            while count := await self._label_batch(column, batch, key_id):
                labelled += count
        return labelled

    async def _label_batch(self, column: Column[Any], batch: Any, key_id: str) -> int:
        async with self._database.transaction() as transaction:
            keys = (await transaction.execute(batch)).all()
            for key in keys:
                await transaction.execute(_label(column, tuple(key), key_id))
        return len(keys)


def _replace(column: EncryptedColumn) -> Any:
    """Replace the value of one row, where it is still the one that was read."""
    same_row = [it == bindparam(f"pk_{it.name}") for it in column.table.primary_key.columns]
    unchanged = column.column == bindparam("stored", type_=column.column.type)
    replacement = bindparam("replacement", type_=column.column.type)
    return update(column.table).where(*same_row, unchanged).values({column.column: replacement})


def _label(column: Column[Any], key: PrimaryKey, key_id: str) -> Any:
    """Put the key id in front of a hash, where it is still one without."""
    table: Any = column.table
    same_row = [it == value for it, value in zip(table.primary_key.columns, key, strict=True)]
    return update(table).where(*same_row, _is_unlabelled(column)).values({column: literal(key_id) + column})


def _is_unlabelled(column: Column[Any]) -> ColumnElement[bool]:
    return func.substr(column, 1, 1) == UNLABELLED_PREFIX
