"""Answers of applicants to a department that asks for more information.

An applicant may answer as often as they like until the department changes the status. Each answer goes to the department once.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

from sqlalchemy import Row, select, update

from core.crypto import Cipher
from core.types import UtcClock, utc_now
from db.database import Database, Transaction
from db.tables import application_answers, applications
from services.applications.models import (
    ASKING_STATUS,
    AnswerResult,
    NewAnswer,
    answer_associated_data,
)
from services.audit.audit import AuditLog, build_audit_entry, find_acting_operator
from services.audit.models import Actor
from services.citizens.closed_accounts import ensure_account_open

EnqueueAnswer: TypeAlias = Callable[[Transaction, int, int, str], Awaitable[None]]
"""Queues the delivery to the department: transaction, the application's id, the answer's id, the department."""

_COLUMNS: Final = tuple(
    applications.c[name] for name in ("id", "tracking_number", "service", "status", "department", "account")
)


class ApplicationAnswers:
    """Records answers, encrypted, and queues them for the department's system."""

    def __init__(
        self,
        database: Database,
        cipher: Cipher,
        *,
        enqueue_delivery: EnqueueAnswer | None = None,
        clock: UtcClock = utc_now,
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._enqueue_delivery = enqueue_delivery
        self._clock = clock
        self._audit = AuditLog(database, clock=clock)

    async def answer(self, answer: NewAnswer, idempotency_key: str) -> AnswerResult:
        """Record an answer to the department of an application of this account; once for each idempotency key.

        Raises:
            AccountClosedError: the account was deleted in another session.
        """
        async with self._database.transaction() as transaction:
            row = await _lock_application(transaction, answer)
            if row is None:
                return AnswerResult("unknown")
            if await _is_recorded(transaction, row.id, idempotency_key):
                return AnswerResult("kept", row.service, row.status)
            if row.status != ASKING_STATUS:
                return AnswerResult("not_asked", row.service, row.status)
            await ensure_account_open(transaction, answer.account, idempotency_key)
            await self._record(transaction, row, answer, idempotency_key)
        return AnswerResult("kept", row.service, row.status)

    async def _record(self, transaction: Transaction, row: Row[Any], answer: NewAnswer, idempotency_key: str) -> None:
        now = self._clock()
        insert = self._database.insert(application_answers).returning(application_answers.c.id)
        answer_id = (
            await transaction.execute(insert, self._build_row(row.id, answer, idempotency_key, now))
        ).scalar_one()
        values = {"answered_at": now, "changed_at": now}
        await transaction.execute(update(applications).where(applications.c.id == row.id).values(values))
        actor = Actor("citizen", str(answer.account), answer.channel)
        entry = build_audit_entry(actor, "application_answered", "application", row.tracking_number, idempotency_key)
        await self._audit.record(transaction, entry)
        if self._enqueue_delivery:
            await self._enqueue_delivery(transaction, row.id, answer_id, row.department)

    def _build_row(self, application: int, answer: NewAnswer, idempotency_key: str, now: Any) -> dict[str, Any]:
        text = self._cipher.encrypt(answer.text.encode(), answer_associated_data(idempotency_key))
        return {
            "application": application,
            "text": text,
            "channel": answer.channel,
            "operator": find_acting_operator(),
            "idempotency_key": idempotency_key,
            "created_at": now,
        }


async def _lock_application(transaction: Transaction, answer: NewAnswer) -> Row[Any] | None:
    """The application, locked; None where the account has none with this number."""
    query = select(*_COLUMNS).where(
        applications.c.tracking_number == answer.tracking_number, applications.c.account == answer.account
    )
    return (await transaction.execute(query.with_for_update())).one_or_none()


async def _is_recorded(transaction: Transaction, application: int, idempotency_key: str) -> bool:
    query = select(application_answers.c.id).where(
        application_answers.c.idempotency_key == idempotency_key, application_answers.c.application == application
    )
    return (await transaction.execute(query)).scalar_one_or_none() is not None
