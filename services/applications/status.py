"""Status of applications, for anyone who has the tracking number and for the applicant. It names no person."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import Row, literal, select

from core.types import TextRenderer, UtcClock, utc_now
from db.database import Database
from db.tables import accounts, application_answers, application_events, applications
from services.applications.models import ANSWERED_STATUSES, Status, status_facts
from services.cases.models import HistoryEntry, ZoneLookup, days_overdue
from services.messaging.messages import Messages
from services.messaging.models import Message

MAX_LISTED: Final = 20
STATUS_COLUMNS: Final = tuple(
    applications.c[name]
    for name in ("tracking_number", "service", "status", "changed_at", "promised", "note", "department", "answered_at")
)
"""The columns that `ApplicationStatusReader.status_from_row` reads."""

DeliveryStateLookup: TypeAlias = Callable[[str], Awaitable[Literal["waiting"] | None]]
"""From a tracking number to `waiting`, where the delivery waits for the department's system."""


async def _no_delivery_state(_: str) -> None:
    return None


class ApplicationStatusReader:
    """Reads the status of applications. `find_zone` gives the time zone in which a department's days are counted."""

    def __init__(
        self,
        database: Database,
        messages: Messages,
        render_text: TextRenderer,
        find_zone: ZoneLookup,
        *,
        find_delivery_state: DeliveryStateLookup = _no_delivery_state,
        clock: UtcClock = utc_now,
    ) -> None:
        self._database = database
        self._messages = messages
        self._render_text = render_text
        self._find_zone = find_zone
        self._find_delivery_state = find_delivery_state
        self._clock = clock
        self.find_status = database.fast_lookup(applications.c.tracking_number, STATUS_COLUMNS, self.status_from_row)
        """The status of the application with a tracking number; None where there is none."""

    async def list_own(self, account: int) -> tuple[Status, ...]:
        """The status of the account's latest MAX_LISTED applications, newest first."""
        query = select(*STATUS_COLUMNS).where(applications.c.account == account)
        rows = await self._database.fetch(query.order_by(applications.c.id.desc()).limit(MAX_LISTED))
        return tuple(map(self.status_from_row, rows))

    async def get_history(self, tracking_number: str) -> tuple[HistoryEntry, ...]:
        """The changes of an application's status, and the applicant's answers, newest first; empty without an application."""
        events = select(application_events, applications.c.department).join(applications)
        query = events.where(applications.c.tracking_number == tracking_number)
        rows = (await self._database.fetch(query)).all()
        return tuple(map(self._entry_from_row, sorted([*rows, *await self._list_answers(tracking_number)], key=_age)))

    async def _list_answers(self, tracking_number: str) -> Sequence[Row[Any]]:
        """The applicant's answers as events without their texts; the number is negative, so that it is no event's."""
        columns = (
            (-application_answers.c.id).label("id"),
            literal("answered").label("status"),
            application_answers.c.created_at,
            literal(None).label("note"),
            applications.c.department,
        )
        answers = select(*columns).join(applications, applications.c.id == application_answers.c.application)
        query = answers.where(applications.c.tracking_number == tracking_number)
        return (await self._database.fetch(query)).all()

    def _entry_from_row(self, row: Row[Any]) -> HistoryEntry:
        day = row.created_at.astimezone(self._find_zone(row.department)).date()
        return HistoryEntry(id=row.id, status=row.status, day=day, note=row.note or {})

    async def send_status(self, to: str, tracking_number: str, language: str, idempotency_key: str) -> bool:
        """Send the status by SMS to the MSISDN `to`; False where there is no application with this tracking number."""
        status = await self.find_status(tracking_number)
        if status is None:
            return False
        text = await self._render_status(status, language)
        await self._messages.send(Message(to, text, "info", f"{idempotency_key}/status"))
        return True

    async def send_latest(self, to: str, language: str, idempotency_key: str) -> bool:
        """Send the status of the latest application of the account of MSISDN `to`.

        Without an application the SMS says that there is none, and the result is False.
        """
        own = select(*STATUS_COLUMNS).join(accounts).where(accounts.c.msisdn == to)
        row = (await self._database.fetch(own.order_by(applications.c.id.desc()).limit(1))).one_or_none()
        if row:
            text = await self._render_status(self.status_from_row(row), language)
        else:
            text = self._render_text(language, "no_application", {})
        await self._messages.send(Message(to, text, "link", f"{idempotency_key}/status"))
        return row is not None

    async def _render_status(self, status: Status, language: str) -> str:
        facts = {
            **status_facts(status.number, status.service, status.status, status.note),
            "changed": status.changed,
            "promised": None if status.status in ANSWERED_STATUSES else status.promised,
            "late": status.late or None,
            "delivery": await self._find_delivery_state(status.number) if status.status == "received" else None,
        }
        return self._render_text(language, "status", facts)

    def status_from_row(self, row: Any) -> Status:
        """The status of an application, from its row with STATUS_COLUMNS."""
        zone = self._find_zone(row.department)
        is_answered = row.status in ANSWERED_STATUSES
        return Status(
            number=row.tracking_number,
            service=row.service,
            status=row.status,
            changed=row.changed_at.astimezone(zone).date(),
            promised=row.promised,
            note=row.note,
            answered=row.answered_at.astimezone(zone).date() if row.answered_at else None,
            late=0 if is_answered else days_overdue(row.promised, self._clock().astimezone(zone).date()),
        )


def _age(event: Row[Any]) -> tuple[float, int]:
    """The newest event is the smallest; of events at the same moment, the one that was recorded later."""
    return -event.created_at.timestamp(), -event.id
