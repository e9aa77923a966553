"""Which keys the database still needs, and for what."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Column, func

from core.crypto import HASH_LABEL_DIGITS, KEY_ID_BYTES, Cipher, build_label
from db.database import Database
from services.keys.columns import encrypted_columns, keyed_hash_columns, scan, secret_hash_columns

KEY_ID_DIGITS: Final = 2 * KEY_ID_BYTES
NO_KEY_ID: Final = ""
"""The key of values that name none of the given ones: they are from before the key ids, or cannot be read."""


@dataclass(frozen=True, slots=True)
class KeyUsage:
    """What one key is needed for, by column. `lost_without` has the keyed hashes whose loss is noticed, with the loss."""

    key_id: str
    encrypted: Counter[str] = field(default_factory=Counter)
    secret_hashes: Counter[str] = field(default_factory=Counter)
    keyed_hashes: Counter[str] = field(default_factory=Counter)
    lost_without: dict[str, str] = field(default_factory=dict)

    @property
    def is_unused(self) -> bool:
        """Whether nothing is lost without this key."""
        return not (self.encrypted.total() or self.secret_hashes.total() or self.lost_without)


async def count_usage(database: Database, cipher: Cipher) -> Sequence[KeyUsage]:
    """The usage of every given key, the current one first, then of keys that are not given, then of values without a key id."""
    usages = {key_id: KeyUsage(key_id) for key_id in cipher.key_ids}
    by_label = {build_label(key_id): key_id for key_id in cipher.key_ids}
    for column in encrypted_columns():
        async for row in scan(database, column.table, [column.stored_label.label("start")], column.has_value):
            key_id = by_label.get(column.read(row.start), NO_KEY_ID)
            usages.setdefault(key_id, KeyUsage(key_id)).encrypted[column.name] += 1
    for hashes in secret_hash_columns():
        async for row in scan(database, _table(hashes), [_start(hashes, KEY_ID_DIGITS)], _is_hash(hashes)):
            key_id = NO_KEY_ID if row.start.startswith("$") else row.start
            usages.setdefault(key_id, KeyUsage(key_id)).secret_hashes[_name(hashes)] += 1
    by_start = {key_id[:HASH_LABEL_DIGITS]: key_id for key_id in cipher.key_ids}
    for hashes in keyed_hash_columns():
        async for row in scan(database, _table(hashes), [_start(hashes, HASH_LABEL_DIGITS)], _is_hash(hashes)):
            usage = usages.setdefault(key_id := by_start.get(row.start, NO_KEY_ID), KeyUsage(key_id))
            usage.keyed_hashes[_name(hashes)] += 1
            if loss := hashes.type.without_key:  # type: ignore[attr-defined]  # a KeyedHash
                usage.lost_without[_name(hashes)] = loss
    return [usages[key_id] for key_id in sorted(usages, key=lambda key_id: _rank(key_id, cipher))]


def _rank(key_id: str, cipher: Cipher) -> tuple[int, str]:
    given = cipher.key_ids
    return (given.index(key_id) if key_id in given else len(given) + (key_id == NO_KEY_ID), key_id)


def _start(column: Column[Any], length: int) -> Any:
    return func.substr(column, 1, length).label("start")


def _is_hash(column: Column[Any]) -> Any:
    return column.is_not(None) & (func.length(column) > 0)


def _table(column: Column[Any]) -> Any:
    return column.table


def _name(column: Column[Any]) -> str:
    return f"{column.table.name}.{column.name}"
