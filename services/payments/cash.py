"""Fees paid in cash: at the department's counter, or at a village centre to an operator.

Whoever takes the money records it. It counts everywhere as paid; a person gives it back (`payments refund` and `returned`),
also where it was recorded by mistake.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Row, select

from core.types import UtcClock, utc_now
from db.database import Database, Transaction
from db.tables import operators, payments
from services.audit.audit import AuditLog, build_audit_entry, citizen_actor
from services.audit.models import Actor
from services.payments.fees import STATUSES_WITHOUT_FEE, TakesCash
from services.payments.models import CASH, CashOutcome
from services.payments.received_money import MoneyRecorder, PaymentTarget, ReceivedMoney, retry_on_conflict
from services.payments.reconciliation import PaymentReconciler

CASH_ACT: Final = "cash_recorded"
"""The act of the audit log; its subject is the application."""


@dataclass(frozen=True, slots=True)
class CashPayment:
    """A fee in cash. `amount_minor` is None for the whole fee. `department`, where it is given, must be the application's.

    `receipt` is the number on the paper receipt; without one there is a new number. `operator` is the id of the
    operator who took it, 0 for others.
    """

    tracking_number: str
    amount_minor: int | None = None
    currency: str = ""
    receipt: str = ""
    department: str = ""
    operator: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CashRecorded:
    """A fee that is recorded. `state` is `pending` while a wallet is asked for the same fee: if that pays, the cash goes back."""

    payment: int
    tracking_number: str
    amount_minor: int
    currency: str
    receipt: str
    state: Literal["paid", "pending"]
    at: datetime
    is_repeat: bool = False


@dataclass(frozen=True, slots=True)
class CashRejected:
    """A fee that is not recorded. `wrong_amount`: the fee is another one, which is given. `conflict`: the key was used before."""

    reason: Literal["unknown", "no_fee", "paid", "wrong_amount", "conflict", "not_taken"]
    amount_minor: int = 0
    currency: str = ""


class CashPayments:
    """Records fees in cash."""

    def __init__(
        self,
        database: Database,
        reconciler: PaymentReconciler,
        takes_cash: TakesCash = lambda _: True,
        *,
        clock: UtcClock = utc_now,
    ) -> None:
        self._database = database
        self._takes_cash = takes_cash
        self._audit = AuditLog(database, clock=clock)
        self._recorder = MoneyRecorder(database, reconciler, clock)

    async def record(self, cash: CashPayment, actor: Actor, idempotency_key: str) -> CashRecorded | CashRejected:
        """Record a fee in cash for `actor`, and send the receipt by SMS; the same key records it once."""
        return await retry_on_conflict(lambda: self._record(cash, actor, idempotency_key))

    async def record_by_operator(
        self, tracking_number: str, account: int, operator: int, idempotency_key: str
    ) -> CashOutcome:
        """Record the whole fee, which an operator took in cash from the citizen with this account."""
        cash = CashPayment(tracking_number, operator=operator)
        result = await self.record(cash, citizen_actor(account, idempotency_key), idempotency_key)
        if isinstance(result, CashRecorded):
            return "recorded" if result.state == "paid" else "asked_too"
        return "paid" if result.reason == "paid" else "none"

    async def _record(self, cash: CashPayment, actor: Actor, idempotency_key: str) -> CashRecorded | CashRejected:
        async with self._database.transaction() as transaction:
            target = await self._recorder.find_target(transaction, cash.tracking_number)
            if target is None or target.purpose != "fee" or cash.department not in {"", target.department}:
                return CashRejected("unknown")
            earlier = await self._find_by_key(transaction, idempotency_key)
            if earlier is not None:
                return _repeat_of_cash(earlier, cash)
            others = await self._recorder.lock_reference(transaction, target.reference)
            if rejected := self._find_rejection(cash, target, {other.status for other in others}):
                return rejected
            receipt = cash.receipt or f"C{secrets.token_hex(4).upper()}"
            money = ReceivedMoney(CASH, actor.channel, target.amount_minor, receipt, target.msisdn, idempotency_key)
            row = await self._recorder.record(transaction, target, money)
            if row is None:  # a concurrent request used the key
                earlier = await self._find_by_key(transaction, idempotency_key)
                return _repeat_of_cash(earlier, cash) if earlier is not None else CashRejected("conflict")
            await self._record_audit(transaction, row, cash, actor)
            return _recorded_from_row(row)

    def _find_rejection(self, cash: CashPayment, target: PaymentTarget, statuses: set[str]) -> CashRejected | None:
        if cash.operator and not self._takes_cash(target.subject):
            return CashRejected("not_taken")
        if "paid" in statuses:
            return CashRejected("paid")
        if not target.amount_minor or target.status in STATUSES_WITHOUT_FEE:
            return CashRejected("no_fee")
        if cash.amount_minor not in {None, target.amount_minor} or cash.currency not in {"", target.currency}:
            return CashRejected("wrong_amount", target.amount_minor, target.currency)
        return None

    async def _find_by_key(self, transaction: Transaction, idempotency_key: str) -> Row[Any] | None:
        known = select(payments).where(payments.c.idempotency_key == idempotency_key)
        return (await transaction.execute(known)).one_or_none()

    async def _record_audit(self, transaction: Transaction, row: Row[Any], cash: CashPayment, actor: Actor) -> None:
        details = {"payment": str(row.id), "amount": str(row.amount_minor), "currency": row.currency}
        details |= {"receipt": row.receipt} if row.receipt else {}
        details |= {"reason": cash.reason} if cash.reason else {}
        if cash.operator:
            centre = select(operators.c.centre).where(operators.c.id == cash.operator)
            details["centre"] = (await transaction.execute(centre)).scalar_one()
        entry = build_audit_entry(actor, CASH_ACT, "application", row.reference, row.idempotency_key, **details)
        await self._audit.record(transaction, entry)


def _repeat_of_cash(row: Row[Any], cash: CashPayment) -> CashRecorded | CashRejected:
    """Return the first answer again, unless the key comes with something else."""
    is_same = (
        row.wallet == CASH
        and row.reference == cash.tracking_number
        and cash.amount_minor in {None, row.amount_minor}
        and cash.currency in {"", row.currency}
        and cash.receipt in {"", row.receipt}
    )
    return _recorded_from_row(row, is_repeat=True) if is_same else CashRejected("conflict")


def _recorded_from_row(row: Row[Any], *, is_repeat: bool = False) -> CashRecorded:
    return CashRecorded(
        payment=row.id,
        tracking_number=row.reference,
        amount_minor=row.amount_minor,
        currency=row.currency,
        receipt=row.receipt or "",
        state="pending" if row.status == "duplicate_payment" else "paid",
        at=row.created_at,
        is_repeat=is_repeat,
    )
