"""What became of an application, for whoever has its number and for whose it is; it says nothing of a person."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import select

from services.applications.values import ANSWERED, Past, Status, ZoneOf, told_of
from services.given import Clock, Say, utc_now
from services.messages import Message, Messages
from services.records.database import Records
from services.records.tables import accounts, application_events, applications

LISTED: Final = 20
TOLD: Final = tuple(
    applications.c[name]
    for name in ("tracking_number", "service", "status", "changed_at", "promised", "note", "department")
)
"""The columns that a status is told from."""
Waits: TypeAlias = Callable[[str], Awaitable[Literal["waiting"] | None]]
RECEIVED: Final = "received"


async def _at_its_office(_: str) -> None:
    return None


class Following:
    """Every application, as it may be followed. `zone_of` is where a department's days begin and end.

    `waits` says of one that was received that it waits for its office's own system, which does not answer just now.
    """

    def __init__(
        self,
        records: Records,
        messages: Messages,
        say: Say,
        zone_of: ZoneOf,
        *,
        waits: Waits = _at_its_office,
        clock: Clock = utc_now,
    ) -> None:
        self._records = records
        self._messages = messages
        self._say = say
        self._zone_of = zone_of
        self._waits = waits
        self._clock = clock
        self.status = records.lookup(applications.c.tracking_number, TOLD, self.told)
        """What became of the application with a tracking number; None when there is none."""

    async def own(self, account: int) -> tuple[Status, ...]:
        """The account's latest twenty, newest first."""
        latest = select(*TOLD).where(applications.c.account == account).order_by(applications.c.id.desc()).limit(LISTED)
        return tuple(map(self.told, await self._records.read(latest)))

    async def history(self, tracking_number: str) -> tuple[Past, ...]:
        """What became of it, day by day, newest first."""
        events = select(application_events, applications.c.department).join(applications)
        theirs = events.where(applications.c.tracking_number == tracking_number)
        rows = await self._records.read(theirs.order_by(application_events.c.id.desc()))
        return tuple(
            Past(row.id, row.status, row.created_at.astimezone(self._zone_of(row.department)).date(), row.note)
            for row in rows
        )

    async def send_status(self, to: str, tracking_number: str, language: str, effect: str) -> bool:
        """Send what became of it by SMS; False when there is no application with this number."""
        status = await self.status(tracking_number)
        if status is None:
            return False
        await self._messages.send(Message(to, await self._status_said(status, language), "info", f"{effect}/status"))
        return True

    async def send_latest(self, to: str, language: str, effect: str) -> bool:
        """Send what became of the newest application of this number's account; False, and an SMS that says so, when none."""
        newest = select(*TOLD).join(accounts).where(accounts.c.number == to).order_by(applications.c.id.desc()).limit(1)
        row = (await self._records.read(newest)).one_or_none()
        text = await self._status_said(self.told(row), language) if row else self._say(language, "no_application", {})
        await self._messages.send(Message(to, text, "link", f"{effect}/status"))
        return row is not None

    async def _status_said(self, status: Status, language: str) -> str:
        facts = told_of(status.number, status.service, status.status, status.note)
        promised = None if status.status in ANSWERED else status.promised
        when = {"changed": status.changed, "promised": promised, "late": status.late or None}
        delivery = await self._waits(status.number) if status.status == RECEIVED else None
        return self._say(language, "status", {**facts, **when, "delivery": delivery})

    def told(self, row: Sequence[Any]) -> Status:
        """The status that these columns of a row tell."""
        number, service, status, changed, promised, note, department = row
        zone = self._zone_of(department)
        late = 0
        if promised and status not in ANSWERED:
            late = max(0, (self._clock().astimezone(zone).date() - promised).days)
        return Status(number, service, status, changed.astimezone(zone).date(), promised, note, late)
