"""Escalation: a complaint without an answer by the promised day goes to the next level, once, whichever process finds it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Row, and_, or_, select, update

from core.claim_worker import result_or_log
from core.types import TextKey, TextRenderer, UtcClock, utc_now
from db.database import Database, Transaction
from db.tables import complaints
from services.audit.models import Actor
from services.complaints.models import EscalationPolicy, complaint_facts
from services.complaints.policies import EscalationPolicies
from services.complaints.transitions import Transition, Transitions
from services.messaging.messages import Messages
from services.messaging.models import Message

BATCH_SIZE: Final = 50
"""Complaints in one query."""
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
GATEWAY_ACTOR: Final = Actor("gateway", "", "clock")
_due_at: Final = complaints.c.due_at


class Escalation:
    """Escalates complaints. Without `render_email` departments get no e-mail."""

    def __init__(
        self,
        database: Database,
        messages: Messages,
        transitions: Transitions,
        policies: EscalationPolicies,
        render_email: TextRenderer | None = None,
        *,
        clock: UtcClock = utc_now,
    ) -> None:
        self._database = database
        self._messages = messages
        self._transitions = transitions
        self._policies = policies
        self._render_email = render_email
        self._clock = clock

    async def escalate_overdue(self) -> int:
        """Escalate all overdue complaints, oldest first; their number. One that fails is logged, and stops no other."""
        now, count, place = self._clock(), 0, (_LONG_AGO, 0)
        while rows := await self._list_overdue(now, place):
            place = (rows[-1].due_at, rows[-1].id)
            for row in rows:
                escalating = self._escalate_one(row.id, now)
                count += bool(
                    await result_or_log(escalating, "complaint_not_escalated", complaint=row.complaint_number)
                )
        return count

    async def _list_overdue(self, now: datetime, place: tuple[datetime, int]) -> Sequence[Row[Any]]:
        after = or_(_due_at > place[0], and_(_due_at == place[0], complaints.c.id > place[1]))
        overdue = select(complaints.c.id, complaints.c.complaint_number, _due_at).where(_due_at <= now, after)
        return (await self._database.fetch(overdue.order_by(_due_at, complaints.c.id).limit(BATCH_SIZE))).all()

    async def _escalate_one(self, complaint: int, now: datetime) -> bool:
        """Escalate a complaint in one transaction; False where another process escalates it or has done so."""
        overdue = select(complaints).where(complaints.c.id == complaint, _due_at.is_not(None), _due_at <= now)
        async with self._database.transaction() as transaction:
            row = (await transaction.execute(overdue.with_for_update(skip_locked=True))).one_or_none()
            if row is not None:
                await self._escalate(transaction, row)
        return row is not None

    async def _escalate(self, transaction: Transaction, row: Row[Any]) -> None:
        policy = self._policies.policy_for(row.department)
        is_highest = row.level >= policy.highest_level
        level = row.level if is_highest else row.level + 1
        transition = Transition(
            status="escalated",
            level=level,
            note={},
            text_key=TextKey("complaint_last") if is_highest else TextKey("complaint_escalated"),
            idempotency_key=f"escalated:{row.complaint_number}:{row.due_at.isoformat()}",
            awaits_answer=not is_highest,
        )
        changed_at = await self._transitions.apply(transaction, row, transition, GATEWAY_ACTOR)
        if is_highest:  # there is no further level: the complaint stays, and is not escalated again
            await transaction.execute(update(complaints).where(complaints.c.id == row.id).values(due_at=None))
        if changed_at:
            await self._notify_department(transaction, row, policy, level, transition.idempotency_key)

    async def _notify_department(
        self, transaction: Transaction, row: Row[Any], policy: EscalationPolicy, level: int, idempotency_key: str
    ) -> None:
        """Send the department an e-mail with the complaint's number and no personal data."""
        if not (self._render_email and policy.email):
            return
        facts = {**complaint_facts(row.complaint_number, level, policy, row.promised, {}), "service": row.service}
        text = self._render_email(policy.language, "complaint_escalated", {**facts, "reason": row.reason})
        message = Message(policy.email, text, "notice", f"{idempotency_key}/email", "email")
        await self._messages.enqueue(transaction, message)
