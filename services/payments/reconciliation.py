"""Applies what wallets report about payments: in any order, more than once, and late.

All payments of one reference are locked while one is settled. Only one of them is ever *paid*: money for a reference that
was paid before is a *duplicate payment*, and is refunded.
"""

import json
from contextlib import suppress
from typing import Any, Final, Literal

import structlog
from sqlalchemy import Row, and_, delete, literal, select, update
from sqlalchemy.exc import IntegrityError

from core.crypto import Cipher
from core.types import UtcClock, utc_now
from db.database import Database, Transaction
from db.tables import bills, payment_refunds, payment_reports, payments
from services.audit.audit import AuditLog
from services.audit.models import AuditEntry
from services.payments.models import BY_REFERENCE, OPEN_STATUSES, OTHER_PAYER, new_refund_columns
from services.payments.notifications import PaymentNotifier
from services.payments.wallets.base import UNPAID_OUTCOMES, PaymentReport

MAX_TRIES: Final = 3  # of a transaction that meets a new payment for the same reference
PAID_TWICE: Final = "PaidTwice"
AMOUNT_DIFFERS: Final = "AmountDiffers"
SAME_MONEY: Final = "SameMoney"
MONEY_STATUSES: Final = frozenset({"paid", "amount_mismatch", "refunded"})
UNSETTLED_STATUSES: Final = frozenset({"requested", "sending", "pending", "unknown"})
MAX_REASON_LENGTH: Final = 40
MAX_UNMATCHED: Final = 10_000  # reports of payments that are not ours; each is some 200 bytes

log = structlog.get_logger()


class PaymentReconciler:
    """Applies reports to payments, and does what follows from them."""

    def __init__(
        self,
        database: Database,
        cipher: Cipher,
        notifier: PaymentNotifier,
        audit: AuditLog,
        clock: UtcClock = utc_now,
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._notifier = notifier
        self._audit = audit
        self._clock = clock

    async def record(self, key: str, report: PaymentReport, source: Literal["callback", "query"]) -> int | None:
        """Apply a report once; return the payment's id, or None if no payment has this key."""
        for _ in range(MAX_TRIES - 1):
            with suppress(IntegrityError):
                return await self._record(key, report, source)
        return await self._record(key, report, source)

    async def lock_payment(self, transaction: Transaction, payment: int) -> Row[Any]:
        """Lock all payments of this payment's reference; return the row of the payment.

        Raises:
            LookupError: there is no such payment.
        """
        row = await self.find_and_lock(transaction, payment)
        if row is None:
            raise LookupError(f"There is no payment {payment}.")
        return row

    async def lock_reference(self, transaction: Transaction, reference: str) -> list[Row[Any]]:
        """Lock and return all payments of a reference, oldest first."""
        return await self._lock_reference(transaction, select(literal(reference)))

    async def find_and_lock(self, transaction: Transaction, payment: int) -> Row[Any] | None:
        """Lock all payments of this payment's reference; return its row, or None if there is no such payment."""
        rows = await self._lock_reference(transaction, select(payments.c.reference).where(payments.c.id == payment))
        return next((row for row in rows if row.id == payment), None)

    async def settle_paid(self, transaction: Transaction, row: Row[Any], receipt: str, amount: int | None) -> None:
        """Mark a payment as paid, or as a duplicate if another payment of the reference is paid or may be.

        A payment by reference with the same receipt is the same money, of which the wallet has told twice.
        """
        others = await self._list_others(transaction, row)
        if receipt and any(_is_same_money(other, row, receipt) for other in others if other.status in MONEY_STATUSES):
            await self._end(transaction, row, status="failed", reason=SAME_MONEY)
            return
        for twin in [other for other in others if _is_twin(other, row, receipt, amount)]:
            receipt = receipt or twin.receipt or ""
            await self._end(transaction, twin, status="failed", reason=SAME_MONEY, paid_minor=None)
        for other in others:
            if other.status == "requested":  # the wallet has not been called for it
                await self._end(transaction, other, status="failed", reason="PaidAlready")
        rivals = [other for other in others if other.status in {*OPEN_STATUSES, "paid"} - {"requested"}]
        status = "duplicate_payment" if rivals else "paid"
        columns = {"receipt": receipt or row.receipt, "paid_minor": row.amount_minor if amount is None else amount}
        await self._end(transaction, row, status=status, reason=None, **columns)
        await self._follow_up(transaction, row, status, any(other.status == "paid" for other in rivals))

    async def settle_unpaid(self, transaction: Transaction, row: Row[Any], status: str, reason: str) -> None:
        """Mark a payment as not charged; a duplicate payment of the reference, if any, becomes the payment."""
        await self._end(transaction, row, status=status, reason=reason[:MAX_REASON_LENGTH])
        others = await self._list_others(transaction, row)
        spare = next((other for other in others if other.status == "duplicate_payment"), None)
        if spare is not None and not any(other.status in {*OPEN_STATUSES, "paid"} for other in others):
            await self.settle_paid(transaction, spare, spare.receipt or "", spare.paid_minor)
        else:
            await self._notifier.notify_unpaid(transaction, row, reason)

    async def _record(self, key: str, report: PaymentReport, source: str) -> int | None:
        of_key = select(payments.c.reference).where(payments.c.key == key)
        async with self._database.transaction() as transaction:
            row = next((one for one in await self._lock_reference(transaction, of_key) if one.key == key), None)
            if report.outcome in {"pending", "unknown"}:
                return await self._record_pending(transaction, row, report)
            if await self.store_report(transaction, key, row, report, source) and row is not None:
                await self._settle_report(transaction, row, report)
        return None if row is None else int(row.id)

    async def _record_pending(
        self, transaction: Transaction, row: Row[Any] | None, report: PaymentReport
    ) -> int | None:
        """Apply a report that settles nothing: a pending request shows that an unknown push has arrived."""
        if row is None:
            return None
        if report.outcome == "pending" and row.status == "unknown":
            await self._update(transaction, row, status="pending", request=row.request or report.request_id or None)
        return int(row.id)

    async def _settle_report(self, transaction: Transaction, row: Row[Any], report: PaymentReport) -> None:
        if row.request and report.request_id and row.request != report.request_id:
            log.error("payment_report_of_other_request", payment=row.id)
            return
        if report.request_id and not row.request:
            await self._update(transaction, row, request=report.request_id)
        if report.outcome == "paid":
            await self._settle_money(transaction, row, report)
        elif report.outcome in UNPAID_OUTCOMES and row.status in UNSETTLED_STATUSES:
            status = "expired" if report.outcome == "expired" else "failed"
            await self.settle_unpaid(transaction, row, status, report.outcome)
        else:
            log.warning("failure_report_after_settlement", payment=row.id, status=row.status)

    async def _settle_money(self, transaction: Transaction, row: Row[Any], report: PaymentReport) -> None:
        """Apply a report of money. A person decides about an amount that was not requested."""
        amount = report.amount_minor
        if row.status in {"paid", "duplicate_payment", "amount_mismatch", "refunded"}:
            await self._merge_repeated(transaction, row, report)
        elif amount is not None and amount != row.amount_minor:
            await self.mark_amount_mismatch(transaction, row, amount, report.receipt)
        else:
            await self.settle_paid(transaction, row, report.receipt, amount)

    async def _merge_repeated(self, transaction: Transaction, row: Row[Any], report: PaymentReport) -> None:
        """Fill in what an earlier report left out; a different receipt is a second charge."""
        if row.receipt and report.receipt and row.receipt != report.receipt:
            log.error("payment_charged_twice", payment=row.id, action_required=True)
            await self._update(transaction, row, reason=PAID_TWICE)
            return
        if row.status == "paid" and report.amount_minor not in {None, row.paid_minor}:
            await self.mark_amount_mismatch(transaction, row, report.amount_minor, report.receipt)
            return
        await self._update(transaction, row, receipt=row.receipt or report.receipt or None)

    async def mark_amount_mismatch(
        self,
        transaction: Transaction,
        row: Row[Any],
        amount: int | None,
        receipt: str,
        reason: str = AMOUNT_DIFFERS,
    ) -> None:
        """Mark a payment whose amount is not the one requested; a person decides about it."""
        log.error("payment_amount_mismatch", payment=row.id, action_required=True)
        status = "duplicate_payment" if await self._has_other_payment(transaction, row) else "amount_mismatch"
        facts = {"paid_minor": amount, "receipt": receipt or row.receipt}
        await self._end(transaction, row, status=status, reason=reason, **facts)

    async def _has_other_payment(self, transaction: Transaction, row: Row[Any]) -> bool:
        return any(other.status in {*OPEN_STATUSES, "paid"} for other in await self._list_others(transaction, row))

    async def _follow_up(self, transaction: Transaction, row: Row[Any], status: str, paid_before: bool) -> None:
        """Do what follows from money: post the bill, notify the payer, refund duplicates."""
        await self._audit.record(transaction, _build_act(row, status))
        if status == "duplicate_payment":
            log.error("duplicate_payment", payment=row.id)
            if paid_before:
                await self._request_refund(transaction, row)
            return
        if row.bill:
            now = self._clock()
            owed = update(bills).where(bills.c.id == row.bill, bills.c.posting.is_(None))
            await transaction.execute(owed.values(posting="due", due_at=now, updated_at=now))
        settled = await self.lock_payment(transaction, row.id)
        await self._notifier.notify_paid(transaction, settled)
        for spare in await self._list_others(transaction, settled):
            if spare.status == "duplicate_payment":
                await self._request_refund(transaction, spare)

    async def _request_refund(self, transaction: Transaction, row: Row[Any]) -> None:
        now = self._clock()
        refund = {
            "payment": row.id,
            "amount_minor": row.paid_minor or row.amount_minor,
            "actor": "gateway",
            "explanation": PAID_TWICE,
            "category": "paid_twice",
            **new_refund_columns(row.wallet, now),
            "idempotency_key": f"{row.idempotency_key}/surplus",
            "created_at": now,
            "updated_at": now,
        }
        await transaction.execute(self._database.insert_or_ignore(payment_refunds), refund)

    async def store_report(
        self,
        transaction: Transaction,
        key: str,
        row: Row[Any] | None,
        report: PaymentReport,
        source: str,
        **money: str,
    ) -> bool:
        """Store a report; return whether it is new. `money`: the wallet and the currency, of money by reference."""
        content = json.dumps(
            [key, report.outcome, report.reason, report.request_id, report.receipt, report.amount_minor]
        )
        digests = self._cipher.keyed_hashes("payment report", content)
        known = select(payment_reports.c.id).where(payment_reports.c.digest.in_(digests[1:]))
        if (await transaction.execute(known)).first() is not None:  # it came before the key was changed
            return False
        stored = {
            "payment": None if row is None else row.id,
            "source": source,
            "outcome": report.outcome,
            "reason": report.reason[:MAX_REASON_LENGTH] or None,
            "request": report.request_id or None,
            "receipt": report.receipt or None,
            "amount_minor": report.amount_minor,
            "digest": digests[0],
            "received_at": self._clock(),
            **money,
        }
        inserted = self._database.insert_or_ignore(payment_reports).returning(payment_reports.c.id)
        report_id = (await transaction.execute(inserted, stored)).scalar_one_or_none()
        if report_id is not None and row is None:
            await self._remove_oldest_unmatched(transaction)
        return report_id is not None

    async def _remove_oldest_unmatched(self, transaction: Transaction) -> None:
        """Keep the newest reports of payments that are not ours: after a restored backup, some are of real money.

        All payments by reference are kept: each is real money, for which a person finds out what it is for.
        """
        unmatched = and_(payment_reports.c.payment.is_(None), payment_reports.c.wallet.is_(None))
        newest = select(payment_reports.c.id).where(unmatched).order_by(payment_reports.c.id.desc())
        oldest_kept = newest.offset(MAX_UNMATCHED - 1).limit(1).scalar_subquery()
        await transaction.execute(delete(payment_reports).where(unmatched, payment_reports.c.id < oldest_kept))

    async def _lock_reference(self, transaction: Transaction, reference: Any) -> list[Row[Any]]:
        """Lock and return all payments of a reference, oldest first, so that two transactions cannot deadlock."""
        locked = select(payments).where(payments.c.reference == reference.scalar_subquery())
        return list(await transaction.execute(locked.order_by(payments.c.id).with_for_update()))

    async def _list_others(self, transaction: Transaction, row: Row[Any]) -> list[Row[Any]]:
        same = select(payments).where(payments.c.reference == row.reference, payments.c.id != row.id)
        return list(await transaction.execute(same.order_by(payments.c.id)))

    async def _end(self, transaction: Transaction, row: Row[Any], **columns: Any) -> None:
        await self._update(transaction, row, due_at=None, ended_at=self._clock(), **columns)

    async def _update(self, transaction: Transaction, row: Row[Any], **columns: Any) -> None:
        changed = update(payments).where(payments.c.id == row.id)
        await transaction.execute(changed.values(**columns, updated_at=self._clock()))


def _is_same_money(other: Row[Any], row: Row[Any], receipt: str) -> bool:
    """Return whether another payment has this receipt of the same wallet."""
    return bool(other.wallet == row.wallet and other.receipt == receipt)


def _is_twin(other: Row[Any], row: Row[Any], receipt: str, amount: int | None) -> bool:
    """Return whether a payment by reference that waits is the money of `row`: M-Pesa reports a payment by STK push by both ways.

    A status query has no receipt; then the amount must do, and the payer and the time, as far as they are told.
    """
    if other.channel != BY_REFERENCE or row.channel == BY_REFERENCE or other.status != "duplicate_payment":
        return False
    if receipt:
        return _is_same_money(other, row, receipt)
    paid = row.amount_minor if amount is None else amount
    return bool(other.wallet == row.wallet and other.paid_minor == paid and other.reason != OTHER_PAYER)


def _build_act(row: Row[Any], status: str) -> AuditEntry:
    return AuditEntry(
        "gateway", "payments", status, "payment", str(row.id), row.channel, f"{row.idempotency_key}/{status}"
    )
