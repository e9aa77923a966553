"""Complaints and feedback as their department sees them: list, read, change the status."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, Select, select

from core.crypto import Cipher
from core.idempotency import build_request_key
from core.pagination import Page, PageRequest, build_page, select_page
from core.types import TextKey, Translations, UtcClock, utc_now
from db.database import Database
from db.tables import applications, complaint_events, complaints, feedback
from services.audit.audit import AuditLog, build_audit_entry
from services.audit.models import Actor
from services.cases.models import StatusChanged, StatusRejected, repeat_of_change
from services.complaints.models import (
    DEPARTMENT_STATUSES,
    STATUS_ORDER,
    ComplaintDetail,
    ComplaintSummary,
    Feedback,
    StatusEvent,
    complaint_associated_data,
    feedback_associated_data,
)
from services.complaints.transitions import Transition, Transitions, find_event

CHANGE_TEXTS: Final[Mapping[str, TextKey]] = {
    "under_review": TextKey("complaint_moved"),
    "answered": TextKey("complaint_answered"),
    "closed": TextKey("complaint_moved"),
}
"""The text of the SMS for each status that a department sets."""
_SELECT_WITH_APPLICATION = select(complaints, applications.c.tracking_number).outerjoin(
    applications, applications.c.id == complaints.c.application
)


class DepartmentComplaints:
    """Gives every department, and NO_DEPARTMENT, its own complaints and feedback and no others."""

    def __init__(
        self, database: Database, transitions: Transitions, cipher: Cipher, *, clock: UtcClock = utc_now
    ) -> None:
        self._database = database
        self._transitions = transitions
        self._cipher = cipher
        self._audit = AuditLog(database, clock=clock)

    async def list_page(
        self, department: str, page_request: PageRequest, *, status: str = ""
    ) -> Page[ComplaintSummary]:
        """A page of the department's complaints, of one status where given, by the time of their last change.

        A complaint that changes while pages are read appears again at the end, so that no change is missed.
        """
        query = _SELECT_WITH_APPLICATION.where(complaints.c.department == department)
        if status:
            query = query.where(complaints.c.status == status)
        page_query = select_page(query, complaints.c.changed_at, complaints.c.id, page_request)
        rows = (await self._database.fetch(page_query)).all()
        return build_page(rows, "changed_at", page_request, _summary_from_row)

    async def get(self, department: str, number: str, *, by: Actor | None = None) -> ComplaintDetail | None:
        """The complaint; None where it is not the department's. The audit log records the reading."""
        async with self._database.transaction() as transaction:
            row = (await transaction.execute(_select_for_department(department, number))).one_or_none()
            if row is None:
                return None
            query = select(complaint_events).where(complaint_events.c.complaint == row.id)
            events = (await transaction.execute(query.order_by(complaint_events.c.id))).all()
            actor, key = _actor(by, department), f"read:{secrets.token_hex(12)}"
            await self._audit.record(transaction, build_audit_entry(actor, "complaint_read", "complaint", number, key))
        return self._detail_from_row(row, events)

    async def move(
        self, department: str, number: str, status: str, note: Translations, key: str, *, by: Actor | None = None
    ) -> StatusChanged | StatusRejected:
        """Set a department's complaint to one of DEPARTMENT_STATUSES, and notify the citizen by SMS in their language.

        An answer is the status `answered`, and needs a note, as does a status that the complaint has left; the status that
        it has, without a note, changes nothing. `key` is chosen by the department: the same key with the same change
        gets the first answer and changes nothing. The audit log names `by`, by default the department.
        """
        if status not in DEPARTMENT_STATUSES:
            return StatusRejected("no_such_status")
        idempotency_key = build_request_key("complaint", department, key)
        async with self._database.transaction() as transaction:
            query = _select_for_department(department, number).with_for_update(of=complaints)
            row = (await transaction.execute(query)).one_or_none()
            if row is None:
                return StatusRejected("unknown")
            transition = Transition(status, row.level, note, CHANGE_TEXTS[status], idempotency_key)
            if event := await find_event(transaction, idempotency_key):
                return repeat_of_change(event, number, transition.digest(number))
            if result := _result_without_change(row, status, note):
                return result
            changed_at = await self._transitions.apply(transaction, row, transition, _actor(by, department))
        # Without a time, a concurrent request used the key for another complaint.
        return StatusChanged(number, status, note, changed_at) if changed_at else StatusRejected("conflict")

    async def list_feedback(self, department: str, page_request: PageRequest) -> Page[Feedback]:
        """A page of the feedback on the department's services, oldest first."""
        query = select(feedback).where(feedback.c.department == department)
        page_query = select_page(query, feedback.c.created_at, feedback.c.id, page_request)
        rows = (await self._database.fetch(page_query)).all()
        return build_page(rows, "created_at", page_request, self._feedback_from_row)

    def _detail_from_row(self, row: Row[Any], events: Sequence[Row[Any]]) -> ComplaintDetail:
        return ComplaintDetail(
            summary=_summary_from_row(row),
            citizen=row.msisdn,
            text=self._cipher.decrypt(row.text, complaint_associated_data(row.complaint_number)).decode(),
            language=row.language,
            channel=row.channel,
            note=row.note,
            events=tuple(
                StatusEvent(event.status, event.level, event.note, event.actor_kind, event.created_at)
                for event in events
            ),
        )

    def _feedback_from_row(self, row: Row[Any]) -> Feedback:
        text = self._cipher.decrypt(row.text, feedback_associated_data(row.idempotency_key)).decode()
        return Feedback(row.feedback_number, row.service, row.rating, text, row.language, row.channel, row.created_at)


def _summary_from_row(row: Row[Any]) -> ComplaintSummary:
    return ComplaintSummary(
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


def _select_for_department(department: str, number: str) -> Select[Any]:
    return _SELECT_WITH_APPLICATION.where(
        complaints.c.complaint_number == number, complaints.c.department == department
    )


def _actor(by: Actor | None, department: str) -> Actor:
    return by or Actor("department", department, "api")


def _result_without_change(row: Row[Any], status: str, note: Translations) -> StatusChanged | StatusRejected | None:
    """The answer to a request for a status that changes nothing; None where the status changes."""
    if row.status == "closed":
        return StatusRejected("closed")
    return STATUS_ORDER.result_without_change(row.complaint_number, row, status, note)
