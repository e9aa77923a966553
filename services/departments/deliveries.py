"""The deliveries of applications to departments' own systems: enqueued with the application, claimed, settled."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import structlog
from sqlalchemy import Row

from core.clock_watch import FUTURE_MARGIN
from core.crypto import Cipher, DecryptionError
from core.timeouts import Timeout
from core.types import UtcClock, utc_now
from db.database import Database, Transaction
from db.tables import deliveries
from services.applications.models import (
    NewApplication,
)
from services.audit.audit import AuditLog, build_staff_entry
from services.audit.models import AuditEntry
from services.audit.staff_acts import StaffAct
from services.departments import queries
from services.departments.delivery_contents import (
    DeliveryContents,
    DocumentCodes,
    FeeStateLookup,
    People,
    fee_always_due,
)
from services.departments.models import (
    CONNECTOR_CHANNEL,
    Accepted,
    ClaimedDelivery,
    DeliveryDepth,
    DeliveryResult,
    DeliveryState,
    OutgoingAnswer,
    OutgoingApplication,
    Rejected,
    RejectedDelivery,
    RetryLater,
    StatusQuery,
)

OVERDUE_AFTER: Final = timedelta(minutes=1)  # a delivery queued for longer waits for a system that does not answer
STALE_AFTER: Final = timedelta(days=90)  # an application unchanged for so long is not polled any more
RECOVERY_BATCH: Final = 500  # rows

log = structlog.get_logger()


class DeliveryRepository:
    """The deliveries to all departments that have a system of their own.

    `poll_intervals` has one entry for each such department: the time between two status queries, or None where the
    department sends events and is not polled.
    """

    def __init__(
        self,
        database: Database,
        cipher: Cipher,
        poll_intervals: Mapping[str, timedelta | None],
        *,
        document_codes: DocumentCodes = lambda _: (),
        fee_state: FeeStateLookup = fee_always_due,
        clock: UtcClock = utc_now,
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._poll_intervals = poll_intervals
        self._due_statement = queries.build_due(poll_intervals)
        self._clock = clock
        self._audit = AuditLog(database, clock=clock)
        self._contents = DeliveryContents(database, cipher, document_codes=document_codes, fee_state=fee_state)
        self._queued = asyncio.Event()
        self.state_columns = queries.STATE_COLUMNS if poll_intervals else ()
        """The columns that `is_waiting` reads besides those of an application; none if no department has a system."""
        self.unreachable: set[str] = set()
        """The departments whose systems do not answer this process; kept by the circuit breakers."""

    async def enqueue(self, transaction: Transaction, application: int, submission: NewApplication, _: str) -> None:
        """Queue an application in the transaction that records it, if its department has a system of its own."""
        if submission.department not in self._poll_intervals:
            return
        key = f"application:{application}/handed_in"
        await self._queue(transaction, key, application=application, department=submission.department)

    async def enqueue_answer(self, transaction: Transaction, application: int, answer: int, department: str) -> None:
        """Queue an answer of an applicant in the transaction that records it, if the system got the application."""
        if department not in self._poll_intervals:
            return
        if (await transaction.execute(queries.WAS_SENT, {"application": application})).first() is None:
            return
        key = f"application:{application}/answer:{answer}"
        await self._queue(transaction, key, application=application, department=department, citizen_answer=answer)

    async def _queue(self, transaction: Transaction, idempotency_key: str, **columns: object) -> None:
        now = self._clock()
        row = {
            **columns,
            "state": "queued",
            "due_at": now,
            "idempotency_key": idempotency_key,
            "created_at": now,
            "updated_at": now,
        }
        await transaction.execute(self._database.insert_or_ignore(deliveries), row)
        transaction.after_transaction(self._queued.set)

    async def delivery_state(self, tracking_number: str) -> DeliveryState:
        """Return the state of an application's delivery to its department."""
        if not self._poll_intervals:
            return "here"
        row = (await self._database.fetch(queries.STATE, {"number": tracking_number})).one_or_none()
        return await self._state_from_row(row) if row else "here"

    async def find_waiting_state(self, tracking_number: str) -> Literal["waiting"] | None:
        """Return `waiting` for an application that waits for its department's system, else None."""
        return "waiting" if await self.delivery_state(tracking_number) == "waiting" else None

    async def is_waiting(self, row: Any) -> bool:
        """Return whether the application of this row, with `state_columns`, waits for a system that does not answer."""
        return bool(self.state_columns) and await self._state_from_row(row) == "waiting"

    async def _state_from_row(self, row: Any) -> DeliveryState:
        state = row.delivery_state
        if state is None:
            return "here"
        if state in {"delivered", "refused"}:
            return "delivered" if state == "delivered" else "refused"
        is_old = self._clock() - OVERDUE_AFTER > row.delivery_created_at
        return "waiting" if is_old or await self._is_unreachable(row.delivery_department) else "on_its_way"

    async def wait_for_queued(self, seconds: float) -> None:
        """Return when this process has queued a delivery since the last return, or after this many seconds."""
        try:
            async with Timeout(seconds):
                await self._queued.wait()
        except TimeoutError:
            return
        self._queued.clear()

    async def departments_due(self) -> Collection[str]:
        """Return the departments that have deliveries due."""
        if self._due_statement is None:
            return ()
        return (await self._database.fetch(self._due_statement, {"now": self._clock()})).scalars().all()

    async def claim(self, department: str, worker: str, limit: int) -> Sequence[ClaimedDelivery]:
        """Claim at most `limit` due deliveries, oldest first; they are marked *sending*, and committed, before this returns."""
        parameters = {"of": department, "claimer": worker, "most": limit, "now": self._clock()}
        async with self._database.transaction() as transaction:
            claimed = (await transaction.execute(queries.CLAIM, parameters)).all()
            found = await self._fetch_applications(transaction, [row.application for row in claimed])
            kept = await _drop_withdrawn(transaction, claimed, found)
            answers = await _fetch_answers(transaction, [row.citizen_answer for row in kept if row.citizen_answer])
        people = await self._contents.find_people(list(found.values()), list(answers.values()))
        decrypted = [(row, await self._decrypt(row, found[row.application], answers, people)) for row in kept]
        return [
            ClaimedDelivery(row.id, row.attempts, row.idempotency_key, department, *content)
            for row, content in decrypted
            if content is not None
        ]

    async def record_result(self, claimed: ClaimedDelivery, result: DeliveryResult) -> bool:
        """Record the result of an attempt; False where the delivery has a final result, or a later attempt, already."""
        now = self._clock()
        async with self._database.transaction() as transaction:
            updated = await transaction.execute(*self._build_result_statement(claimed, result, now))
            recorded = updated.one_or_none() is not None
            if recorded and isinstance(result, Accepted):
                await self._audit.record(transaction, _build_audit_entry(claimed))
        return recorded

    async def retry_now(self, department: str) -> None:
        """Make all retries of a department due now, because its system answers again."""
        async with self._database.transaction() as transaction:
            await transaction.execute(queries.RETRY_NOW, {"of": department, "now": self._clock()})

    async def recover_abandoned(self, older_than: timedelta) -> int:
        """Queue deliveries again that a dead worker left *sending*; return their number."""
        now = self._clock()
        parameters = {"now": now, "before": now - older_than, "most": RECOVERY_BATCH}
        async with self._database.transaction() as transaction:
            left = (await transaction.execute(queries.RECOVER_ABANDONED, parameters)).all()
            if left:
                transaction.after_transaction(self._queued.set)
        return len(left)

    async def make_future_due(self) -> int:
        """Make due the deliveries that were changed at a time that is still to come: the clock was set back since."""
        now = self._clock()
        parameters = {"now": now, "after": now + FUTURE_MARGIN, "most": RECOVERY_BATCH}
        async with self._database.transaction() as transaction:
            changed = (await transaction.execute(queries.MAKE_FUTURE_DUE, parameters)).all()
            if changed:
                transaction.after_transaction(self._queued.set)
        return len(changed)

    async def claim_status_queries(self, department: str, limit: int) -> Sequence[StatusQuery]:
        """Claim at most `limit` applications whose status is due to be queried; each is due again after the poll interval."""
        interval = self._poll_intervals.get(department)
        if interval is None:
            return []
        now = self._clock()
        parameters = {"of": department, "most": limit, "now": now, "next_at": now + interval}
        async with self._database.transaction() as transaction:
            await transaction.execute(queries.STOP_POLLING, {"of": department, "now": now, "stale": now - STALE_AFTER})
            claimed = (await transaction.execute(queries.CLAIM_STATUS_QUERIES, parameters)).all()
            found = await self._fetch_applications(transaction, [row.application for row in claimed])
        pairs = [(row.id, found[row.application]) for row in claimed]
        return [StatusQuery(delivery, one.tracking_number, one.status, one.note) for delivery, one in pairs]

    async def depth(self) -> Sequence[DeliveryDepth]:
        """Return the number of undelivered applications for each department and state."""
        now = self._clock()
        rows = [row for statement in queries.DEPTH for row in await self._database.fetch(statement)]
        return [DeliveryDepth(row.department, row.state, row.rows, max(now - row.oldest, timedelta())) for row in rows]

    async def list_rejected(self, limit: int = 100, department: str = "") -> Sequence[RejectedDelivery]:
        """Return at most `limit` rejected deliveries, of one department or of all, oldest first, for a person to fix and retry."""
        query = queries.LIST_REJECTED_OF if department else queries.LIST_REJECTED
        parameters = {"of": department} if department else {}
        rows = await self._database.fetch(query, {"most": limit, **parameters})
        return [
            RejectedDelivery(row.tracking_number, row.department, row.error, self._decrypt_detail(row), row.updated_at)
            for row in rows
        ]

    async def retry(self, tracking_number: str, act: StaffAct) -> bool:
        """Queue a rejected delivery again, for a person; False where the application's delivery is not rejected."""
        now = self._clock()
        async with self._database.transaction() as transaction:
            parameters = {"number": tracking_number, "now": now}
            row = (await transaction.execute(queries.RETRY, parameters)).first()  # of the application, or of answers
            if row is None:
                return False
            entry = build_staff_entry(act, "delivered_again", "application", tracking_number)
            await self._audit.record(transaction, entry)
            transaction.after_transaction(self._queued.set)
        return True

    async def _is_unreachable(self, department: str) -> bool:
        """Return whether the system is known not to answer: to this process, or by the backlog of all processes."""
        if department in self.unreachable:
            return True
        parameters = {"of": department, "before": self._clock() - OVERDUE_AFTER}
        return len((await self._database.fetch(queries.OVERDUE, parameters)).all()) == queries.BACKLOG_SIZE

    async def _fetch_applications(self, transaction: Transaction, ids: Sequence[int]) -> Mapping[int, Row[Any]]:
        if not ids:
            return {}
        return {row.id: row for row in await transaction.execute(queries.APPLICATIONS, {"ids": list(ids)})}

    async def _decrypt(
        self, delivery: Row[Any], row: Row[Any], answers: Mapping[int, Row[Any]], people: People
    ) -> tuple[OutgoingApplication, OutgoingAnswer | None] | None:
        """What to deliver; None, and the delivery is rejected, if another key encrypted it."""
        answer = answers.get(delivery.citizen_answer)
        try:
            application = await self._contents.build_application(row, people)
            return application, self._contents.build_answer(row.tracking_number, answer, people) if answer else None
        except DecryptionError:
            log.critical("application_unreadable", delivery=delivery.id)
            await self._reject_unreadable(delivery.id)
            return None

    async def _reject_unreadable(self, delivery: int) -> None:
        facts = {"delivery": delivery, "reason": "unreadable", "said": None, "now": self._clock()}
        async with self._database.transaction() as transaction:
            await transaction.execute(queries.RECORD_REJECTED, facts)

    def _build_result_statement(
        self, claimed: ClaimedDelivery, result: DeliveryResult, now: datetime
    ) -> tuple[Any, Mapping[str, Any]]:
        facts: dict[str, Any] = {"delivery": claimed.id, "now": now}
        match result:
            case Accepted(reference):
                interval = None if claimed.answer else self._poll_intervals.get(claimed.department)
                next_at = now + interval if interval else None
                return queries.RECORD_ACCEPTED, {**facts, "under": reference, "next_at": next_at}
            case Rejected(reason, detail):
                context = _cipher_context(claimed.idempotency_key)
                answer = self._cipher.encrypt(detail.encode(), context) if detail else None
                return queries.RECORD_REJECTED, {**facts, "reason": reason, "said": answer}
            case RetryLater(reason, retry_at, suspended):
                state = "held" if suspended else "queued"
                retry = {"attempt": claimed.attempt, "becomes": state, "reason": reason, "again_at": retry_at}
                return queries.RECORD_RETRY, {**facts, **retry}

    def _decrypt_detail(self, row: Row[Any]) -> str:
        return self._cipher.decrypt(row.answer, _cipher_context(row.idempotency_key)).decode() if row.answer else ""


async def _fetch_answers(transaction: Transaction, ids: Sequence[int]) -> Mapping[int, Row[Any]]:
    if not ids:
        return {}
    return {row.id: row for row in await transaction.execute(queries.ANSWERS, {"ids": list(ids)})}


async def _drop_withdrawn(
    transaction: Transaction, claimed: Sequence[Row[Any]], applications: Mapping[int, Row[Any]]
) -> Sequence[Row[Any]]:
    """Drop deliveries whose application was withdrawn before the first attempt; return the others."""
    dropped = [row.id for row in claimed if applications[row.application].status == "withdrawn" and row.attempts == 1]
    if dropped:
        await transaction.execute(queries.DROP, {"ids": dropped})
    return [row for row in claimed if row.id not in dropped]


def _build_audit_entry(claimed: ClaimedDelivery) -> AuditEntry:
    number, key = claimed.application.tracking_number, claimed.idempotency_key
    act = "answer_delivered" if claimed.answer else "delivered"
    return AuditEntry("gateway", claimed.department, act, "application", number, CONNECTOR_CHANNEL, key)


def _cipher_context(idempotency_key: str) -> str:
    return f"delivery:{idempotency_key}"
