"""The books: what was asked for since when and what came of it, and what only a person can bring to an end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, and_, func, or_, select

from services.given import Clock, utc_now
from services.payments.reports import TWICE
from services.records.database import Records
from services.records.tables import bills, payment_refunds, payment_reports, payments

LATE: Final = timedelta(hours=1)  # after which what became of a request should be known
MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Sum:
    """How many payments of a purpose ended like this, and how much money that is in hundredths; paid, where it was paid."""

    purpose: str
    status: str
    currency: str
    count: int
    asked_minor: int
    paid_minor: int


@dataclass(frozen=True, slots=True)
class Attention:
    """Something for a person: which kind, its id, and why. The reference is a tracking number, or a bill's keyed hash."""

    kind: str
    id: int
    reference: str
    amount_minor: int
    currency: str
    why: str
    since: datetime


class Ledger:
    """Reads the books."""

    def __init__(self, records: Records, *, clock: Clock = utc_now) -> None:
        self._records = records
        self._clock = clock

    async def sums(self, since: datetime) -> Sequence[Sum]:
        """All payments asked for since then, by what became of them."""
        by = (payments.c.purpose, payments.c.status, payments.c.currency)
        counted = select(
            *by,
            func.count(),
            func.coalesce(func.sum(payments.c.amount_minor), 0),
            func.coalesce(func.sum(payments.c.paid_minor), 0),
        )
        rows: Any = await self._records.read(counted.where(payments.c.created_at >= since).group_by(*by).order_by(*by))
        return [Sum(*row) for row in rows]

    async def attention(self) -> Sequence[Attention]:
        """Whatever waits for a person, the oldest first."""
        found = [*await self._payments(), *await self._refunds(), *await self._bills(), *await self._nobodys()]
        return sorted(found, key=lambda one: one.since)

    async def _payments(self) -> Sequence[Attention]:
        before = self._clock() - LATE
        late = and_(payments.c.status.in_(("sending", "pending", "unknown")), payments.c.created_at <= before)
        odd = or_(payments.c.status.in_(("differs", "surplus")), payments.c.reason == TWICE)
        rows = await self._records.read(select(payments).where(or_(late, odd)).order_by(payments.c.id).limit(MOST))
        return [_payment(row) for row in rows]

    async def _refunds(self) -> Sequence[Attention]:
        left = payment_refunds.c.status.in_(("by_hand", "unknown", "failed"))
        both = select(payment_refunds, payments.c.reference, payments.c.currency).join(payments)
        rows = await self._records.read(both.where(left).order_by(payment_refunds.c.id).limit(MOST))
        return [
            Attention("refund", row.id, row.reference, row.amount_minor, row.currency, row.status, row.created_at)
            for row in rows
        ]

    async def _bills(self) -> Sequence[Attention]:
        waits = and_(bills.c.posting.in_(("due", "posting")), bills.c.tries > 1)
        rows = await self._records.read(select(bills).where(waits).order_by(bills.c.id).limit(MOST))
        return [
            Attention("bill", row.id, row.biller, row.amount_minor, row.currency, "not_posted", row.updated_at)
            for row in rows
        ]

    async def _nobodys(self) -> Sequence[Attention]:
        """Money of which no payment of ours knows."""
        strange = and_(payment_reports.c.payment.is_(None), payment_reports.c.outcome == "paid")
        rows = await self._records.read(select(payment_reports).where(strange).limit(MOST))
        return [
            Attention("report", row.id, row.receipt or "", row.amount_minor or 0, "", "no_such_payment", row.heard_at)
            for row in rows
        ]


def _payment(row: Row[Any]) -> Attention:
    why = row.status if row.reason is None else f"{row.status} {row.reason}"
    amount = row.amount_minor if row.paid_minor is None else row.paid_minor
    return Attention("payment", row.id, row.reference, amount, row.currency, why, row.updated_at)
