"""Money that came and belongs to no payment: a person assigns it to what it is for, or gives it back in the wallet's portal."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import ColumnElement, Row, select, update

from core.types import UtcClock, utc_now
from db.database import Database, Transaction
from db.tables import payment_reports, payments
from services.audit.audit import AuditLog, build_staff_entry
from services.audit.staff_acts import StaffAct
from services.payments.notifications import PaymentNotifier
from services.payments.received_money import MoneyRecorder, PaymentTarget, retry_on_conflict
from services.payments.reconciliation import PaymentReconciler
from services.payments.reference_payments import ReferenceRecorder, normalize_account
from services.payments.wallets.base import ReferenceNotice

_find_id: Final = re.compile(r"#?(\d{1,18})", re.ASCII).fullmatch

UnmatchedReason: TypeAlias = Literal[
    "unknown", "several", "no_receipt", "assigned", "given_back", "unknown_account", "wrong_currency"
]


@dataclass(frozen=True, slots=True)
class UnmatchedRejected:
    """Nothing is done. `assigned`: the money is `payment`. `given_back`: with another receipt, or it cannot be assigned."""

    reason: UnmatchedReason
    payment: int = 0


@dataclass(frozen=True, slots=True)
class AssignedMoney:
    """Money that is a payment now; `status` is the payment's. The amount is in hundredths."""

    report: int
    payment: int
    status: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class MoneyReport:
    """A report of money: what the wallet told. `payment` is 0 while it belongs to none; the amount is in hundredths, 0 if not told."""

    id: int
    source: str
    wallet: str
    receipt: str
    amount_minor: int
    currency: str
    payment: int
    received_at: datetime
    given_back_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReturnedMoney:
    """Money that a person gave back in the wallet's portal."""

    report: int
    amount_minor: int
    currency: str


class UnmatchedMoney:
    """The reports of money without a payment. `wallet` is that of the callbacks, which do not say whose they are."""

    def __init__(
        self,
        database: Database,
        reconciler: PaymentReconciler,
        notifier: PaymentNotifier,
        *,
        wallet: str,
        clock: UtcClock = utc_now,
    ) -> None:
        self._database = database
        self._wallet = wallet
        self._clock = clock
        self._audit = AuditLog(database, clock=clock)
        self._recorder = MoneyRecorder(database, reconciler, clock)
        self._references = ReferenceRecorder(self._recorder, notifier)

    async def find(self, report: int) -> MoneyReport | None:
        """The report with this id, if it is of money."""
        of_money = select(payment_reports).where(payment_reports.c.id == report, payment_reports.c.outcome == "paid")
        row = (await self._database.fetch(of_money)).one_or_none()
        if row is None:
            return None
        return MoneyReport(
            id=row.id,
            source=row.source,
            wallet=row.wallet or self._wallet,
            receipt=row.receipt or "",
            amount_minor=row.amount_minor or 0,
            currency=row.currency or "",
            payment=row.payment or 0,
            received_at=row.received_at,
            given_back_at=row.given_back_at,
        )

    async def assign(self, what: str, account: str, act: StaffAct) -> AssignedMoney | UnmatchedRejected:
        """Make the money of a report a payment of an account number: a tracking number, or `BILL…`.

        `what` is the report's id or receipt; `#7` is always the id. It is settled as any money by reference: one payment of
        a reference counts. Where it is done already, the answer is the same, and nothing more is recorded.
        """
        return await retry_on_conflict(lambda: self._assign(what, account, act))

    async def give_back(self, what: str, receipt: str, act: StaffAct) -> ReturnedMoney | UnmatchedRejected:
        """Record that a person gave the money of a report back in the wallet's portal, with the receipt of that."""
        async with self._database.transaction() as transaction:
            report = await _lock_report(transaction, what)
            if isinstance(report, UnmatchedRejected):
                return report
            if report.payment is not None:
                return UnmatchedRejected("assigned", report.payment)
            if report.given_back_at is not None and report.refund_receipt != receipt:
                return UnmatchedRejected("given_back")
            if report.given_back_at is None:
                await _update(transaction, report.id, given_back_at=self._clock(), refund_receipt=receipt)
                details = {**_describe_money(report), "refund_receipt": receipt}
                entry = build_staff_entry(act, "given_back", "report", str(report.id), **details)
                await self._audit.record(transaction, entry)
        return ReturnedMoney(report.id, report.amount_minor or 0, report.currency or "")

    async def _assign(self, what: str, account: str, act: StaffAct) -> AssignedMoney | UnmatchedRejected:
        async with self._database.transaction() as transaction:
            report = await _lock_report(transaction, what)
            if isinstance(report, UnmatchedRejected):
                return report
            target = await self._recorder.find_target(transaction, normalize_account(account))
            rejected = _find_rejection(report, target)
            if rejected or target is None:
                return rejected or UnmatchedRejected("unknown_account")
            if report.payment is not None:
                return await _repeat(transaction, report, target.reference)
            notice = ReferenceNotice(report.receipt, account, report.amount_minor, target.currency, "")
            wallet = report.wallet or self._wallet
            payment = await self._references.record(transaction, target, wallet, notice)
            if payment.reference != target.reference:
                return UnmatchedRejected("assigned", payment.id)
            await _update(transaction, report.id, payment=payment.id)
            details = {"report": str(report.id), **_describe_money(report)}
            await self._audit.record(
                transaction, build_staff_entry(act, "assigned", "payment", str(payment.id), **details)
            )
            return await _tell_assigned(transaction, report, payment.id)


def _find_rejection(report: Row[Any], target: PaymentTarget | None) -> UnmatchedRejected | None:
    if report.given_back_at is not None:
        return UnmatchedRejected("given_back")
    if target is None:
        return UnmatchedRejected("unknown_account")
    if report.payment is None and not (report.receipt and report.amount_minor):
        return UnmatchedRejected("no_receipt")
    if report.currency not in {None, target.currency}:
        return UnmatchedRejected("wrong_currency")
    return None


async def _lock_report(transaction: Transaction, what: str) -> Row[Any] | UnmatchedRejected:
    """Lock and return the report of money with this receipt or id; one without a payment comes first."""
    bare = what.strip()
    rows = [] if bare.startswith("#") else await _lock(transaction, payment_reports.c.receipt.in_({bare, bare.upper()}))
    if not rows and (found := _find_id(bare)):
        rows = await _lock(transaction, payment_reports.c.id == int(found[1]))
    unmatched = [row for row in rows if row.payment is None]
    if len(unmatched) > 1:
        return UnmatchedRejected("several")
    return next(iter([*unmatched, *rows]), UnmatchedRejected("unknown"))


async def _lock(transaction: Transaction, condition: ColumnElement[bool]) -> Sequence[Row[Any]]:
    of_money = select(payment_reports).where(condition, payment_reports.c.outcome == "paid")
    return (await transaction.execute(of_money.order_by(payment_reports.c.id).with_for_update())).all()


async def _update(transaction: Transaction, report: int, **columns: object) -> None:
    await transaction.execute(update(payment_reports).where(payment_reports.c.id == report).values(**columns))


async def _repeat(transaction: Transaction, report: Row[Any], reference: str) -> AssignedMoney | UnmatchedRejected:
    assigned = await _tell_assigned(transaction, report, report.payment)
    of_reference = select(payments.c.id).where(payments.c.id == report.payment, payments.c.reference == reference)
    is_same = (await transaction.execute(of_reference)).first() is not None
    return assigned if is_same else UnmatchedRejected("assigned", report.payment)


async def _tell_assigned(transaction: Transaction, report: Row[Any], payment: int) -> AssignedMoney:
    row = (await transaction.execute(select(payments).where(payments.c.id == payment))).one()
    return AssignedMoney(report.id, payment, row.status, report.amount_minor or 0, row.currency)


def _describe_money(report: Row[Any]) -> dict[str, str]:
    facts = {"receipt": report.receipt, "amount": report.amount_minor, "currency": report.currency}
    return {name: str(value) for name, value in facts.items() if value}
