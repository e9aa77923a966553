"""Applications as the department sees them that they belong to, and how it moves them on."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from sqlalchemy import Row, Select, select, update

from services.applications.values import (
    FINAL,
    STATUSES,
    Event,
    Filed,
    Moved,
    NotMoved,
    digest_of,
    form_of,
    told_of,
)
from services.given import Clock, Say, Sealing, Texts, utc_now
from services.messages import Message, Messages
from services.records.database import Records, Transaction
from services.records.tables import application_events, applications

_AS_FILED = ("tracking_number", "number", "service", "office", "language", "channel", "status", "note", "promised")


class Filings:
    """The applications of every department, each seen by its own alone."""

    def __init__(
        self, records: Records, messages: Messages, seal: Sealing, say: Say, *, clock: Clock = utc_now
    ) -> None:
        self._records = records
        self._messages = messages
        self._seal = seal
        self._say = say
        self._clock = clock

    async def filed(self, department: str, tracking_number: str) -> Filed | None:
        """The whole application for the department it belongs to; None for every other."""
        found = await self._records.read(_of_department(department, tracking_number))
        row = found.one_or_none()
        if row is None:
            return None
        asked = select(application_events).where(application_events.c.application == row.id)
        events = await self._records.read(asked.order_by(application_events.c.id))
        return self._opened(row, tuple(Event(event.status, event.note, event.created_at) for event in events))

    async def move(self, department: str, tracking_number: str, status: str, note: Texts, key: str) -> Moved | NotMoved:
        """Move an application of this department to `status`, and tell the citizen by SMS in their language.

        `key` is the department's own; the same key with the same words is answered as before and does nothing.
        """
        if status not in STATUSES:
            return NotMoved("no_such_status")
        event: dict[str, Any] = {
            "status": status,
            "note": dict(note),
            "digest": digest_of(tracking_number, status, note),
        }
        effect = f"api:{sha256(json.dumps([department, key]).encode()).hexdigest()}"
        async with self._records.transaction() as transaction:
            found = await transaction.execute(_of_department(department, tracking_number).with_for_update())
            row = found.one_or_none()
            if row is None:
                return NotMoved("unknown")
            if earlier := await _moved_before(transaction, tracking_number, effect, event["digest"]):
                return earlier
            if row.status in FINAL:
                return NotMoved("final")
            return await self._move(transaction, row, event, effect)

    async def _move(
        self, transaction: Transaction, row: Row[Any], event: Mapping[str, Any], effect: str
    ) -> Moved | NotMoved:
        now, moved = self._clock(), (event["status"], event["note"])
        noted = {**event, "application": row.id, "effect": effect, "created_at": now}
        inserted = self._records.insert_once(application_events).returning(application_events.c.id)
        if (await transaction.execute(inserted, noted)).scalar_one_or_none() is None:
            return NotMoved("conflict")  # at this very moment the key was used for another application
        changed = {"status": event["status"], "note": event["note"], "changed_at": now}
        await transaction.execute(update(applications).where(applications.c.id == row.id).values(changed))
        text = self._say(row.language, "moved", told_of(row.tracking_number, row.service, *moved))
        await self._messages.queue(transaction, Message(row.number, text, "status", f"{effect}/moved"))
        return Moved(row.tracking_number, *moved, at=now)

    def _opened(self, row: Row[Any], events: tuple[Event, ...]) -> Filed:
        form = json.loads(self._seal.open(row.form, form_of(row.tracking_number)))
        plain = {name: getattr(row, name) for name in _AS_FILED}
        return Filed(**plain, form=form, received=row.created_at, changed=row.changed_at, events=events)


def _of_department(department: str, tracking_number: str) -> Select[Any]:
    return select(applications).where(
        applications.c.tracking_number == tracking_number, applications.c.department == department
    )


async def _moved_before(
    transaction: Transaction, tracking_number: str, effect: str, digest: bytes
) -> Moved | NotMoved | None:
    known = select(application_events).where(application_events.c.effect == effect)
    row = (await transaction.execute(known)).one_or_none()
    if row is None:
        return None
    if row.digest != digest:
        return NotMoved("conflict")
    return Moved(tracking_number, row.status, row.note, row.created_at, again=True)
