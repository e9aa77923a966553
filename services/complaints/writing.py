"""Writing a complaint or a feedback: each is recorded once, and gets a number that it can be named by."""

from datetime import date, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, select

from services.applications import COLLISIONS, NumbersExhausted
from services.audit import Audit, Who, act_of
from services.channels import BY_SMS
from services.complaints.moving import Said, Step
from services.complaints.values import (
    Complaint,
    Filed,
    Office,
    Offices,
    Opinion,
    complaint_of,
    facts_of,
    feedback_of,
)
from services.given import Clock, Say, Sealing, utc_now
from services.messages import Message, Messages
from services.numbers import tracking_number
from services.records.database import Records, Transaction
from services.records.tables import applications, complaint_events, complaints, feedback

CITIZEN: Final = "citizen"


class _About(NamedTuple):
    """What a complaint is about: an application's id, a service and the department that answers for it."""

    application: int | None
    service: str
    department: str


class _Made(NamedTuple):
    """A complaint that was recorded just now, and who answers for it."""

    id: int
    number: str
    office: Office
    promised: date
    at: datetime

    def event(self, who: Who, effect: str) -> dict[str, Any]:
        """The first of its way."""
        step = Step("received", 0, {}, Said("complaint_received"), effect)
        return step.noted(self.id, self.number, who, self.at)


class Complaints:
    """Where both are written; what people wrote is sealed in the tables."""

    def __init__(
        self,
        records: Records,
        messages: Messages,
        seal: Sealing,
        say: Say,
        offices: Offices,
        *,
        clock: Clock = utc_now,
    ) -> None:
        self._records = records
        self._messages = messages
        self._seal = seal
        self._say = say
        self._offices = offices
        self._audit = Audit(records, clock=clock)
        self._clock = clock

    async def complain(self, new: Complaint, effect: str, *, by: Who | None = None) -> Filed:
        """Record a complaint as received, and tell the citizen; the same effect gets the same number.

        A tracking number that no application has ties it to none, and is part of the words, where nothing is lost.
        """
        async with self._records.transaction() as transaction:
            about = await self._about(transaction, new)
            for _ in range(COLLISIONS):
                if made := await self._insert(transaction, new, about, effect):
                    await self._receive(transaction, new, made, effect, by)
                    return Filed(made.number, new.about if about.application else "", made.promised)
                if before := await _filed_before(transaction, effect):
                    return before
        raise NumbersExhausted("No free complaint number was drawn; the source of chance does not work.")

    async def suggest(self, new: Opinion, effect: str, *, by: Who | None = None) -> str:
        """Record a feedback for the department it concerns; its twelve digits, the same for the same effect."""
        known = select(feedback.c.feedback_number).where(feedback.c.effect == effect)
        async with self._records.transaction() as transaction:
            for _ in range(COLLISIONS):
                if number := await self._insert_feedback(transaction, new, effect):
                    noted = act_of(by or _citizen(new.channel), "feedback_given", "feedback", number, effect)
                    await self._audit.note(transaction, noted)
                    return number
                if earlier := (await transaction.execute(known)).scalar_one_or_none():
                    return str(earlier)
        raise NumbersExhausted("No free feedback number was drawn; the source of chance does not work.")

    async def _about(self, transaction: Transaction, new: Complaint) -> _About:
        row = (await transaction.execute(_application(new.about))).one_or_none()
        if row:
            return _About(row.id, row.service, row.department)
        return _About(None, new.service, self._offices.of(new.service))

    async def _insert(self, transaction: Transaction, new: Complaint, about: _About, effect: str) -> _Made | None:
        """None when the effect has a complaint already, or the number that was drawn belongs to another."""
        now, number = self._clock(), tracking_number()
        office = self._offices.office(about.department)
        promised = office.promised(now, 0)
        row = {
            **about._asdict(),
            "complaint_number": number,
            "number": new.number,
            "reason": new.reason,
            "text": self._seal.close(new.text.encode(), complaint_of(number)),
            "status": "received",
            "promised": promised,
            "due_at": office.over(promised),
            "language": new.language,
            "channel": new.channel,
            "effect": effect,
            "created_at": now,
            "changed_at": now,
        }
        inserted = self._records.insert_once(complaints).returning(complaints.c.id)
        complaint = (await transaction.execute(inserted, row)).scalar_one_or_none()
        return None if complaint is None else _Made(complaint, number, office, promised, now)

    async def _receive(
        self, transaction: Transaction, new: Complaint, made: _Made, effect: str, by: Who | None
    ) -> None:
        """The first event, the audit, and the number by SMS to who did not write by SMS: to them the reply says it."""
        who = by or _citizen(new.channel)
        await transaction.execute(self._records.insert(complaint_events), made.event(who, effect))
        noted = act_of(who, "complaint_made", "complaint", made.number, effect, reason=new.reason)
        await self._audit.note(transaction, noted)
        if new.channel == BY_SMS:
            return
        text = self._say(new.language, "complaint_received", facts_of(made.number, 0, made.office, made.promised, {}))
        await self._messages.queue(transaction, Message(new.number, text, "receipt", f"{effect}/complaint"))

    async def _insert_feedback(self, transaction: Transaction, new: Opinion, effect: str) -> str | None:
        """As `_insert`."""
        number = tracking_number()
        row = {
            "feedback_number": number,
            "number": new.number,
            "service": new.service,
            "department": self._offices.of(new.service),
            "rating": new.rating,
            "text": self._seal.close(new.text.encode(), feedback_of(effect)),
            "language": new.language,
            "channel": new.channel,
            "effect": effect,
            "created_at": self._clock(),
        }
        inserted = self._records.insert_once(feedback).returning(feedback.c.id)
        return number if (await transaction.execute(inserted, row)).scalar_one_or_none() else None


def _citizen(channel: str) -> Who:
    """Whoever complains without an account: the complaint itself says whose it is."""
    return Who(CITIZEN, "", channel)


def _application(tracking: str) -> Select[Any]:
    columns = (applications.c.id, applications.c.service, applications.c.department)
    return select(*columns).where(applications.c.tracking_number == tracking)


async def _filed_before(transaction: Transaction, effect: str) -> Filed | None:
    about = complaints.outerjoin(applications, applications.c.id == complaints.c.application)
    columns = (complaints.c.complaint_number, complaints.c.promised, applications.c.tracking_number)
    row = (
        await transaction.execute(select(*columns).select_from(about).where(complaints.c.effect == effect))
    ).one_or_none()
    return Filed(row.complaint_number, row.tracking_number or "", row.promised, again=True) if row else None
