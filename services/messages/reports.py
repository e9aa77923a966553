"""Delivery reports: each kept once, matched with its message, and the furthest of them noted there.

A report can overtake the answer to the send it is about. So it is written and committed first and looked for second, and
so is the answer: whichever of the two comes last finds the other. What neither found, because a process died in between,
`look_again` finds.

Of a send that ended nobody knows how, there is no id to match by. A report under an id that nobody knows, for the same
number, tells how: it settles the oldest such message. While another message to that number is in the air, it waits, for
it may be that one's.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Delete, Row, bindparam, delete, select, update

from services.given import Clock, Sealing
from services.messages.delivery import Delivery, Report, further
from services.records.database import Records, Transaction
from services.records.tables import SENDING, UNKNOWN, UNMATCHED, delivery_reports, messages

MOST_UNMATCHED: Final = 10_000
KEPT_UNMATCHED: Final = timedelta(days=3)  # longer than networks try to deliver
BY_NUMBER_WITHIN: Final = timedelta(hours=48)  # after nobody knew any more how a send had ended
AT_ONCE: Final = 500  # messages and reports that are looked at again in one go


class Reports:
    """What the provider told of messages, without a number that can be read."""

    def __init__(self, records: Records, seal: Sealing, clock: Clock) -> None:
        self._records = records
        self._seal = seal
        self._clock = clock

    async def heard(self, report: Report) -> int | None:
        """Keep a report and note it with its message, whose id this gives; None while there is none. Repeats do nothing."""
        now = self._clock()
        async with self._records.transaction() as transaction:
            message = await _one(transaction, _OF_ID, {"of": report.provider_id})
            await transaction.execute(self._records.insert_once(delivery_reports), self._row(report, now))
            if message is not None:
                return await _note(transaction, message, report.provider_id)
            await transaction.execute(_TOO_MANY)
        return await self._match(report.provider_id, report.number, now)

    async def overtaken(self, provider_ids: Collection[str]) -> None:
        """Note what was reported under these ids before anybody here knew them."""
        waiting = await self._records.read(_WAITING_AMONG, {"ids": list(provider_ids)})
        for provider_id in waiting.scalars():
            await self._match(provider_id)

    async def look_again(self) -> int:
        """Match what could not be matched before, and forget what never will be; how many messages were found."""
        async with self._records.transaction() as transaction:
            await transaction.execute(_TOO_OLD, {"before": self._clock() - KEPT_UNMATCHED})
        found = [await self._match(provider_id) for provider_id in (await self._records.read(_MISSED)).scalars()]
        unknown = (await self._records.read(_SOME_UNKNOWN)).scalars()
        numbers = {self._key(number): number for number in unknown}
        if numbers:
            waiting = await self._records.read(_WAITING_FOR, {"keys": list(numbers)})
            found += [await self._match(one.provider_id, numbers[one.number_key], one.heard_at) for one in waiting]
        return len({message for message in found if message is not None})

    async def _match(self, provider_id: str, number: str = "", heard: datetime | None = None) -> int | None:
        """Find the message again, by the number that a report named when it was `heard` where the id is not known."""
        async with self._records.transaction() as transaction:
            message = await _one(transaction, _OF_ID, {"of": provider_id})
            if message is None and heard is not None:
                message = await self._unknown_to(transaction, number, heard)
            return None if message is None else await _note(transaction, message, provider_id)

    async def _unknown_to(self, transaction: Transaction, number: str, heard: datetime) -> Row[Any] | None:
        if await _one(transaction, _SENDING_TO, {"number": number}) is not None:
            return None
        asked = {"number": number, "heard": heard, "since": heard - BY_NUMBER_WITHIN}
        return await _one(transaction, _UNKNOWN_TO, asked)

    def _row(self, report: Report, now: datetime) -> dict[str, object]:
        return {
            "provider_id": report.provider_id,
            "word": report.word,
            "delivery": report.delivery.value,
            "reason": report.reason or None,
            "network": report.network or None,
            "number_key": self._key(report.number) if report.number else None,
            "heard_at": now,
        }

    def _key(self, number: str) -> str:
        return self._seal.name("report", number)


async def _one(transaction: Transaction, statement: Any, values: dict[str, object]) -> Row[Any] | None:
    return (await transaction.execute(statement, values)).first()


async def _note(transaction: Transaction, message: Row[Any], provider_id: str) -> int:
    """Whatever is reported under this id is about `message`, which is locked; of all that, the furthest counts. Its id."""
    waiting = (await transaction.execute(_WAITING, {"of": provider_id})).all()
    known = first = Delivery(message.delivery) if message.delivery else None
    counts: dict[str, object] = {}
    for report in waiting:
        heard = further(known, Delivery(report.delivery))
        if heard is not known:
            known, counts = heard, _facts(report)
    if known is not first or message.status == "unknown":
        noted = {"provider_id": provider_id, "status": "sent", **counts}
        await transaction.execute(update(messages).where(messages.c.id == message.id).values(noted))
    if waiting:
        await transaction.execute(_MATCHED, {"of": provider_id, "matched": message.id})
    return int(message.id)


def _facts(report: Row[Any]) -> dict[str, object]:
    facts = {"delivery": report.delivery, "delivery_reason": report.reason, "reported_at": report.heard_at}
    return {**facts, "network": report.network} if report.network else facts


def _too_many(most: int = MOST_UNMATCHED) -> Delete:
    newest = select(delivery_reports.c.id).where(UNMATCHED).order_by(delivery_reports.c.heard_at.desc())
    older = newest.offset(most).limit(AT_ONCE).with_for_update(skip_locked=True).cte("older")
    return delete(delivery_reports).where(delivery_reports.c.id.in_(select(older.c.id)))


_OF_ID = (
    select(messages)
    .where(messages.c.provider_id == bindparam("of"))
    .order_by(messages.c.id.desc())
    .limit(1)
    .with_for_update()
)
_UNSETTLED = (UNKNOWN, messages.c.provider_id.is_(None), messages.c.medium == "sms")
_UNKNOWN_TO = (
    select(messages)
    .where(
        *_UNSETTLED,
        messages.c.recipient == bindparam("number"),
        messages.c.created_at <= bindparam("heard"),
        messages.c.updated_at > bindparam("since"),
    )
    .order_by(messages.c.id)
    .limit(1)
    .with_for_update()
)
_SOME_UNKNOWN = select(messages.c.recipient).where(*_UNSETTLED).order_by(messages.c.updated_at.desc()).limit(AT_ONCE)
_SENDING_TO = select(messages.c.id).where(SENDING, messages.c.recipient == bindparam("number")).limit(1)

_waits = select(delivery_reports).where(UNMATCHED).order_by(delivery_reports.c.id)
_ids = _waits.with_only_columns(delivery_reports.c.provider_id)
_WAITING = _waits.where(delivery_reports.c.provider_id == bindparam("of"))
_WAITING_AMONG = _ids.where(delivery_reports.c.provider_id.in_(bindparam("ids", expanding=True)))
_WAITING_FOR = _waits.where(delivery_reports.c.number_key.in_(bindparam("keys", expanding=True))).limit(AT_ONCE)
_MISSED = _ids.join(messages, messages.c.provider_id == delivery_reports.c.provider_id).limit(AT_ONCE)
_MATCHED = (
    update(delivery_reports)
    .where(delivery_reports.c.provider_id == bindparam("of"), UNMATCHED)
    .values(message=bindparam("matched"), number_key=None)
)
_TOO_OLD = delete(delivery_reports).where(UNMATCHED, delivery_reports.c.heard_at < bindparam("before"))
_TOO_MANY = _too_many()
