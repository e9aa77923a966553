"""Refunds: recorded with actor and reason, never more than was paid, sent to the wallet once."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import structlog
from sqlalchemy import Row, Select, Update, func, select, update

from core.types import UtcClock, utc_now
from db.database import Database, Transaction
from db.tables import payment_refunds, payments
from services.audit.audit import AuditLog, build_staff_entry
from services.audit.models import ActorKind, AuditEntry
from services.audit.staff_acts import StaffAct
from services.payments.models import (
    REFUNDABLE_STATUSES,
    WORKER_TIMEOUT,
    RefundCategory,
    RefundRejected,
    new_refund_columns,
)
from services.payments.notifications import PaymentNotifier
from services.payments.wallets.base import Declined, ManualRefund, Refunded, RefundRequest, RefundResult, ResultUnknown

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RefundReason:
    """Who requests a refund and why: an actor, and an explanation of one line for staff.

    `category` is what the payer is told; empty: nothing. `channel` is how the actor acts; empty: as the payment was made.
    """

    actor_kind: ActorKind
    actor: str
    explanation: str
    idempotency_key: str
    category: RefundCategory | Literal[""] = ""
    channel: str = ""


class Refunds:
    """All refunds."""

    def __init__(self, database: Database, notifier: PaymentNotifier, *, clock: UtcClock = utc_now) -> None:
        self._database = database
        self._notifier = notifier
        self._clock = clock
        self._audit = AuditLog(database, clock=clock)

    async def request(self, payment: int, amount_minor: int | None, reason: RefundReason) -> int | RefundRejected:
        """Request a refund of an amount, or of the rest; return its id, the same for the same idempotency key."""
        async with self._database.transaction() as transaction:
            return await self.request_in_transaction(transaction, payment, amount_minor, reason)

    async def request_in_transaction(
        self, transaction: Transaction, payment: int, amount_minor: int | None, reason: RefundReason
    ) -> int | RefundRejected:
        """Request a refund in the transaction of its cause; see `request`."""
        locked = select(payments).where(payments.c.id == payment).with_for_update()
        row = (await transaction.execute(locked)).one_or_none()
        if row is None:
            return RefundRejected("unknown")
        if earlier := await self._find_by_key(transaction, reason.idempotency_key):
            return earlier
        if row.status not in REFUNDABLE_STATUSES:
            return RefundRejected("not_paid")
        remaining = (row.paid_minor or 0) - await self._refunded_total(transaction, payment)
        amount = remaining if amount_minor is None else amount_minor
        if not 0 < amount <= remaining:
            return RefundRejected("too_much")
        return await self._record(transaction, row, amount, reason)

    async def claim(self) -> tuple[int, RefundRequest] | None:
        """Claim a due refund; return its id and the request to the wallet. It is marked, and never sent again."""
        now = self._clock()
        async with self._database.transaction() as transaction:
            await transaction.execute(_build_abandon(now))
            due = (payment_refunds.c.status == "requested", payment_refunds.c.due_at <= now)
            free = select(payment_refunds).where(*due).limit(1).with_for_update(skip_locked=True)
            refund = (await transaction.execute(free)).one_or_none()
            if refund is None:
                return None
            await self._update(transaction, refund.id, status="sending", due_at=now + WORKER_TIMEOUT)
            row = (await transaction.execute(select(payments).where(payments.c.id == refund.payment))).one()
        return refund.id, _refund_request_from_row(row, refund)

    async def record_result(self, refund: int, result: RefundResult) -> None:
        """Record the wallet's answer to a refund."""
        async with self._database.transaction() as transaction:
            match result:
                case Refunded(receipt):
                    await self._mark_refunded(transaction, refund, receipt)
                case ManualRefund():
                    await self._update(transaction, refund, status="by_hand", due_at=None)
                case Declined(reason) | ResultUnknown(reason):
                    status = "failed" if isinstance(result, Declined) else "unknown"
                    log.error("refund_failed", refund=refund, status=status, reason=reason)
                    await self._update(transaction, refund, status=status, reason=reason, due_at=None)

    async def mark_refunded(self, refund: int, act: StaffAct, receipt: str = "") -> bool:
        """Record that a person refunded the money in the wallet's portal; False where this refund is not open."""
        async with self._database.transaction() as transaction:
            unresolved = payment_refunds.c.status.in_(("by_hand", "unknown", "failed"))
            statement = select(payment_refunds).where(payment_refunds.c.id == refund, unresolved).with_for_update()
            row = (await transaction.execute(statement)).one_or_none()
            if row is None:
                return False
            await self._mark_refunded(transaction, refund, receipt)
            details = {"refund": str(refund), "receipt": receipt}
            entry = build_staff_entry(act, "returned", "payment", str(row.payment), **details)
            await self._audit.record(transaction, entry)
        return True

    async def _record(self, transaction: Transaction, row: Row[Any], amount_minor: int, reason: RefundReason) -> int:
        now = self._clock()
        refund = {
            "payment": row.id,
            "amount_minor": amount_minor,
            "actor": reason.actor,
            "explanation": reason.explanation[:160],
            "category": reason.category or None,
            **new_refund_columns(row.wallet, now),
            "idempotency_key": reason.idempotency_key,
            "created_at": now,
            "updated_at": now,
        }
        insert = self._database.insert(payment_refunds).returning(payment_refunds.c.id)
        refund_id = int((await transaction.execute(insert, refund)).scalar_one())
        details = {"amount": str(amount_minor), "currency": row.currency}
        if reason.actor_kind == "staff":
            details |= {"reason": reason.explanation, "category": reason.category}
        payment_id = str(row.id)
        entry = AuditEntry(
            reason.actor_kind,
            reason.actor,
            "refund",
            "payment",
            payment_id,
            reason.channel or row.channel,
            reason.idempotency_key,
            details=details,
        )
        await self._audit.record(transaction, entry)
        return refund_id

    async def _mark_refunded(self, transaction: Transaction, refund: int, receipt: str) -> None:
        await self._update(transaction, refund, status="returned", receipt=receipt, due_at=None, reason=None)
        of_refund = select(payment_refunds.c.payment).where(payment_refunds.c.id == refund).scalar_subquery()
        row = (await transaction.execute(select(payments).where(payments.c.id == of_refund).with_for_update())).one()
        notice = select(payment_refunds.c.amount_minor, payment_refunds.c.category)
        if await self._refunded_total(transaction, row.id, only_completed=True) >= (row.paid_minor or 0):
            ended = update(payments).where(payments.c.id == row.id)
            await transaction.execute(ended.values(status="refunded", updated_at=self._clock()))
        told = (await transaction.execute(notice.where(payment_refunds.c.id == refund))).one()
        await self._notifier.notify_refunded(transaction, row, refund, told.amount_minor, told.category or "")

    async def _refunded_total(self, transaction: Transaction, payment: int, *, only_completed: bool = False) -> int:
        """Return the amount that was refunded or may yet be; failed refunds do not count."""
        counts = payment_refunds.c.status == "returned" if only_completed else payment_refunds.c.status != "failed"
        total = select(func.coalesce(func.sum(payment_refunds.c.amount_minor), 0))
        return int((await transaction.execute(total.where(payment_refunds.c.payment == payment, counts))).scalar_one())

    async def _find_by_key(self, transaction: Transaction, idempotency_key: str) -> int | None:
        statement: Select[Any] = select(payment_refunds.c.id).where(
            payment_refunds.c.idempotency_key == idempotency_key
        )
        return (await transaction.execute(statement)).scalar_one_or_none()

    async def _update(self, transaction: Transaction, refund: int, **columns: Any) -> None:
        changed = update(payment_refunds).where(payment_refunds.c.id == refund)
        await transaction.execute(changed.values(**columns, updated_at=self._clock()))


def _build_abandon(now: datetime) -> Update:
    """Leave a refund that a dead worker was sending to a person, because the money may have been returned."""
    sending = (payment_refunds.c.status == "sending", payment_refunds.c.due_at <= now)
    return (
        update(payment_refunds)
        .where(*sending)
        .values(status="unknown", reason="WorkerGone", due_at=None, updated_at=now)
    )


def _refund_request_from_row(row: Row[Any], refund: Row[Any]) -> RefundRequest:
    return RefundRequest(
        refund_id=f"refund-{refund.id}",
        key=row.key,
        payer=row.payer,
        request_id=row.request or "",
        receipt=row.receipt or "",
        amount_minor=refund.amount_minor,
        currency=row.currency,
    )
