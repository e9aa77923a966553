"""Events that departments' systems send: each is applied once, however often it is sent."""

from collections.abc import Mapping
from typing import Any, Final, Literal, Protocol, TypeAlias

from sqlalchemy import Select, bindparam, select

from core.types import Translations, UtcClock, utc_now
from db.database import Database
from db.tables import department_events
from services.audit.models import Actor
from services.cases.models import StatusChanged, StatusRejected
from services.departments.models import CONNECTOR_CHANNEL, DepartmentEvent

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
        self._moves: Mapping[str, MoveStatus] = {"application": move_application, "complaint": move_complaint}
        self._clock = clock

    async def record(self, department: str, webhook_id: str, event: DepartmentEvent) -> MoveResult | Literal["again"]:
        """Apply an event and return the result; `again` for an event that was applied before.

        The event is marked as done after it was applied. After a crash between the two it is sent once more, and the
        idempotency key of the move keeps it from being applied twice.
        """
        identity = {"department": department, "webhook_id": webhook_id}
        if (await self._database.fetch(_BY_WEBHOOK_ID, identity)).one_or_none():
            return "again"
        actor = Actor("department", department, CONNECTOR_CHANNEL)
        move, key = self._moves[event.kind], f"webhook:{webhook_id}"
        result = await move(department, event.number, event.status, event.note, key, by=actor)
        if isinstance(result, StatusChanged):
            await self._mark_done(identity)
        return result

    async def _mark_done(self, identity: Mapping[str, str]) -> None:
        row = {**identity, "received_at": self._clock()}
        async with self._database.transaction() as transaction:
            await transaction.execute(self._database.insert_or_ignore(department_events), row)


_BY_WEBHOOK_ID: Final[Select[Any]] = select(department_events.c.id).where(
    department_events.c.department == bindparam("department"), department_events.c.webhook_id == bindparam("webhook_id")
)
