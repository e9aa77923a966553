"""Whether an answer has satisfied whoever complained: what is settled is closed, what is not goes to the next level."""

from typing import Any, Final

from sqlalchemy import Row, select

from services.audit import Who
from services.complaints.moving import Moving, Said, Step, done_before
from services.complaints.values import Offices, Settled
from services.records.database import Records, Transaction
from services.records.tables import complaints

JUDGED: Final = frozenset({"answered"})


class Verdicts:
    """Of every complaint, by the MSISDN alone that made it."""

    def __init__(self, records: Records, moving: Moving, offices: Offices) -> None:
        self._records = records
        self._moving = moving
        self._offices = offices

    async def judge(
        self, number: str, citizen: str, *, settled: bool, channel: str, effect: str, by: Who | None = None
    ) -> Settled:
        """Close the complaint, or raise it; the same effect is answered as before."""
        async with self._records.transaction() as transaction:
            held = select(complaints).where(complaints.c.complaint_number == number).with_for_update()
            row = (await transaction.execute(held)).one_or_none()
            if row is None or row.number != citizen:
                return "unknown"
            if before := await self._judged_before(transaction, effect):
                return before
            if row.status not in JUDGED:
                return "not_answered"
            step, came_of = self._step(row, effect, settled=settled)
            await self._moving.move(transaction, row, step, by or Who("citizen", "", channel))
        return came_of

    def _step(self, row: Row[Any], effect: str, *, settled: bool) -> tuple[Step, Settled]:
        if settled:
            return Step("closed", row.level, {}, Said("complaint_moved"), effect), "closed"
        if row.level >= self._offices.office(row.department).highest:
            return Step("under_review", row.level, {}, Said("complaint_again"), effect, awaits=True), "last"
        return Step("escalated", row.level + 1, {}, Said("complaint_escalated"), effect, awaits=True), "raised"

    async def _judged_before(self, transaction: Transaction, effect: str) -> Settled | None:
        event = await done_before(transaction, effect)
        if event is None:
            return None
        came_of: dict[str, Settled] = {"closed": "closed", "escalated": "raised", "under_review": "last"}
        return came_of[event.status]
