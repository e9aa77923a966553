"""Complaints and feedback as their department sees them, and staff: list, read, change the status."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, Select, select

from core.crypto import Cipher
from core.idempotency import build_request_key
from core.pagination import Page, PageRequest, build_page, select_newest_page, select_page
from core.types import TextKey, Translations, UtcClock, utc_now
from db.database import Database
from db.tables import ALL_COMPLAINTS, ALL_FEEDBACK, applications, complaint_events, complaints, feedback
from services.audit.audit import AuditLog, build_audit_entry
from services.audit.models import Actor
from services.audit.staff_acts import StaffAct
from services.cases.models import (
    DepartmentScope,
    Notice,
    StatusChanged,
    StatusPreview,
    StatusRejected,
    repeat_of_change,
)
from services.complaints.models import (
    DEPARTMENT_STATUSES,
    STATUS_ORDER,
    STATUSES,
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
    """Gives every department, and NO_DEPARTMENT, its own complaints and feedback and no others.

    The scope None gives those of all departments.
    """

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

    async def list_newest(
        self, scope: DepartmentScope, page_request: PageRequest, *, status: str = ""
    ) -> Page[ComplaintSummary]:
        """A page of the complaints in a scope, of one status where given, those that changed last first."""
        in_scope = ALL_COMPLAINTS if scope is None else complaints.c.department == scope
        query = _SELECT_WITH_APPLICATION.where(in_scope)
        statuses = (status,) if status else STATUSES
        branches = [query.where(complaints.c.status == one) for one in statuses]
        if scope is not None and not status:
            branches = [query]
        page_query = select_newest_page(branches, complaints.c.changed_at, complaints.c.id, page_request)
        rows = (await self._database.fetch(page_query)).all()
        return build_page(rows, "changed_at", page_request, _summary_from_row)

    async def has(self, scope: DepartmentScope, number: str) -> bool:
        """Whether the scope has a complaint with this number."""
        query = _select_in_scope(scope, number).with_only_columns(complaints.c.id)
        return (await self._database.fetch(query)).one_or_none() is not None

    async def get(self, scope: DepartmentScope, number: str, *, by: Actor | None = None) -> ComplaintDetail | None:
        """The complaint; None where it is not in the scope. The audit log records the reading."""
        return await self._read(scope, number, "complaint_read", by, f"read:{secrets.token_hex(12)}")

    async def reveal(self, scope: DepartmentScope, number: str, act: StaffAct) -> ComplaintDetail | None:
        """The complaint, whose complainant staff will see unmasked; None where it is not in the scope.

        The audit log records who reveals the complainant, and why.
        """
        return await self._read(scope, number, "identity_revealed", act.actor_with_reason, act.idempotency_key)

    async def _read(
        self, scope: DepartmentScope, number: str, act: str, by: Actor | None, audit_key: str
    ) -> ComplaintDetail | None:
        async with self._database.transaction() as transaction:
            row = (await transaction.execute(_select_in_scope(scope, number))).one_or_none()
            if row is None:
                return None
            query = select(complaint_events).where(complaint_events.c.complaint == row.id)
            events = (await transaction.execute(query.order_by(complaint_events.c.id))).all()
            actor = _actor(by, row.department)
            await self._audit.record(transaction, build_audit_entry(actor, act, "complaint", number, audit_key))
        return self._detail_from_row(row, events)

    async def move(
        self,
        scope: DepartmentScope,
        number: str,
        status: str,
        note: Translations,
        key: str,
        *,
        by: Actor | None = None,
        seen: datetime | None = None,
    ) -> StatusChanged | StatusRejected:
        """Set a complaint in the scope to one of DEPARTMENT_STATUSES, and notify the citizen by SMS in their language.

        An answer is the status `answered`, and needs a note, as does a status that the complaint has left; the status that
        it has, without a note, changes nothing. `key` is chosen by the department, or by the form of staff: the same key
        with the same change gets the first answer and changes nothing. The audit log names `by`, by default the department. A complaint
        that has changed since `seen`, the time of the last change that somebody saw, stays as it is.
        """
        if status not in DEPARTMENT_STATUSES:
            return StatusRejected("no_such_status")
        async with self._database.transaction() as transaction:
            query = _select_in_scope(scope, number).with_for_update(of=complaints)
            row = (await transaction.execute(query)).one_or_none()
            if row is None:
                return StatusRejected("unknown")
            idempotency_key = build_request_key("complaint", row.department, key)
            transition = Transition(status, row.level, note, CHANGE_TEXTS[status], idempotency_key)
            if event := await find_event(transaction, idempotency_key):
                return repeat_of_change(event, number, transition.digest(number))
            if result := _result_without_change(row, status, note, seen):
                return result
            changed_at = await self._transitions.apply(transaction, row, transition, _actor(by, row.department))
        # Without a time, a concurrent request used the key for another complaint.
        return StatusChanged(number, status, note, changed_at) if changed_at else StatusRejected("conflict")

    async def preview_move(
        self, scope: DepartmentScope, number: str, status: str, note: Translations
    ) -> StatusPreview | StatusRejected:
        """What `move` would send now, and why it would not. Nothing changes."""
        if status not in DEPARTMENT_STATUSES:
            return StatusRejected("no_such_status")
        async with self._database.transaction() as transaction:
            row = (await transaction.execute(_select_in_scope(scope, number))).one_or_none()
            if row is None:
                return StatusRejected("unknown")
            if result := _result_without_change(row, status, note):
                return result if isinstance(result, StatusRejected) else StatusPreview()
            transition = Transition(status, row.level, note, CHANGE_TEXTS[status], "preview")
            text = await self._transitions.preview(transaction, row, transition)
        return StatusPreview(() if text is None else (Notice("complainant", text),))

    async def list_feedback(self, department: str, page_request: PageRequest) -> Page[Feedback]:
        """A page of the feedback on the department's services, oldest first."""
        query = select(feedback).where(feedback.c.department == department)
        page_query = select_page(query, feedback.c.created_at, feedback.c.id, page_request)
        rows = (await self._database.fetch(page_query)).all()
        return build_page(rows, "created_at", page_request, self._feedback_from_row)

    async def list_newest_feedback(self, scope: DepartmentScope, page_request: PageRequest) -> Page[Feedback]:
        """A page of the feedback in a scope, newest first."""
        query = select(feedback).where(ALL_FEEDBACK if scope is None else feedback.c.department == scope)
        page_query = select_newest_page([query], feedback.c.created_at, feedback.c.id, page_request)
        rows = (await self._database.fetch(page_query)).all()
        return build_page(rows, "created_at", page_request, self._feedback_from_row)

    def _detail_from_row(self, row: Row[Any], events: Sequence[Row[Any]]) -> ComplaintDetail:
        return ComplaintDetail(
            summary=_summary_from_row(row),
            citizen=row.msisdn,
            text=self._cipher.decrypt(row.text, complaint_associated_data(row.complaint_number)).decode(),
            department=row.department,
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
        return Feedback(
            row.feedback_number,
            row.service,
            row.rating,
            text,
            row.language,
            row.channel,
            row.created_at,
            row.department,
        )


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


def _select_in_scope(scope: DepartmentScope, number: str) -> Select[Any]:
    query = _SELECT_WITH_APPLICATION.where(complaints.c.complaint_number == number)
    return query if scope is None else query.where(complaints.c.department == scope)


def _actor(by: Actor | None, department: str) -> Actor:
    return by or Actor("department", department, "api")


def _result_without_change(
    row: Row[Any], status: str, note: Translations, seen: datetime | None = None
) -> StatusChanged | StatusRejected | None:
    """The answer to a request for a status that changes nothing; None where the status changes."""
    if row.status == "closed":
        return StatusRejected("closed")
    if seen and row.changed_at != seen:
        return StatusRejected("changed")
    return STATUS_ORDER.result_without_change(row.complaint_number, row, status, note)
