"""The ledger: totals of payments, and the issues that only a person can resolve."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, and_, func, or_, select

from core.types import UtcClock, utc_now
from db.database import Database
from db.tables import bills, payment_refunds, payment_reports, payments
from services.payments.reconciliation import PAID_TWICE

OVERDUE_AFTER: Final = timedelta(hours=1)  # by then the outcome of a payment should be known
MAX_ROWS: Final = 200


@dataclass(frozen=True, slots=True)
class LedgerTotal:
    """The payments of one purpose, status and currency: their number and sums in hundredths."""

    purpose: str
    status: str
    currency: str
    count: int
    requested_minor: int
    paid_minor: int


@dataclass(frozen=True, slots=True)
class LedgerIssue:
    """An issue for a person: its kind, id and reason. The reference is a tracking number, or the keyed hash of a bill."""

    kind: str
    id: int
    reference: str
    amount_minor: int
    currency: str
    reason: str
    since: datetime


class Ledger:
    """Reads payments, refunds and bills."""

    def __init__(self, database: Database, *, clock: UtcClock = utc_now) -> None:
        self._database = database
        self._clock = clock

    async def totals(self, since: datetime) -> Sequence[LedgerTotal]:
        """Return the totals of payments requested since then, by status."""
        by = (payments.c.purpose, payments.c.status, payments.c.currency)
        counted = select(
            *by,
            func.count(),
            func.coalesce(func.sum(payments.c.amount_minor), 0),
            func.coalesce(func.sum(payments.c.paid_minor), 0),
        )
        rows: Any = await self._database.fetch(
            counted.where(payments.c.created_at >= since).group_by(*by).order_by(*by)
        )
        return [LedgerTotal(*row) for row in rows]

    async def issues(self) -> Sequence[LedgerIssue]:
        """Return all issues that wait for a person, oldest first."""
        found = [
            *await self._payment_issues(),
            *await self._refund_issues(),
            *await self._bill_issues(),
            *await self._unmatched_reports(),
        ]
        return sorted(found, key=lambda one: one.since)

    async def _payment_issues(self) -> Sequence[LedgerIssue]:
        before = self._clock() - OVERDUE_AFTER
        late = and_(payments.c.status.in_(("sending", "pending", "unknown")), payments.c.created_at <= before)
        odd = or_(payments.c.status.in_(("amount_mismatch", "duplicate_payment")), payments.c.reason == PAID_TWICE)
        rows = await self._database.fetch(
            select(payments).where(or_(late, odd)).order_by(payments.c.id).limit(MAX_ROWS)
        )
        return [_issue_from_payment(row) for row in rows]

    async def _refund_issues(self) -> Sequence[LedgerIssue]:
        unresolved = payment_refunds.c.status.in_(("by_hand", "unknown", "failed"))
        both = select(payment_refunds, payments.c.reference, payments.c.currency).join(payments)
        rows = await self._database.fetch(both.where(unresolved).order_by(payment_refunds.c.id).limit(MAX_ROWS))
        return [
            LedgerIssue("refund", row.id, row.reference, row.amount_minor, row.currency, row.status, row.created_at)
            for row in rows
        ]

    async def _bill_issues(self) -> Sequence[LedgerIssue]:
        waits = and_(bills.c.posting.in_(("due", "posting")), bills.c.attempts > 1)
        rows = await self._database.fetch(select(bills).where(waits).order_by(bills.c.id).limit(MAX_ROWS))
        return [
            LedgerIssue("bill", row.id, row.biller, row.amount_minor, row.currency, "not_posted", row.updated_at)
            for row in rows
        ]

    async def _unmatched_reports(self) -> Sequence[LedgerIssue]:
        """Return reports of money that belong to no payment of ours, the newest of them."""
        strange = and_(payment_reports.c.payment.is_(None), payment_reports.c.outcome == "paid")
        rows = await self._database.fetch(
            select(payment_reports).where(strange).order_by(payment_reports.c.id.desc()).limit(MAX_ROWS)
        )
        return [
            LedgerIssue(
                "report", row.id, row.receipt or "", row.amount_minor or 0, "", "no_such_payment", row.received_at
            )
            for row in rows
        ]


def _issue_from_payment(row: Row[Any]) -> LedgerIssue:
    why = row.status if row.reason is None else f"{row.status} {row.reason}"
    amount = row.amount_minor if row.paid_minor is None else row.paid_minor
    return LedgerIssue("payment", row.id, row.reference, amount, row.currency, why, row.updated_at)
