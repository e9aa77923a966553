"""What became of a complaint or a feedback, for whoever has its number; it says nothing of a person."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select

from services.complaints.moving import ANSWERS
from services.complaints.values import Given, Offices, Past, Status
from services.given import Clock, utc_now
from services.records.database import Records
from services.records.tables import complaint_events, complaints, feedback

LISTED: Final = 20
_TOLD = tuple(
    complaints.c[name]
    for name in (
        *("complaint_number", "status", "reason", "service", "department", "level"),
        *("changed_at", "promised", "note", "number"),
    )
)
_GIVEN = tuple(feedback.c[name] for name in ("feedback_number", "service", "department", "created_at", "digest"))


class Following:
    """Every complaint and every feedback, as it may be followed."""

    def __init__(self, records: Records, offices: Offices, *, clock: Clock = utc_now) -> None:
        self._records = records
        self._offices = offices
        self._clock = clock
        self.complaint = records.lookup(complaints.c.complaint_number, _TOLD, self._told)
        """What became of the complaint with a number; None when there is none."""
        self.feedback = records.lookup(feedback.c.feedback_number, _GIVEN, self._given)
        """What became of the feedback with a number; None when there is none."""

    async def own(self, number: str) -> tuple[Status, ...]:
        """The latest twenty that this MSISDN complained of, newest first."""
        latest = select(*_TOLD).where(complaints.c.number == number).order_by(complaints.c.id.desc()).limit(LISTED)
        return tuple(map(self._told, await self._records.read(latest)))

    async def history(self, number: str) -> tuple[Past, ...]:
        """What became of it, day by day, newest first."""
        events = select(complaint_events, complaints.c.department).join(complaints)
        newest = events.where(complaints.c.complaint_number == number).order_by(complaint_events.c.id.desc())
        rows = await self._records.read(newest)
        return tuple(Past(row.id, row.status, self._day(row.created_at, row.department), row.note) for row in rows)

    def _told(self, row: Sequence[Any]) -> Status:
        number, status, reason, service, department, level, changed, promised, note, whose = row
        office = self._offices.office(department)
        today = self._clock().astimezone(office.zone).date()
        late = max(0, (today - promised).days) if promised and status not in ANSWERS else 0
        day = changed.astimezone(office.zone).date()
        return Status(number, status, reason, service, level, office.officer(level), day, promised, late, note, whose)

    def _given(self, row: Sequence[Any]) -> Given:
        number, service, department, created, digest = row
        return Given(number, service, self._day(created, department), passed_on=digest is not None)

    def _day(self, moment: datetime, department: str) -> Any:
        return moment.astimezone(self._offices.office(department).zone).date()
