"""Complaints and feedback as the department sees them that they belong to, and how it answers."""

import secrets
from collections.abc import Mapping
from hashlib import sha256
from json import dumps
from typing import Any, Final

from sqlalchemy import Row, Select, select

from services.audit import Audit, Who, act_of
from services.complaints.moving import Moving, Said, Step, done_before
from services.complaints.values import (
    BY_DEPARTMENT,
    Case,
    Event,
    Feedback,
    Listed,
    Moved,
    NotMoved,
    complaint_of,
    feedback_of,
)
from services.given import Clock, Sealing, Texts, utc_now
from services.pages import Page, Span, page, part
from services.records.database import Records, Transaction
from services.records.tables import applications, complaint_events, complaints, feedback

SAID: Final[Mapping[str, Said]] = {
    "under_review": Said("complaint_moved"),
    "answered": Said("complaint_answered"),
    "closed": Said("complaint_moved"),
}
"""The text that tells a citizen what their complaint was moved to."""
_WITH_APPLICATION = select(complaints, applications.c.tracking_number).outerjoin(
    applications, applications.c.id == complaints.c.application
)


class Cases:
    """What was complained of at every department, each seen by its own alone; NOBODY is one of them."""

    def __init__(self, records: Records, moving: Moving, seal: Sealing, *, clock: Clock = utc_now) -> None:
        self._records = records
        self._moving = moving
        self._seal = seal
        self._audit = Audit(records, clock=clock)

    async def listed(self, department: str, span: Span, *, status: str = "") -> Page[Listed]:
        """A page of this department's complaints by when they last changed, the longest ago first.

        One that changes while pages are read comes again at the end: nothing is missed.
        """
        asked = _WITH_APPLICATION.where(complaints.c.department == department)
        if status:
            asked = asked.where(complaints.c.status == status)
        found = await self._records.read(part(asked, complaints.c.changed_at, complaints.c.id, span))
        return page(found.all(), "changed_at", span, _listed)

    async def one(self, department: str, number: str, *, by: Who | None = None) -> Case | None:
        """The whole complaint for the department it belongs to; None for every other. That it was read is noted."""
        async with self._records.transaction() as transaction:
            row = (await transaction.execute(_of_department(department, number))).one_or_none()
            if row is None:
                return None
            asked = select(complaint_events).where(complaint_events.c.complaint == row.id)
            events = (await transaction.execute(asked.order_by(complaint_events.c.id))).all()
            read = f"read:{secrets.token_hex(12)}"
            await self._audit.note(
                transaction, act_of(_who(by, department), "complaint_read", "complaint", number, read)
            )
        return self._opened(row, events)

    async def move(
        self, department: str, number: str, status: str, note: Texts, key: str, *, by: Who | None = None
    ) -> Moved | NotMoved:
        """Move a complaint of this department to one of BY_DEPARTMENT, and tell the citizen by SMS in their language.

        `key` is the department's own; the same key with the same words is answered as before and does nothing. To
        answer is to move it to `answered` with a note.
        """
        if status not in BY_DEPARTMENT:
            return NotMoved("no_such_status")
        effect = f"api:complaint:{sha256(dumps([department, key]).encode()).hexdigest()}"
        async with self._records.transaction() as transaction:
            held = _of_department(department, number).with_for_update(of=complaints)
            row = (await transaction.execute(held)).one_or_none()
            if row is None:
                return NotMoved("unknown")
            step = Step(status, row.level, note, SAID[status], effect)
            if earlier := await _moved_before(transaction, number, step):
                return earlier
            if row.status == "closed":
                return NotMoved("closed")
            moved = await self._moving.move(transaction, row, step, _who(by, department))
        return Moved(number, status, note, moved) if moved else NotMoved("conflict")

    async def feedback(self, department: str, span: Span) -> Page[Feedback]:
        """A page of what was thought of this department's services, oldest first."""
        asked = select(feedback).where(feedback.c.department == department)
        found = await self._records.read(part(asked, feedback.c.created_at, feedback.c.id, span))
        return page(found.all(), "created_at", span, self._feedback)

    def _opened(self, row: Row[Any], events: Any) -> Case:
        return Case(
            listed=_listed(row),
            citizen=row.number,
            text=self._seal.open(row.text, complaint_of(row.complaint_number)).decode(),
            language=row.language,
            channel=row.channel,
            note=row.note,
            events=tuple(Event(one.status, one.level, one.note, one.actor_kind, one.created_at) for one in events),
        )

    def _feedback(self, row: Row[Any]) -> Feedback:
        text = self._seal.open(row.text, feedback_of(row.effect)).decode()
        return Feedback(row.feedback_number, row.service, row.rating, text, row.language, row.channel, row.created_at)


def _listed(row: Row[Any]) -> Listed:
    return Listed(
        number=row.complaint_number,
        service=row.service,
        tracking_number=row.tracking_number or "",
        reason=row.reason,
        status=row.status,
        level=row.level,
        promised=row.promised,
        received=row.created_at,
        changed=row.changed_at,
    )


def _of_department(department: str, number: str) -> Select[Any]:
    return _WITH_APPLICATION.where(complaints.c.complaint_number == number, complaints.c.department == department)


def _who(by: Who | None, department: str) -> Who:
    return by or Who("department", department, "api")


async def _moved_before(transaction: Transaction, number: str, step: Step) -> Moved | NotMoved | None:
    event = await done_before(transaction, step.effect)
    if event is None:
        return None
    if event.digest != step.digest(number):
        return NotMoved("conflict")
    return Moved(number, event.status, event.note, event.created_at, again=True)
