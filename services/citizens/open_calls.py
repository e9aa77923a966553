"""Calls under way of providers that send the newest input only, for a session store that loses them.

A row has the session of a caller, encrypted, under a keyed hash of the number. Nobody waits for a write: the sessions of some
event-loop iterations are written in one commit, and until then this process finds them in its memory. A process that is killed
in these milliseconds, at the same time as the session store is emptied, loses the newest screen of the call.
"""

import asyncio
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple

import structlog
from sqlalchemy import bindparam, delete

from core.batching import Batcher
from core.crypto import Cipher, DecryptionError
from core.deadline import running_until
from core.logging import error_facts
from core.types import UtcClock, utc_now
from db.database import Database, Transaction
from db.tables import open_calls

BATCH_TURNS: Final = 8  # event-loop iterations, as for the languages that callers choose
MAX_UNWRITTEN: Final = 20_000
"""Calls that wait for the database. The session store alone has those above that."""
HASH_PURPOSE: Final = "open call"

log = structlog.get_logger()


class _Change(NamedTuple):
    """The new row of a caller; None deletes it."""

    caller: str
    row: Mapping[str, Any] | None


class OpenCalls:
    """Keeps the newest session of each caller in the database, until the call ends."""

    def __init__(self, database: Database, cipher: Cipher, *, clock: UtcClock = utc_now) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock
        columns = (open_calls.c.session, open_calls.c.expires_at)
        self._find = database.fast_lookup(open_calls.c.caller, columns, lambda row: row)
        self._upsert = database.bulk_upsert(open_calls)
        self._write = Batcher(self._write_changes, loop_turns=BATCH_TURNS)
        self._unwritten: dict[str, _Change] = {}
        self._writes: set[asyncio.Future[None]] = set()

    async def find(self, msisdn: str) -> bytes | None:
        """The session that was kept for this caller; None where none was, or where its time is over.

        Raises:
            ReadError: the database did not answer.
        """
        caller = self._cipher.keyed_hash(HASH_PURPOSE, msisdn)
        unwritten = self._unwritten.get(caller)
        if unwritten is not None:
            return self._read(caller, unwritten.row)
        row = await self._find(caller)
        return self._read(caller, row._asdict() if row else None)

    def keep(self, msisdn: str, session: bytes, *, ttl: int) -> None:
        """Keep the session for `ttl` seconds. Nobody waits for the write; where it fails, the session store alone has it."""
        caller = self._cipher.keyed_hash(HASH_PURPOSE, msisdn)
        sealed = self._cipher.encrypt(session, _associated_data(caller))
        expires_at = self._clock() + timedelta(seconds=ttl)
        row = {"caller": caller, "session": b64encode(sealed).decode(), "expires_at": expires_at}
        self._start_write(_Change(caller, row))

    def end(self, msisdn: str) -> None:
        """Delete the session of a call that has ended; nobody waits for it."""
        self._start_write(_Change(self._cipher.keyed_hash(HASH_PURPOSE, msisdn), None))

    async def finish_writes(self) -> None:
        """Return when everything that was kept until now is written, or could not be."""
        while self._writes:
            await asyncio.wait(self._writes)

    def _start_write(self, change: _Change) -> None:
        if len(self._unwritten) >= MAX_UNWRITTEN and change.caller not in self._unwritten:
            return
        self._unwritten[change.caller] = change
        with running_until(None):
            write = asyncio.ensure_future(self._write(change))
        self._writes.add(write)
        write.add_done_callback(self._finish_write)

    def _finish_write(self, write: "asyncio.Future[None]") -> None:
        self._writes.discard(write)
        if not write.cancelled():
            write.exception()

    async def _write_changes(self, changes: Sequence[_Change]) -> Sequence[None]:
        """Write the newest change of each caller. What the database does not take is forgotten."""
        newest = {change.caller: change for change in changes}
        try:
            await self._write_newest(list(newest.values()))
        except Exception as error:  # noqa: BLE001 - the session store still has the calls
            log.warning("open_calls_not_written", calls=len(newest), **error_facts(error))
        for change in newest.values():
            if self._unwritten.get(change.caller) is change:
                del self._unwritten[change.caller]
        return [None] * len(changes)

    async def _write_newest(self, changes: Sequence[_Change]) -> None:
        if rows := [change.row for change in changes if change.row is not None]:
            await self._upsert(rows)
        if ended := sorted(change.caller for change in changes if change.row is None):
            async with self._database.transaction() as transaction:
                await transaction.execute(_DELETE, {"callers": ended})

    def _read(self, caller: str, row: Mapping[str, Any] | None) -> bytes | None:
        if row is None or row["expires_at"] <= self._clock():
            return None
        try:
            return self._cipher.decrypt(b64decode(row["session"]), _associated_data(caller))
        except DecryptionError:
            return None


async def delete_open_call(transaction: Transaction, cipher: Cipher, msisdn: str) -> None:
    """Delete the call of a number within a transaction, whichever key its hash was made with."""
    hashes = list(cipher.keyed_hashes(HASH_PURPOSE, msisdn))
    await transaction.execute(_DELETE, {"callers": hashes})


def _associated_data(caller: str) -> str:
    return f"open call:{caller}"


_DELETE: Final = delete(open_calls).where(open_calls.c.caller.in_(bindparam("callers", expanding=True)))
