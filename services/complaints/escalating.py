"""What is not answered in the promised time goes to the next level: once, whatever process finds it, also after a restart."""

from typing import Any, Final

from sqlalchemy import Row, select, update

from services.audit import Who
from services.complaints.moving import Moving, Said, Step
from services.complaints.values import Office, Offices, facts_of
from services.given import Clock, Say, utc_now
from services.messages import Message, Messages
from services.records.database import Records, Transaction
from services.records.tables import complaints

STEP: Final = 50  # complaints of a transaction, behind which nobody's SMS waits long
GATEWAY: Final = Who("gateway", "", "clock")
_due_at = complaints.c.due_at


class Escalation:
    """Raises complaints. `write` gives the texts of letters; without it nobody is written to."""

    def __init__(
        self,
        records: Records,
        messages: Messages,
        moving: Moving,
        offices: Offices,
        write: Say | None = None,
        *,
        clock: Clock = utc_now,
    ) -> None:
        self._records = records
        self._messages = messages
        self._moving = moving
        self._offices = offices
        self._write = write
        self._clock = clock

    async def step(self) -> int:
        """Raise some of those whose day is over, the oldest first; how many were.

        A row is held from before it is looked at until it is raised, and what another process holds is left to it: the
        event, the row and both messages are written together, or none of it is.
        """
        now = self._clock()
        over = select(complaints).where(_due_at.is_not(None), _due_at <= now).order_by(_due_at).limit(STEP)
        async with self._records.transaction() as transaction:
            rows = (await transaction.execute(over.with_for_update(skip_locked=True))).all()
            for row in rows:
                await self._raise(transaction, row)
        return len(rows)

    async def _raise(self, transaction: Transaction, row: Row[Any]) -> None:
        office = self._offices.office(row.department)
        last = row.level >= office.highest
        level, said = (row.level, Said("complaint_last")) if last else (row.level + 1, Said("complaint_escalated"))
        effect = f"escalated:{row.complaint_number}:{row.due_at.isoformat()}"
        moved = await self._moving.move(
            transaction, row, Step("escalated", level, {}, said, effect, awaits=not last), GATEWAY
        )
        if last:  # nobody is above: it stays with them, and is not raised again
            ended = update(complaints).where(complaints.c.id == row.id).values(due_at=None)
            await transaction.execute(ended)
        if moved:
            await self._tell(transaction, row, office, level, effect)

    async def _tell(self, transaction: Transaction, row: Row[Any], office: Office, level: int, effect: str) -> None:
        """Write to the department: the complaint's number, and nothing of who complained."""
        if not (self._write and office.email):
            return
        facts = {**facts_of(row.complaint_number, level, office, row.promised, {}), "service": row.service}
        text = self._write(office.language, "complaint_escalated", {**facts, "reason": row.reason})
        await self._messages.queue(transaction, Message(office.email, text, "notice", f"{effect}/email", "email"))
