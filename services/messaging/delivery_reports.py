"""Delivery reports: each is stored once and matched with its message, which keeps the furthest status reported.

A report can overtake the provider's answer to the send. So a report is committed before its message is looked up, and the
answer is committed before its reports are looked up: the later of the two finds the other. If a process dies in between,
`rematch` finds the pair.

A send with an unknown result has no provider id to match by. A report with an unknown id, for the same MSISDN, settles the
oldest such message. While another message to that MSISDN is being sent, the report waits, because it may belong to that
one.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Delete, Row, bindparam, delete, select, update

from core.crypto import Cipher
from core.types import UtcClock
from db.database import Database, Transaction
from db.tables import SENDING, UNKNOWN, UNMATCHED, delivery_reports, messages
from services.messaging.delivery_status import DeliveryReport, DeliveryStatus, furthest_status

MAX_UNMATCHED: Final = 10_000
MSISDN_MATCH_WINDOW: Final = timedelta(hours=48)  # after the result of a send became unknown
BATCH_SIZE: Final = 500  # unknown messages in one query of a rematch
MAX_PAGES: Final = 10  # queries for unknown messages in one rematch; the next one goes on where it ended


class DeliveryReports:
    """The delivery reports of all messages; MSISDNs are stored as keyed hashes."""

    def __init__(self, database: Database, cipher: Cipher, clock: UtcClock) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock
        self._unknown_place = 0  # the last unknown message that `rematch` looked at; 0: begin with the oldest

    async def record(self, report: DeliveryReport) -> int | None:
        """Store a report and apply it to its message; return the message's id, or None while there is none. Repeats do nothing."""
        now = self._clock()
        async with self._database.transaction() as transaction:
            message = await _fetch_first(transaction, _BY_PROVIDER_ID, {"of": report.provider_id})
            await transaction.execute(self._database.insert_or_ignore(delivery_reports), self._row(report, now))
            if message is not None:
                return await _apply_reports(transaction, message, report.provider_id)
            await transaction.execute(_DELETE_EXCESS)
        return await self._match(report.provider_id, report.msisdn, now)

    async def match_early(self, provider_ids: Collection[str]) -> None:
        """Apply the reports that came under these ids before their messages had them."""
        waiting = await self._database.fetch(_UNMATCHED_AMONG_IDS, {"ids": list(provider_ids)})
        for provider_id in waiting.scalars():
            await self._match(provider_id)

    async def rematch(self) -> int:
        """Match reports and messages that missed each other; return how many messages matched."""
        found = [
            await self._match(provider_id) for provider_id in (await self._database.fetch(_MISSED_MATCHES)).scalars()
        ]
        for _ in range(MAX_PAGES):
            found += await self._match_unknown_page()
            if not self._unknown_place:
                break
        return len({message for message in found if message is not None})

    async def _match_unknown_page(self) -> list[int | None]:
        """Match the next unknown messages with reports by MSISDN, from where the last page ended; then begin again."""
        unknown = (await self._database.fetch(_UNKNOWN_RECIPIENTS, {"after": self._unknown_place})).all()
        self._unknown_place = unknown[-1].id if len(unknown) == BATCH_SIZE else 0
        recipients = [one.recipient for one in unknown]
        numbers = {key: number for number in recipients for key in self._cipher.keyed_hashes("report", number)}
        if not numbers:
            return []
        waiting = await self._database.fetch(_UNMATCHED_FOR_MSISDNS, {"keys": list(numbers)})
        return [await self._match(one.provider_id, numbers[one.msisdn_hash], one.received_at) for one in waiting]

    async def _match(self, provider_id: str, msisdn: str = "", reported_at: datetime | None = None) -> int | None:
        """Match the reports under an id; with `reported_at`, by MSISDN if no message has the id."""
        async with self._database.transaction() as transaction:
            message = await _fetch_first(transaction, _BY_PROVIDER_ID, {"of": provider_id})
            if message is None and reported_at is not None:
                message = await self._find_unknown_to(transaction, msisdn, reported_at)
            return None if message is None else await _apply_reports(transaction, message, provider_id)

    async def _find_unknown_to(self, transaction: Transaction, msisdn: str, reported_at: datetime) -> Row[Any] | None:
        if await _fetch_first(transaction, _SENDING_TO_MSISDN, {"number": msisdn}) is not None:
            return None
        parameters = {"number": msisdn, "heard": reported_at, "since": reported_at - MSISDN_MATCH_WINDOW}
        return await _fetch_first(transaction, _UNKNOWN_TO_MSISDN, parameters)

    def _row(self, report: DeliveryReport, now: datetime) -> dict[str, object]:
        return {
            "provider_id": report.provider_id,
            "provider_status": report.provider_status,
            "delivery": report.status.value,
            "reason": report.reason or None,
            "network": report.network or None,
            "msisdn_hash": self._hash_msisdn(report.msisdn) if report.msisdn else None,
            "received_at": now,
        }

    def _hash_msisdn(self, msisdn: str) -> str:
        return self._cipher.keyed_hash("report", msisdn)


async def _fetch_first(transaction: Transaction, statement: Any, parameters: dict[str, object]) -> Row[Any] | None:
    return (await transaction.execute(statement, parameters)).first()


async def _apply_reports(transaction: Transaction, message: Row[Any], provider_id: str) -> int:
    """Apply all reports under this id to `message`, whose row is locked; the furthest status counts. Return its id."""
    waiting = (await transaction.execute(_UNMATCHED_BY_ID, {"of": provider_id})).all()
    current = first = DeliveryStatus(message.delivery) if message.delivery else None
    counts: dict[str, object] = {}
    for report in waiting:
        furthest = furthest_status(current, DeliveryStatus(report.delivery))
        if furthest is not current:
            current, counts = furthest, _delivery_columns(report)
    if current is not first or message.status == "unknown":
        noted = {"provider_id": provider_id, "status": "sent", **counts}
        await transaction.execute(update(messages).where(messages.c.id == message.id).values(noted))
    if waiting:
        await transaction.execute(_MARK_MATCHED, {"of": provider_id, "matched": message.id})
    return int(message.id)


def _delivery_columns(report: Row[Any]) -> dict[str, object]:
    facts = {"delivery": report.delivery, "delivery_reason": report.reason, "reported_at": report.received_at}
    return {**facts, "network": report.network} if report.network else facts


def _build_delete_excess(limit: int = MAX_UNMATCHED) -> Delete:
    newest = select(delivery_reports.c.id).where(UNMATCHED).order_by(delivery_reports.c.received_at.desc())
    older = newest.offset(limit).limit(BATCH_SIZE).with_for_update(skip_locked=True).cte("older")
    return delete(delivery_reports).where(delivery_reports.c.id.in_(select(older.c.id)))


_BY_PROVIDER_ID = (
    select(messages)
    .where(messages.c.provider_id == bindparam("of"))
    .order_by(messages.c.id.desc())
    .limit(1)
    .with_for_update()
)
_UNRESOLVED = (UNKNOWN, messages.c.provider_id.is_(None), messages.c.medium == "sms")
_UNKNOWN_TO_MSISDN = (
    select(messages)
    .where(
        *_UNRESOLVED,
        messages.c.recipient == bindparam("number"),
        messages.c.created_at <= bindparam("heard"),
        messages.c.updated_at > bindparam("since"),
    )
    .order_by(messages.c.id)
    .limit(1)
    .with_for_update()
)
_UNKNOWN_RECIPIENTS = (
    select(messages.c.id, messages.c.recipient)
    .where(*_UNRESOLVED, messages.c.id > bindparam("after"))
    .order_by(messages.c.id)
    .limit(BATCH_SIZE)
)
_SENDING_TO_MSISDN = select(messages.c.id).where(SENDING, messages.c.recipient == bindparam("number")).limit(1)

_unmatched = select(delivery_reports).where(UNMATCHED).order_by(delivery_reports.c.id)
_unmatched_ids = _unmatched.with_only_columns(delivery_reports.c.provider_id)
_UNMATCHED_BY_ID = _unmatched.where(delivery_reports.c.provider_id == bindparam("of"))
_UNMATCHED_AMONG_IDS = _unmatched_ids.where(delivery_reports.c.provider_id.in_(bindparam("ids", expanding=True)))
# All of them, MAX_UNMATCHED at most: reports that find no message must not hide those behind them.
_UNMATCHED_FOR_MSISDNS = _unmatched.where(delivery_reports.c.msisdn_hash.in_(bindparam("keys", expanding=True)))
_MISSED_MATCHES = _unmatched_ids.join(messages, messages.c.provider_id == delivery_reports.c.provider_id).limit(
    BATCH_SIZE
)
_MARK_MATCHED = (
    update(delivery_reports)
    .where(delivery_reports.c.provider_id == bindparam("of"), UNMATCHED)
    .values(message=bindparam("matched"), msisdn_hash=None)
)
_DELETE_EXCESS = _build_delete_excess()
