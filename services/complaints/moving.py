"""How a complaint goes from one status to the next, whoever moves it: the event, the row, the audit and the citizen's SMS."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from json import dumps
from typing import Any, Final, NewType

from sqlalchemy import Row, select, update

from services.audit import Audit, Who, act_of
from services.complaints.values import Offices, facts_of
from services.given import Clock, Say, Texts, utc_now
from services.messages import Message, Messages
from services.records.database import Records, Transaction
from services.records.tables import complaint_events, complaints

ANSWERS: Final = frozenset({"answered", "closed"})  # nothing is awaited after these


Said = NewType("Said", str)
"""The name of a text of `[sms]`."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a complaint is moved to, under which effect. `said` tells the citizen.

    `awaits`: whether its level is to answer by a new day; where it is not, and nothing is answered, the old day stays.
    """

    status: str
    level: int
    note: Texts
    said: Said
    effect: str
    awaits: bool = False

    def digest(self, number: str) -> bytes:
        """The same for the same words, in whatever order the languages of the note came."""
        return sha256(dumps([number, self.status, dict(self.note)], sort_keys=True).encode()).digest()

    def noted(self, complaint: int, number: str, who: Who, at: datetime) -> dict[str, Any]:
        """The row of its event."""
        return {
            "complaint": complaint,
            "status": self.status,
            "level": self.level,
            "note": dict(self.note),
            "actor_kind": who.kind,
            "digest": self.digest(number),
            "effect": self.effect,
            "created_at": at,
        }


class Moving:
    """Moves complaints within somebody's transaction."""

    def __init__(
        self, records: Records, messages: Messages, say: Say, offices: Offices, *, clock: Clock = utc_now
    ) -> None:
        self._records = records
        self._messages = messages
        self._say = say
        self._offices = offices
        self._audit = Audit(records, clock=clock)
        self._clock = clock

    async def move(self, transaction: Transaction, row: Row[Any], step: Step, who: Who) -> datetime | None:
        """When it was moved; None where something was done under this effect before, and nothing is now.

        `row` is held by the transaction, so that nobody moves it meanwhile.
        """
        now = self._clock()
        if not await self._noted(transaction, row, step, who, now):
            return None
        awaited = self._awaited(row, step, now)
        changed = {"status": step.status, "level": step.level, "note": dict(step.note), "changed_at": now, **awaited}
        await transaction.execute(update(complaints).where(complaints.c.id == row.id).values(changed))
        await self._audit.note(transaction, _act(row, step, who))
        facts = facts_of(
            row.complaint_number, step.level, self._offices.office(row.department), awaited["promised"], step.note
        )
        text = self._say(row.language, step.said, {**facts, "complaint_status": step.status})
        await self._messages.queue(transaction, Message(row.number, text, "status", f"{step.effect}/complaint"))
        return now

    async def _noted(self, transaction: Transaction, row: Row[Any], step: Step, who: Who, now: datetime) -> bool:
        event = step.noted(row.id, row.complaint_number, who, now)
        inserted = self._records.insert_once(complaint_events).returning(complaint_events.c.id)
        return (await transaction.execute(inserted, event)).scalar_one_or_none() is not None

    def _awaited(self, row: Row[Any], step: Step, now: datetime) -> Mapping[str, Any]:
        """The day that is promised now, and when it is over."""
        if step.status in ANSWERS:
            return {"promised": None, "due_at": None}
        if not step.awaits:
            return {"promised": row.promised, "due_at": row.due_at}
        office = self._offices.office(row.department)
        promised = office.promised(now, step.level)
        return {"promised": promised, "due_at": office.over(promised)}


async def done_before(transaction: Transaction, effect: str) -> Row[Any] | None:
    """The event that was noted under this effect."""
    known = select(complaint_events).where(complaint_events.c.effect == effect)
    return (await transaction.execute(known)).one_or_none()


def _act(row: Row[Any], step: Step, who: Who) -> Any:
    level = str(step.level)
    return act_of(
        who, "complaint_moved", "complaint", row.complaint_number, step.effect, status=step.status, level=level
    )
