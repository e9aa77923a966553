"""Events that departments' systems send: each is applied once, however often it is sent."""

from collections.abc import Mapping
from typing import Any, Final, Literal, Protocol, TypeAlias

from sqlalchemy import Select, bindparam, literal, select, union_all

from core.idempotency import build_request_key
from core.types import Translations, UtcClock, utc_now
from db.database import Database
from db.tables import application_events, complaint_events, department_events
from services.audit.models import Actor
from services.cases.models import StatusChanged, StatusRejected
from services.departments.models import CONNECTOR_CHANNEL, DepartmentEvent, EventSubject, build_event_digest

MoveResult: TypeAlias = StatusChanged | StatusRejected


class MoveStatus(Protocol):
    """Gives an application or a complaint a new status: `DepartmentApplications.move`, `DepartmentComplaints.move`."""

    async def __call__(
        self, department: str, number: str, status: str, note: Translations, key: str, /, *, by: Actor | None = None
    ) -> MoveResult:
        """Move what has this tracking or complaint number; once for each idempotency key."""


class DepartmentEvents:
    """The events of all departments, identified by department and webhook id."""

    def __init__(
        self,
        database: Database,
        *,
        move_application: MoveStatus,
        move_complaint: MoveStatus,
        clock: UtcClock = utc_now,
    ) -> None:
        self._database = database
        self._moves: Mapping[EventSubject, MoveStatus] = {"application": move_application, "complaint": move_complaint}
        self._clock = clock

    async def record(self, department: str, webhook_id: str, event: DepartmentEvent) -> MoveResult | Literal["again"]:
        """Apply an event and return the result; `again` for an event that was applied before.

        An id belongs to the first event that was applied under it; another event with this id is rejected as a conflict. The
        event is marked as done after it was applied. After a crash between the two, the case tells which event it was, and
        the idempotency key of the change keeps it from being applied twice.
        """
        identity = {"department": department, "webhook_id": webhook_id}
        done = (await self._database.fetch(_BY_WEBHOOK_ID, identity)).one_or_none()
        if done and done.digest is not None:
            return "again" if done.digest == event.digest else StatusRejected("conflict")
        key = f"webhook:{webhook_id}"
        applied = await self._find_applied(department, key)
        if applied != event.digest and (applied or done):  # a row without a digest and a case is of an earlier version
            return StatusRejected("conflict")
        actor = Actor("department", department, CONNECTOR_CHANNEL)
        result = await self._moves[event.kind](department, event.number, event.status, event.note, key, by=actor)
        if isinstance(result, StatusChanged):
            await self._mark_done({**identity, "digest": event.digest})
        return result

    async def _find_applied(self, department: str, key: str) -> bytes | None:
        """The digest of the event that was applied under this key, by the history of its case; None where there is none."""
        keys = {str(kind): build_request_key(kind, department, key) for kind in self._moves}
        row = (await self._database.fetch(_APPLIED, keys)).first()
        return build_event_digest(row.kind, row.digest) if row else None

    async def _mark_done(self, marked: Mapping[str, object]) -> None:
        row = {**marked, "received_at": self._clock()}
        async with self._database.transaction() as transaction:
            await transaction.execute(self._database.insert_or_ignore(department_events), row)


_BY_WEBHOOK_ID: Final[Select[Any]] = select(department_events.c.digest).where(
    department_events.c.department == bindparam("department"), department_events.c.webhook_id == bindparam("webhook_id")
)
_APPLIED: Final = union_all(
    *(
        select(literal(kind).label("kind"), events.c.digest).where(events.c.idempotency_key == bindparam(kind))
        for kind, events in (("application", application_events), ("complaint", complaint_events))
    )
)
