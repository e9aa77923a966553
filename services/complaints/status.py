"""Status of complaints and feedback, for anyone who has the number. It names no person."""

from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import select

from core.types import UtcClock, utc_now
from db.database import Database
from db.tables import complaint_events, complaints, feedback
from services.cases.models import HistoryEntry, days_overdue
from services.complaints.models import FeedbackStatus, Status
from services.complaints.policies import EscalationPolicies
from services.complaints.transitions import ANSWERED_STATUSES

MAX_LISTED: Final = 20
_STATUS_COLUMNS = tuple(
    complaints.c[name]
    for name in (
        *("complaint_number", "status", "reason", "service", "department", "level"),
        *("changed_at", "promised", "note", "msisdn"),
    )
)
_FEEDBACK_COLUMNS = tuple(
    feedback.c[name] for name in ("feedback_number", "service", "department", "msisdn", "created_at", "digest")
)


class ComplaintStatusReader:
    """Reads the status of complaints and feedback."""

    def __init__(self, database: Database, policies: EscalationPolicies, *, clock: UtcClock = utc_now) -> None:
        self._database = database
        self._policies = policies
        self._clock = clock
        self.find_complaint = database.fast_lookup(
            complaints.c.complaint_number, _STATUS_COLUMNS, self._status_from_row
        )
        """The status of the complaint with a number; None where there is none."""
        self.find_feedback = database.fast_lookup(
            feedback.c.feedback_number, _FEEDBACK_COLUMNS, self._feedback_from_row
        )
        """The status of the feedback with a number; None where there is none."""

    async def list_own(self, msisdn: str) -> tuple[Status, ...]:
        """The status of the latest MAX_LISTED complaints of an MSISDN, newest first."""
        query = select(*_STATUS_COLUMNS).where(complaints.c.msisdn == msisdn)
        rows = await self._database.fetch(query.order_by(complaints.c.id.desc()).limit(MAX_LISTED))
        return tuple(map(self._status_from_row, rows))

    async def get_history(self, number: str) -> tuple[HistoryEntry, ...]:
        """The changes of a complaint's status, newest first; empty where there is no such complaint."""
        events = select(complaint_events, complaints.c.department).join(complaints)
        query = events.where(complaints.c.complaint_number == number)
        rows = await self._database.fetch(query.order_by(complaint_events.c.id.desc()))
        return tuple(
            HistoryEntry(row.id, row.status, self._local_day(row.created_at, row.department), row.note) for row in rows
        )

    def _status_from_row(self, row: Any) -> Status:
        policy = self._policies.policy_for(row.department)
        today = self._clock().astimezone(policy.zone).date()
        return Status(
            number=row.complaint_number,
            status=row.status,
            reason=row.reason,
            service=row.service,
            level=row.level,
            officer=policy.officer_names(row.level),
            changed=row.changed_at.astimezone(policy.zone).date(),
            promised=row.promised,
            late=0 if row.status in ANSWERED_STATUSES else days_overdue(row.promised, today),
            note=row.note,
            complainant=row.msisdn,
        )

    def _feedback_from_row(self, row: Any) -> FeedbackStatus:
        return FeedbackStatus(
            number=row.feedback_number,
            service=row.service,
            day=self._local_day(row.created_at, row.department),
            passed_on=row.digest is not None,
            sender=row.msisdn,
        )

    def _local_day(self, moment: datetime, department: str) -> date:
        return moment.astimezone(self._policies.policy_for(department).zone).date()
