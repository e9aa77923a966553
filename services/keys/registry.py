"""The table of keys: what a start compares the given secrets with."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Row, delete, select

from core.crypto import Cipher, DecryptionError, read_key_id
from core.types import UtcClock, utc_now
from db.database import Database
from db.tables import encryption_keys
from services.audit.audit import AuditLog, build_staff_entry
from services.audit.staff_acts import StaffAct
from services.keys.columns import EncryptedColumn, encrypted_columns

CANARY: Final = b"ekdial"
SAMPLE_SIZE: Final = 3
"""Values of each column that are tried where no key is recorded."""
UNKNOWN_SINCE: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""When a key was first used that is older than the table: values without a key id are its."""


class MissingKeyError(Exception):
    """The database needs a key that is not given; `key_id` is empty where its values do not name it."""

    def __init__(self, key_id: str) -> None:
        super().__init__(key_id)
        self.key_id = key_id


async def is_sealed(database: Database) -> bool:
    """Whether the database has a value that only its key can read."""
    if (await database.fetch(select(encryption_keys.c.key_id).limit(1))).first() is not None:
        return True
    for column in encrypted_columns():
        if await _fetch_sample(database, column, 1):
            return True
    return False


async def find_unrecorded_keys(database: Database, cipher: Cipher) -> Sequence[str]:
    """Check that every key which the database needs is given; the ids of given keys that are not recorded yet.

    Raises:
        MissingKeyError: a key is not given.
    """
    recorded = (await database.fetch(select(encryption_keys))).all()
    for row in recorded:
        _check_canary(cipher, row)
    if recorded:
        known = {row.key_id for row in recorded}
        return [] if cipher.key_id in known else [cipher.key_id]
    return await _find_sampled_keys(database, cipher)


async def record_keys(database: Database, cipher: Cipher, key_ids: Sequence[str], clock: UtcClock = utc_now) -> None:
    """Record keys that `find_unrecorded_keys` returned; what another process recorded meanwhile stays."""
    for key_id in key_ids:
        context = encryption_keys.c.canary.type.context({"key_id": key_id})  # type: ignore[attr-defined]
        row = {
            "key_id": key_id,
            "canary": cipher.encrypt_with(key_id, CANARY, context),
            "created_at": clock() if key_id == cipher.key_id else UNKNOWN_SINCE,
        }
        async with database.transaction() as transaction:
            await transaction.execute(database.insert_or_ignore(encryption_keys), row)


async def list_recorded_keys(database: Database) -> Sequence[str]:
    """The ids of the keys that a start must be given, oldest first."""
    order = (encryption_keys.c.created_at, encryption_keys.c.key_id)
    return (await database.fetch(select(encryption_keys.c.key_id).order_by(*order))).scalars().all()


async def remove_key(database: Database, key_id: str, act: StaffAct) -> None:
    """Let the gateway start without this key from now on."""
    act_on_key = replace(act, idempotency_key=f"{act.idempotency_key}:{key_id}")  # one act may remove several keys
    async with database.transaction() as transaction:
        await AuditLog(database).record(transaction, build_staff_entry(act_on_key, "key_retired", "key", key_id))
        await transaction.execute(delete(encryption_keys).where(encryption_keys.c.key_id == key_id))


def _check_canary(cipher: Cipher, row: Row[Any]) -> None:
    context = encryption_keys.c.canary.type.context({"key_id": row.key_id})  # type: ignore[attr-defined]
    try:
        cipher.decrypt(row.canary, context)
    except DecryptionError:
        raise MissingKeyError(row.key_id) from None


async def _find_sampled_keys(database: Database, cipher: Cipher) -> Sequence[str]:
    """The keys of some values, and the current one: for a database that is older than the table of keys.

    Raises:
        MissingKeyError: no value can be read.
    """
    found: set[str] = set()
    unreadable: set[str] = set()
    for column in encrypted_columns():
        for row in await _fetch_sample(database, column, SAMPLE_SIZE):
            encrypted = column.read(row._mapping[column.column])  # noqa: SLF001 - the public name of a row's mapping
            key_id = cipher.find_key_id(encrypted, column.context(row))
            (found if key_id else unreadable).add(key_id or read_key_id(encrypted))
    if unreadable and not found:
        raise MissingKeyError(max(unreadable))
    return [*sorted(found - {cipher.key_id}), cipher.key_id]


async def _fetch_sample(database: Database, column: EncryptedColumn, size: int) -> Sequence[Row[Any]]:
    newest = [one.desc() for one in column.table.primary_key.columns]
    statement = select(column.column, *column.context_columns).where(column.has_value)
    return (await database.fetch(statement.order_by(*newest).limit(size))).all()
