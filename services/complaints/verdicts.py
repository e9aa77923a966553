"""Verdicts of complainants on answers: a settled complaint is closed, another one goes to the next level."""

from typing import Any, Final

from sqlalchemy import Row, select

from core.types import TextKey
from db.database import Database, Transaction
from db.tables import complaints
from services.audit.models import Actor
from services.complaints.models import VerdictResult
from services.complaints.policies import EscalationPolicies
from services.complaints.transitions import Transition, Transitions, find_event

JUDGED_STATUS: Final = "answered"


class Verdicts:
    """Records verdicts; only the MSISDN that submitted a complaint judges it."""

    def __init__(self, database: Database, transitions: Transitions, policies: EscalationPolicies) -> None:
        self._database = database
        self._transitions = transitions
        self._policies = policies

    async def judge(
        self, number: str, citizen: str, *, settled: bool, channel: str, idempotency_key: str, by: Actor | None = None
    ) -> VerdictResult:
        """Close or escalate the complaint of MSISDN `citizen`; a repeated key gets the first result."""
        async with self._database.transaction() as transaction:
            query = select(complaints).where(complaints.c.complaint_number == number).with_for_update()
            row = (await transaction.execute(query)).one_or_none()
            if row is None or row.msisdn != citizen:
                return "unknown"
            if earlier := await self._find_earlier_verdict(transaction, idempotency_key):
                return earlier
            if row.status != JUDGED_STATUS:
                return "not_answered"
            transition, result = self._transition_for(row, idempotency_key, settled=settled)
            await self._transitions.apply(transaction, row, transition, by or Actor("citizen", "", channel))
        return result

    def _transition_for(
        self, row: Row[Any], idempotency_key: str, *, settled: bool
    ) -> tuple[Transition, VerdictResult]:
        if settled:
            return Transition("closed", row.level, {}, TextKey("complaint_moved"), idempotency_key), "closed"
        if row.level >= self._policies.policy_for(row.department).highest_level:
            return Transition(
                "under_review", row.level, {}, TextKey("complaint_again"), idempotency_key, awaits_answer=True
            ), "last"
        return Transition(
            "escalated", row.level + 1, {}, TextKey("complaint_escalated"), idempotency_key, awaits_answer=True
        ), "raised"

    async def _find_earlier_verdict(self, transaction: Transaction, idempotency_key: str) -> VerdictResult | None:
        event = await find_event(transaction, idempotency_key)
        if event is None:
            return None
        results: dict[str, VerdictResult] = {"closed": "closed", "escalated": "raised", "under_review": "last"}
        return results[event.status]
