"""Applications as the department sees them that they belong to, and how it moves them on."""

import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from hashlib import sha256
from typing import Any, TypeAlias

from sqlalchemy import Row, Select, select, update

from services.applications.handing_in import LanguageOf
from services.applications.values import (
    FINAL,
    STATUSES,
    Event,
    FeeState,
    Filed,
    Listed,
    Moved,
    NotMoved,
    digest_of,
    form_of,
    told_of,
)
from services.audit import Audit, Who, act_of
from services.given import Clock, Say, Sealing, Texts, utc_now
from services.messages import Message, Messages
from services.pages import Page, Span, page, part
from services.records.database import Records, Transaction
from services.records.tables import application_events, applications

FeeOf: TypeAlias = Callable[[str], Awaitable[FeeState]]
"""A tracking number to what became of the application's fee."""
_LISTED = ("tracking_number", "service", "office", "status", "promised", "created_at", "changed_at")
_AS_FILED = ("tracking_number", "number", "service", "office", "language", "channel", "status", "note", "promised")
_ITS_FEE = ("fee_minor", "currency")


class Filings:
    """The applications of every department, each seen by its own alone."""

    def __init__(
        self,
        records: Records,
        messages: Messages,
        seal: Sealing,
        say: Say,
        *,
        language_of: LanguageOf | None = None,
        fee_of: FeeOf | None = None,
        clock: Clock = utc_now,
    ) -> None:
        """Without `language_of` nobody but whoever applied is told of anything; without `fee_of` no fee is paid here."""
        self._records = records
        self._messages = messages
        self._seal = seal
        self._say = say
        self._language_of = language_of
        self._fee_of = fee_of
        self._clock = clock
        self._audit = Audit(records, clock=clock)

    async def listed(self, department: str, span: Span, *, service: str = "", status: str = "") -> Page[Listed]:
        """The applications of a department, or those of a service or in a status, in the order in which they changed.

        One that changes while pages are read comes again at the end: nothing is missed.
        """
        wanted = {"department": department, "service": service, "status": status}
        those = [applications.c[name] == value for name, value in wanted.items() if value]
        asked = select(applications.c.id, *(applications.c[name] for name in _LISTED)).where(*those)
        found = await self._records.read(part(asked, applications.c.changed_at, applications.c.id, span))
        return page(found.all(), "changed_at", span, _listed)

    async def filed(self, department: str, tracking_number: str, *, by: Who | None = None) -> Filed | None:
        """The whole application for the department it belongs to; None for every other. That it was read is noted."""
        async with self._records.transaction() as transaction:
            row = (await transaction.execute(_of_department(department, tracking_number))).one_or_none()
            if row is None:
                return None
            asked = select(application_events).where(application_events.c.application == row.id)
            events = await transaction.execute(asked.order_by(application_events.c.id))
            read = f"read:{secrets.token_hex(12)}"
            await self._note(transaction, "application_read", row, by, read)
        past = tuple(Event(event.status, event.note, event.created_at) for event in events)
        return self._opened(row, past, await self._fee_state(row))

    async def _fee_state(self, row: Row[Any]) -> FeeState:
        if not row.fee_minor:
            return "none"
        return await self._fee_of(row.tracking_number) if self._fee_of else "due"

    async def move(
        self, department: str, tracking_number: str, status: str, note: Texts, key: str, *, by: Who | None = None
    ) -> Moved | NotMoved:
        """Move an application of this department to `status`, and tell the citizen by SMS in their language.

        `key` is the department's own; the same key with the same words is answered as before and does nothing. `by` is
        whom the audit names; without it, the department by its key.
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
            return await self._move(transaction, row, event, by, effect)

    async def _move(
        self, transaction: Transaction, row: Row[Any], event: Mapping[str, Any], by: Who | None, effect: str
    ) -> Moved | NotMoved:
        now, moved = self._clock(), (event["status"], event["note"])
        noted = {**event, "application": row.id, "effect": effect, "created_at": now}
        inserted = self._records.insert_once(application_events).returning(application_events.c.id)
        if (await transaction.execute(inserted, noted)).scalar_one_or_none() is None:
            return NotMoved("conflict")  # at this very moment the key was used for another application
        changed = {"status": event["status"], "note": event["note"], "changed_at": now}
        await transaction.execute(update(applications).where(applications.c.id == row.id).values(changed))
        await self._tell(transaction, row, moved, effect)
        await self._note(transaction, "application_moved", row, by, effect, status=event["status"])
        return Moved(row.tracking_number, *moved, at=now)

    async def _tell(self, transaction: Transaction, row: Row[Any], moved: tuple[str, Texts], effect: str) -> None:
        """Tell whoever applied, and the other person whom it is for, each in their language."""
        told = {row.number: (row.language, f"{effect}/moved")}
        if row.beneficiary and self._language_of:
            told[row.beneficiary] = (await self._language_of(row.beneficiary), f"{effect}/moved/other")
        for number, (language, named) in told.items():
            text = self._say(language, "moved", told_of(row.tracking_number, row.service, *moved))
            await self._messages.queue(transaction, Message(number, text, "status", named))

    async def _note(
        self, transaction: Transaction, act: str, row: Row[Any], by: Who | None, effect: str, **details: str
    ) -> None:
        who = by or Who("department", row.department, "api")
        noted = act_of(who, act, "application", row.tracking_number, effect, **details)
        await self._audit.note(transaction, noted)

    def _opened(self, row: Row[Any], events: tuple[Event, ...], fee_state: FeeState) -> Filed:
        form = json.loads(self._seal.open(row.form, form_of(row.tracking_number)))
        plain = {name: getattr(row, name) for name in (*_AS_FILED, *_ITS_FEE)}
        return Filed(
            **plain,
            form=form,
            received=row.created_at,
            changed=row.changed_at,
            events=events,
            beneficiary=row.beneficiary or "",
            on_file=tuple(row.on_file),
            fee_state=fee_state,
        )


def _listed(row: Row[Any]) -> Listed:
    return Listed(*(getattr(row, name) for name in _LISTED))


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
