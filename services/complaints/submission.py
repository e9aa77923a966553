"""Submission of complaints and feedback: each is recorded once and gets a number."""

from datetime import date, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, select

from core.crypto import Cipher
from core.reference_numbers import record_with_new_number
from core.typed_input import clean_text
from core.types import CHANNEL_SMS, TextKey, TextRenderer, UtcClock, utc_now
from db.database import Database, Transaction
from db.tables import applications, complaint_events, complaints, feedback
from services.audit.audit import AuditLog, build_audit_entry
from services.audit.models import Actor
from services.complaints.models import (
    ComplaintReceipt,
    EscalationPolicy,
    NewComplaint,
    NewFeedback,
    complaint_associated_data,
    complaint_facts,
    feedback_associated_data,
)
from services.complaints.policies import EscalationPolicies
from services.complaints.transitions import Transition
from services.messaging.messages import Messages
from services.messaging.models import Message

CITIZEN_ACTOR: Final = "citizen"


class _Subject(NamedTuple):
    """The subject of a complaint: an application's id, a service, and the department that answers."""

    application: int | None
    service: str
    department: str


class _Recorded(NamedTuple):
    """A complaint that this call recorded, and the policy of its department."""

    id: int
    number: str
    policy: EscalationPolicy
    promised: date
    recorded_at: datetime

    def first_event(self, actor: Actor, idempotency_key: str) -> dict[str, Any]:
        transition = Transition("received", 0, {}, TextKey("complaint_received"), idempotency_key)
        return transition.event_row(self.id, self.number, actor, self.recorded_at)


class ComplaintSubmission:
    """Records complaints and feedback; their texts are encrypted."""

    def __init__(
        self,
        database: Database,
        messages: Messages,
        cipher: Cipher,
        render_text: TextRenderer,
        policies: EscalationPolicies,
        *,
        clock: UtcClock = utc_now,
    ) -> None:
        self._database = database
        self._messages = messages
        self._cipher = cipher
        self._render_text = render_text
        self._policies = policies
        self._audit = AuditLog(database, clock=clock)
        self._clock = clock

    async def submit_complaint(
        self, complaint: NewComplaint, idempotency_key: str, *, by: Actor | None = None
    ) -> ComplaintReceipt:
        """Record a complaint and notify the citizen; a repeated key gets the same receipt.

        A complaint about an unknown tracking number has no application; the number stays in the text.

        Raises:
            NumbersExhaustedError: no free number was drawn.
        """
        async with self._database.transaction() as transaction:
            subject = await self._find_subject(transaction, complaint)

            async def record(number: str) -> ComplaintReceipt | None:
                recorded = await self._insert(transaction, complaint, subject, number, idempotency_key)
                if recorded is None:  # the key is repeated, or the number is in use
                    return await _find_earlier_receipt(transaction, idempotency_key)
                await self._record_first_event(transaction, complaint, recorded, idempotency_key, by)
                about = complaint.about if subject.application else ""
                return ComplaintReceipt(recorded.number, about, recorded.promised)

            return await record_with_new_number(record)

    async def submit_feedback(self, new_feedback: NewFeedback, idempotency_key: str, *, by: Actor | None = None) -> str:
        """Record feedback for the department that it concerns, and confirm it by SMS; its number, the same for a repeated key.

        Raises:
            NumbersExhaustedError: no free number was drawn.
        """
        async with self._database.transaction() as transaction:

            async def record(number: str) -> str | None:
                if not await self._insert_feedback(transaction, new_feedback, number, idempotency_key):
                    query = select(feedback.c.feedback_number).where(feedback.c.idempotency_key == idempotency_key)
                    return (await transaction.execute(query)).scalar_one_or_none()
                actor = by or _citizen_actor(new_feedback.channel)
                entry = build_audit_entry(actor, "feedback_given", "feedback", number, idempotency_key)
                await self._audit.record(transaction, entry)
                await self._confirm_feedback(transaction, new_feedback, number, idempotency_key)
                return number

            return await record_with_new_number(record)

    async def _find_subject(self, transaction: Transaction, complaint: NewComplaint) -> _Subject:
        row = (await transaction.execute(_select_application(complaint.about))).one_or_none()
        if row:
            return _Subject(row.id, row.service, row.department)
        return _Subject(None, complaint.service, self._policies.department_for_service(complaint.service))

    async def _insert(
        self, transaction: Transaction, complaint: NewComplaint, subject: _Subject, number: str, idempotency_key: str
    ) -> _Recorded | None:
        now = self._clock()
        policy = self._policies.policy_for(subject.department)
        promised = policy.answer_due_on(now, 0)
        row = {
            **subject._asdict(),
            "complaint_number": number,
            "msisdn": complaint.msisdn,
            "reason": complaint.reason,
            "text": self._cipher.encrypt(clean_text(complaint.text).encode(), complaint_associated_data(number)),
            "status": "received",
            "promised": promised,
            "due_at": policy.end_of_day(promised),
            "language": complaint.language,
            "channel": complaint.channel,
            "idempotency_key": idempotency_key,
            "created_at": now,
            "changed_at": now,
        }
        insert = self._database.insert_or_ignore(complaints).returning(complaints.c.id)
        complaint_id = (await transaction.execute(insert, row)).scalar_one_or_none()
        return None if complaint_id is None else _Recorded(complaint_id, number, policy, promised, now)

    async def _record_first_event(
        self,
        transaction: Transaction,
        complaint: NewComplaint,
        recorded: _Recorded,
        idempotency_key: str,
        by: Actor | None,
    ) -> None:
        """Write the first event, the audit entry and the SMS. A complaint by SMS gets its number in the reply instead."""
        actor = by or _citizen_actor(complaint.channel)
        await transaction.execute(self._database.insert(complaint_events), recorded.first_event(actor, idempotency_key))
        entry = build_audit_entry(
            actor, "complaint_made", "complaint", recorded.number, idempotency_key, reason=complaint.reason
        )
        await self._audit.record(transaction, entry)
        if complaint.channel == CHANNEL_SMS:
            return
        facts = complaint_facts(recorded.number, 0, recorded.policy, recorded.promised, {})
        text = self._render_text(complaint.language, "complaint_received", facts)
        message = Message(complaint.msisdn, text, "receipt", f"{idempotency_key}/complaint")
        await self._messages.enqueue(transaction, message)

    async def _confirm_feedback(
        self, transaction: Transaction, new_feedback: NewFeedback, number: str, idempotency_key: str
    ) -> None:
        """Send the number by SMS. Feedback by SMS gets it in the reply instead."""
        if new_feedback.channel == CHANNEL_SMS:
            return
        text = self._render_text(new_feedback.language, "feedback_received", {"feedback": number})
        message = Message(new_feedback.msisdn, text, "receipt", f"{idempotency_key}/feedback")
        await self._messages.enqueue(transaction, message)

    async def _insert_feedback(
        self, transaction: Transaction, new_feedback: NewFeedback, number: str, idempotency_key: str
    ) -> bool:
        row = {
            "feedback_number": number,
            "msisdn": new_feedback.msisdn,
            "service": new_feedback.service,
            "department": self._policies.department_for_service(new_feedback.service),
            "rating": new_feedback.rating,
            "text": self._cipher.encrypt(
                clean_text(new_feedback.text).encode(), feedback_associated_data(idempotency_key)
            ),
            "language": new_feedback.language,
            "channel": new_feedback.channel,
            "idempotency_key": idempotency_key,
            "created_at": self._clock(),
        }
        insert = self._database.insert_or_ignore(feedback).returning(feedback.c.id)
        return (await transaction.execute(insert, row)).scalar_one_or_none() is not None


def _citizen_actor(channel: str) -> Actor:
    """A complainant without an account; the complaint itself has their MSISDN."""
    return Actor(CITIZEN_ACTOR, "", channel)


def _select_application(tracking_number: str) -> Select[Any]:
    columns = (applications.c.id, applications.c.service, applications.c.department)
    return select(*columns).where(applications.c.tracking_number == tracking_number)


async def _find_earlier_receipt(transaction: Transaction, idempotency_key: str) -> ComplaintReceipt | None:
    joined = complaints.outerjoin(applications, applications.c.id == complaints.c.application)
    columns = (complaints.c.complaint_number, complaints.c.promised, applications.c.tracking_number)
    query = select(*columns).select_from(joined).where(complaints.c.idempotency_key == idempotency_key)
    row = (await transaction.execute(query)).one_or_none()
    if row is None:
        return None
    return ComplaintReceipt(row.complaint_number, row.tracking_number or "", row.promised, is_repeat=True)
