"""The cipher of the gateway, from the settings or the embedded default, compared with what the stores contain."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from config.embedded import EmbeddedStoreError, create_secret, read_secret, secret_file
from config.settings import Settings
from core.crypto import Cipher
from core.errors import ValidationFailedError
from db.database import Database
from db.engines import DatabaseUnusableError, parse_database_url
from db.migrate import ensure_migrated, has_pending_migrations, report_unusable
from services.audit.audit import AuditLog, build_staff_entry
from services.audit.staff_acts import StaffAct
from services.keys.registry import (
    MissingKeyError,
    find_unrecorded_keys,
    is_sealed,
    list_recorded_keys,
    record_keys,
    remove_key,
)
from services.keys.rotation import KeyRotation
from services.keys.usage import KeyUsage, count_usage
from sessions.canary import find_missing_key, write_canary
from sessions.redis_store import Client, open_session_store


async def open_cipher(settings: Settings) -> Cipher:
    """Return the cipher, after the tables were migrated or checked; a new embedded key is made where nothing needs another.

    Raises:
        ValidationFailedError: a key that the database needs is not given.
        EmbeddedStoreError: the file with the embedded key is missing or damaged, or nothing can be stored.
        MigrationsPendingError: the tables are older than this program.
        DatabaseUnusableError: the database cannot be reached, or does not answer.
    """
    url = settings.database.url.get_secret_value()
    await ensure_migrated(url)
    async with _open_database(url) as database:
        cipher = build_cipher(settings) or await _create_embedded_cipher(settings, database)
        try:
            await record_keys(database, cipher, await find_unrecorded_keys(database, cipher))
        except MissingKeyError as error:
            _reject_key(settings, cipher, error.key_id, "the database")
    return cipher


@dataclass(frozen=True, slots=True)
class MasterKeys:
    """The services behind `keys status`, `rotate` and `retire`. A gateway may run at the same time."""

    database: Database
    cipher: Cipher
    rotation: KeyRotation

    async def count_usage(self) -> Sequence[KeyUsage]:
        """What each key is needed for."""
        return await count_usage(self.database, self.cipher)

    async def record_rotation(self, act: StaffAct) -> None:
        """Record that everything is encrypted again with the current key from now on, in many transactions."""
        entry = build_staff_entry(act, "key_rotated", "key", self.cipher.key_id)
        async with self.database.transaction() as transaction:
            await AuditLog(self.database).record(transaction, entry)

    async def label_oldest_hashes(self) -> None:
        """Write the key id in front of hashes of PINs from before the key ids: they are of the key that is known longest."""
        oldest = (await list_recorded_keys(self.database))[0]
        await self.rotation.label_secret_hashes(oldest)

    async def forget_unused(self, usages: Sequence[KeyUsage], act: StaffAct) -> None:
        """Let the gateway start without the former keys that nothing needs."""
        for usage in usages:
            if usage.key_id != self.cipher.key_id and usage.is_unused:
                await self.forget(usage.key_id, act)

    async def forget(self, key_id: str, act: StaffAct) -> None:
        """Let the gateway start without a former key."""
        await remove_key(self.database, key_id, act)


@asynccontextmanager
async def open_master_keys(settings: Settings) -> AsyncIterator[MasterKeys]:
    """Open the services behind `keys status`, `rotate` and `retire`; raises as `open_cipher` does."""
    cipher = await open_cipher(settings)
    async with Database(settings.database.url.get_secret_value()) as database:
        yield MasterKeys(database, cipher, KeyRotation(database, cipher))


async def check_keys(settings: Settings) -> None:
    """Compare the keys with the stores that can be reached, and change nothing.

    Raises:
        ValidationFailedError: a key that a store needs is not given.
        EmbeddedStoreError: the file with the embedded key is missing or damaged.
    """
    cipher = build_cipher(settings)
    await _check_database(settings, cipher)
    if cipher and not settings.redis.is_embedded:
        redis = settings.redis
        url = redis.url.get_secret_value()
        async with open_session_store(url, cipher, cluster=redis.cluster, deadline=redis.deadline) as store:
            await check_redis_key(settings, store.client, cipher)


async def check_redis_key(settings: Settings, client: Client, cipher: Cipher) -> None:
    """Check that every key which Redis has values of is given. A Redis that is down, or embedded, passes.

    Raises:
        ValidationFailedError: a key is not given.
    """
    if settings.redis.is_embedded:
        return
    missing = await find_missing_key(client, cipher)
    if missing is not None:
        _reject_key(settings, cipher, missing, "Redis")


async def claim_redis(settings: Settings, client: Client, cipher: Cipher) -> None:
    """Check the keys of Redis, and leave a value of the current one there.

    Raises:
        ValidationFailedError: a key that Redis has values of is not given.
    """
    await check_redis_key(settings, client, cipher)
    if not settings.redis.is_embedded:
        await write_canary(client, cipher)


def build_cipher(settings: Settings) -> Cipher | None:
    """Return the cipher of `keys.secret`, else of the embedded key; None where there is neither.

    Raises:
        EmbeddedStoreError: the file with the embedded key is damaged.
    """
    secret = settings.keys.secret.get_secret_value() or read_secret(settings)
    return _build_cipher(secret, settings) if secret else None


def _build_cipher(secret: str, settings: Settings) -> Cipher:
    return Cipher(secret.encode(), [one.encode() for one in settings.keys.former_secrets if one != secret])


async def _create_embedded_cipher(settings: Settings, database: Database) -> Cipher:
    await _check_new_key_allowed(settings, database)
    return _build_cipher(create_secret(settings), settings)


async def _check_new_key_allowed(settings: Settings, database: Database) -> None:
    """Check that a new embedded key locks nobody out: all is readable with former keys, or nothing is encrypted.

    Raises:
        EmbeddedStoreError: the database needs the key that is gone.
    """
    former = settings.keys.former_secrets
    try:
        if former:
            await find_unrecorded_keys(database, _build_cipher(former[0], settings))
            return
    except MissingKeyError:
        pass  # none of them is its key
    else:
        if not await is_sealed(database):
            return
    raise EmbeddedStoreError(
        f"{secret_file(settings)} is missing, and the database has values that only its key can read; "
        "restore the file, or give its content in keys.secret, or remove the database to begin with an empty one"
    )


async def _check_database(settings: Settings, cipher: Cipher | None) -> None:
    url = settings.database.url.get_secret_value()
    if not await _is_readable(url):
        return
    async with _open_database(url) as database:
        if cipher is None:
            await _check_new_key_allowed(settings, database)
            return
        try:
            await find_unrecorded_keys(database, cipher)
        except MissingKeyError as error:
            _reject_key(settings, cipher, error.key_id, "the database")


@asynccontextmanager
async def _open_database(url: str) -> AsyncIterator[Database]:
    with report_unusable():
        async with Database(url) as database:
            yield database


async def _is_readable(url: str) -> bool:
    """Whether the database is there with today's tables."""
    parsed = parse_database_url(url)
    if parsed.get_backend_name() == "sqlite" and not await asyncio.to_thread(Path(parsed.database or "").exists):
        return False
    try:
        return not await has_pending_migrations(url)
    except DatabaseUnusableError:
        return False


def _reject_key(settings: Settings, cipher: Cipher, missing: str, store: str) -> NoReturn:
    """Report a missing key as a problem of `keys.secret`.

    Raises:
        ValidationFailedError: always.
    """
    which = f"key {missing}" if missing else "another key"
    given = f"this is key {cipher.key_id}" if not settings.keys.former else f"given are {', '.join(cipher.key_ids)}"
    problem = f"{store} has values of {which}, and {given}"
    fix = f"give the secret of {which} here, or after a change of the secret in keys.former"
    raise ValidationFailedError([settings.problem_at(("keys", "secret"), problem, fix)])
