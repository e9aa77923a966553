"""A change of a complaint's status: the event, the row, the audit entry and the SMS to the citizen."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Row, select, update

from core.types import TextKey, TextRenderer, Translations, UtcClock, utc_now
from db.database import Database, Transaction
from db.tables import complaint_events, complaints
from services.audit.audit import AuditLog, build_audit_entry
from services.audit.models import Actor, AuditEntry
from services.cases.models import change_digest
from services.complaints.models import complaint_facts
from services.complaints.policies import EscalationPolicies
from services.messaging.messages import Messages
from services.messaging.models import Message

ANSWERED_STATUSES: Final = frozenset({"answered", "closed"})
"""The statuses in which no answer is due."""


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of the status. `text_key` is the text of the SMS.

    `awaits_answer`: the level has to answer by a new day; otherwise the promised day stays, or ends with an answer.
    """

    status: str
    level: int
    note: Translations
    text_key: TextKey
    idempotency_key: str
    awaits_answer: bool = False

    def digest(self, number: str) -> bytes:
        """The digest of this change for the complaint with this number."""
        return change_digest(number, self.status, self.note)

    def event_row(self, complaint: int, number: str, actor: Actor, at: datetime) -> dict[str, Any]:
        """The row of the event of this change."""
        return {
            "complaint": complaint,
            "status": self.status,
            "level": self.level,
            "note": dict(self.note),
            "actor_kind": actor.kind,
            "digest": self.digest(number),
            "idempotency_key": self.idempotency_key,
            "created_at": at,
        }


class Transitions:
    """Applies changes within the transaction of the caller."""

    def __init__(
        self,
        database: Database,
        messages: Messages,
        render_text: TextRenderer,
        policies: EscalationPolicies,
        *,
        clock: UtcClock = utc_now,
    ) -> None:
        self._database = database
        self._messages = messages
        self._render_text = render_text
        self._policies = policies
        self._audit = AuditLog(database, clock=clock)
        self._clock = clock

    async def apply(
        self, transaction: Transaction, row: Row[Any], transition: Transition, actor: Actor
    ) -> datetime | None:
        """Apply a change; the time of the change, or None where the key is repeated and nothing changes.

        The transaction holds a lock on `row`.
        """
        now = self._clock()
        if not await self._insert_event(transaction, row, transition, actor, now):
            return None
        due_columns = self._due_columns(row, transition, now)
        values = {
            "status": transition.status,
            "level": transition.level,
            "note": dict(transition.note),
            "changed_at": now,
            **due_columns,
        }
        await transaction.execute(update(complaints).where(complaints.c.id == row.id).values(values))
        await self._audit.record(transaction, _build_audit_entry(row, transition, actor))
        await self._messages.enqueue(transaction, self._build_message(row, transition, due_columns["promised"]))
        return now

    async def preview(self, transaction: Transaction, row: Row[Any], transition: Transition) -> str | None:
        """The SMS that a change would send; None where nobody would get it."""
        promised = self._due_columns(row, transition, self._clock())["promised"]
        return await self._messages.preview(transaction, self._build_message(row, transition, promised))

    def _build_message(self, row: Row[Any], transition: Transition, promised: date | None) -> Message:
        policy = self._policies.policy_for(row.department)
        facts = complaint_facts(row.complaint_number, transition.level, policy, promised, transition.note)
        text = self._render_text(row.language, transition.text_key, {**facts, "status": transition.status})
        return Message(row.msisdn, text, "status", f"{transition.idempotency_key}/complaint")

    async def _insert_event(
        self, transaction: Transaction, row: Row[Any], transition: Transition, actor: Actor, now: datetime
    ) -> bool:
        event = transition.event_row(row.id, row.complaint_number, actor, now)
        insert = self._database.insert_or_ignore(complaint_events).returning(complaint_events.c.id)
        return (await transaction.execute(insert, event)).scalar_one_or_none() is not None

    def _due_columns(self, row: Row[Any], transition: Transition, now: datetime) -> Mapping[str, Any]:
        """The columns of the promised day and of its end."""
        if transition.status in ANSWERED_STATUSES:
            return {"promised": None, "due_at": None}
        if not transition.awaits_answer:
            return {"promised": row.promised, "due_at": row.due_at}
        policy = self._policies.policy_for(row.department)
        promised = policy.answer_due_on(now, transition.level)
        return {"promised": promised, "due_at": policy.end_of_day(promised)}


async def find_event(transaction: Transaction, idempotency_key: str) -> Row[Any] | None:
    """The event recorded under this key."""
    query = select(complaint_events).where(complaint_events.c.idempotency_key == idempotency_key)
    return (await transaction.execute(query)).one_or_none()


def _build_audit_entry(row: Row[Any], transition: Transition, actor: Actor) -> AuditEntry:
    level = str(transition.level)
    return build_audit_entry(
        actor,
        "complaint_moved",
        "complaint",
        row.complaint_number,
        transition.idempotency_key,
        status=transition.status,
        level=level,
    )
