"""Parts of long inbound SMS: each is stored before it is acknowledged, and all of them become one SMS.

A network sends the second part when the first is acknowledged, so the parts cannot wait in memory for each other.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import structlog
from sqlalchemy import Row, Update, bindparam, delete, func, null, select, update

from core.crypto import Cipher, DecryptionError
from core.types import UtcClock, utc_now
from db.database import Database, Transaction
from db.tables import UNASSEMBLED, inbound_parts

REPEATED_FOR: Final = timedelta(hours=1)  # after an SMS is whole; then its reference may be that of another SMS
ABANDONED_AFTER: Final = timedelta(days=1)  # a part that waits longer is of an earlier SMS with the same reference
BATCH_SIZE: Final = 100

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class InboundPart:
    """One of `total` parts, the first has number 1. `reference` is the same for all parts of one SMS of a sender."""

    source: str
    reference: str
    number: int
    total: int
    msisdn: str = field(repr=False)
    sent_to: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CollectedParts:
    """The parts of one SMS, in their order; a part that never came is None."""

    group_key: str
    row_ids: Sequence[int]
    msisdn: str = field(repr=False)
    sent_to: str
    texts: Sequence[str | None] = field(repr=False)

    @property
    def key(self) -> str:
        """The same for the same parts, however often they are collected."""
        return f"{self.group_key}-{self.row_ids[0]}"


class InboundParts:
    """The table of parts. Texts are encrypted, and removed when the SMS is whole."""

    def __init__(self, database: Database, cipher: Cipher, *, clock: UtcClock = utc_now) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock

    async def add(self, part: InboundPart) -> CollectedParts | None:
        """Store a part; return all of them where none is missing any more. A part that came before changes nothing.

        Parts that are returned are returned again with the next repeat, until `finish` is called for them.
        """
        joined = f"{part.source} {part.msisdn} {part.sent_to} {part.reference} {part.total}"
        keys = self._cipher.keyed_hashes("sms parts", joined)
        digests = self._cipher.keyed_hashes("sms part", f"{part.number} {part.text}")
        async with self._database.transaction() as transaction:
            rows = (await transaction.execute(_GROUP, {"keys": list(keys)})).all()
            waiting = await self._drop_abandoned(transaction, [row for row in rows if row.done_at is None])
            if self._is_repeat_of_done(part, rows, digests):
                return None
            same = next((row for row in waiting if row.number == part.number), None)
            if (
                same is not None and same.digest not in digests
            ):  # another SMS with the reference of one that is not whole
                await _delete(transaction, waiting)
                same, waiting = None, []
            if same is None:
                row = await self._insert(transaction, part, waiting[0].group_key if waiting else keys[0], digests[0])
                waiting = [*waiting, row]
        return self._collect(waiting) if {row.number for row in waiting} == set(range(1, part.total + 1)) else None

    async def finish(self, parts: CollectedParts) -> None:
        """Remove the texts of parts that were passed on as one SMS."""
        async with self._database.transaction() as transaction:
            await transaction.execute(_FINISH, {"ids": list(parts.row_ids), "now": self._clock()})

    async def list_overdue(self, older_than: timedelta) -> Sequence[CollectedParts]:
        """Return the SMS of which no part came for this time, with the parts that did."""
        due = await self._database.fetch(_OVERDUE, {"before": self._clock() - older_than})
        groups = [(await self._database.fetch(_WAITING, {"keys": [key]})).all() for key in due.scalars().all()]
        return [collected for rows in groups if rows and (collected := self._collect(rows))]

    def _is_repeat_of_done(self, part: InboundPart, rows: Sequence[Row[Any]], digests: Sequence[str]) -> bool:
        since = self._clock() - REPEATED_FOR
        done = [row for row in rows if row.done_at is not None and row.done_at > since]
        return any(row.number == part.number and row.digest in digests for row in done)

    async def _drop_abandoned(self, transaction: Transaction, waiting: Sequence[Row[Any]]) -> list[Row[Any]]:
        since = self._clock() - ABANDONED_AFTER
        await _delete(transaction, [row for row in waiting if row.received_at <= since])
        return [row for row in waiting if row.received_at > since]

    async def _insert(self, transaction: Transaction, part: InboundPart, group_key: str, digest: str) -> Row[Any]:
        content = json.dumps([part.msisdn, part.sent_to, part.text])  # ASCII: half a character has no UTF-8
        row = {
            "group_key": group_key,
            "number": part.number,
            "total": part.total,
            "digest": digest,
            "content": self._cipher.encrypt(content.encode(), _build_associated_data(group_key)),
            "received_at": self._clock(),
        }
        inserted = await transaction.execute(self._database.insert(inbound_parts).returning(*inbound_parts.c), row)
        return inserted.one()

    def _collect(self, rows: Sequence[Row[Any]]) -> CollectedParts | None:
        """Return the parts of one SMS; None, with a line in the log, where another key encrypted them."""
        contents: dict[int, list[str]] = {}
        try:
            for row in rows:
                plain = self._cipher.decrypt(row.content, _build_associated_data(row.group_key))
                contents[row.number] = json.loads(plain)
        except DecryptionError:
            log.error("inbound_parts_unreadable", part=rows[0].id)
            return None
        msisdn, sent_to, _ = contents[rows[0].number]
        texts = [contents[number][2] if number in contents else None for number in range(1, rows[0].total + 1)]
        return CollectedParts(rows[0].group_key, sorted(row.id for row in rows), msisdn, sent_to, texts)


def _build_associated_data(group_key: str) -> str:
    return f"sms part:{group_key}"


async def _delete(transaction: Transaction, rows: Iterable[Row[Any]]) -> None:
    if ids := [row.id for row in rows]:
        await transaction.execute(_DELETE, {"ids": ids})


def _build_finish() -> Update:
    chosen = update(inbound_parts).where(inbound_parts.c.id.in_(bindparam("ids", expanding=True)))
    return chosen.values(done_at=bindparam("now"), content=null())


_GROUP = (
    select(inbound_parts)
    .where(inbound_parts.c.group_key.in_(bindparam("keys", expanding=True)))
    .order_by(inbound_parts.c.id)
)
_WAITING = _GROUP.where(UNASSEMBLED)
_DELETE = delete(inbound_parts).where(inbound_parts.c.id.in_(bindparam("ids", expanding=True)))
_OVERDUE = (
    select(inbound_parts.c.group_key)
    .where(UNASSEMBLED)
    .group_by(inbound_parts.c.group_key)
    .having(func.max(inbound_parts.c.received_at) <= bindparam("before"))
    .limit(BATCH_SIZE)
)
_FINISH = _build_finish()
