"""The ledger: totals of payments, and the issues that only a person can resolve."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import ColumnElement, Row, TextClause, and_, func, select, union

from core.types import UtcClock, utc_now
from db.database import Database
from db.tables import CHARGED_TWICE, NEEDS_PERSON, UNMATCHED_MONEY, bills, payment_refunds, payment_reports, payments

OVERDUE_AFTER: Final = timedelta(hours=1)  # by then the outcome of a payment should be known
MAX_ROWS: Final = 200
MAX_DAYS: Final = 366  # of a report by day, which asks one query a day

Split: TypeAlias = Literal["", "department", "biller", "service", "day"]
"""What the totals of a report are split by; a report by biller has bills alone, and one by service fees alone."""


@dataclass(frozen=True, slots=True)
class LedgerTotal:
    """The payments of one purpose, status and currency: their number and sums in hundredths.

    `group` is what the report is split by, such as a department. Refunds are those that the payer has back, whenever they
    were made.
    """

    group: str
    purpose: str
    status: str
    currency: str
    count: int
    requested_minor: int
    paid_minor: int
    refunded_minor: int

    @property
    def net_minor(self) -> int:
        """What was paid and not given back."""
        return self.paid_minor - self.refunded_minor


@dataclass(frozen=True, slots=True)
class LedgerPeriod:
    """The payments requested from `since` on and before `until`. Its days are those of `zone`."""

    since: datetime
    until: datetime
    zone: tzinfo

    @property
    def days(self) -> Sequence["LedgerPeriod"]:
        """The period of each day."""
        first, last = self.since.astimezone(self.zone).date(), self.until.astimezone(self.zone)
        count = (last.date() - first).days + (last.time() != time())
        return [self._day(first + timedelta(days=number)) for number in range(count)]

    def _day(self, day: date) -> "LedgerPeriod":
        begin, end = (datetime.combine(day + timedelta(days=more), time(), self.zone) for more in (0, 1))
        return LedgerPeriod(max(begin, self.since), min(end, self.until), self.zone)


@dataclass(frozen=True, slots=True)
class LedgerIssue:
    """An issue for a person: its kind, id and reason. The reference is a tracking number, or the keyed hash of a bill.

    `payment` is the payment that it is about; 0 where there is none.
    """

    kind: str
    id: int
    reference: str
    amount_minor: int
    currency: str
    reason: str
    since: datetime
    payment: int = 0


class Ledger:
    """Reads payments, refunds and bills."""

    def __init__(self, database: Database, *, clock: UtcClock = utc_now) -> None:
        self._database = database
        self._clock = clock

    async def fetch_totals(self, period: LedgerPeriod, split: Split = "") -> Sequence[LedgerTotal]:
        """Return the totals of payments requested in the period, by status; at most `MAX_DAYS` days where split by day."""
        if split != "day":
            return await self._fetch_totals(period, split)
        days = [(f"{day.since.astimezone(day.zone):%Y-%m-%d}", day) for day in period.days[:MAX_DAYS]]
        return [one for name, day in days for one in await self._fetch_totals(day, "", name)]

    async def _fetch_totals(self, period: LedgerPeriod, split: Split, name: str = "") -> Sequence[LedgerTotal]:
        group = [payments.c[_SPLIT_COLUMNS[split]]] if split in _SPLIT_COLUMNS else []
        by = [*group, payments.c.purpose, payments.c.status, payments.c.currency]
        of_period = [payments.c.created_at >= period.since, payments.c.created_at < period.until]
        if split in _SPLIT_PURPOSES:
            of_period.append(payments.c.purpose == _SPLIT_PURPOSES[split])
        refunds = select(*by, func.sum(payment_refunds.c.amount_minor)).join(
            payment_refunds, payment_refunds.c.payment == payments.c.id
        )
        refunded = await self._fetch_groups(refunds.where(payment_refunds.c.status == "returned", *of_period), by)
        sums = select(*by, func.count(), func.sum(payments.c.amount_minor), func.sum(payments.c.paid_minor))
        found = await self._fetch_groups(sums.where(*of_period), by)
        rows = [(key if group else (name, *key), values, refunded.get(key, (0,))) for key, values in found.items()]
        return [_build_total(key, (*values, *back)) for key, values, back in sorted(rows)]

    async def _fetch_groups(self, statement: Any, by: Sequence[Any]) -> Mapping[tuple[str, ...], tuple[int, ...]]:
        """Return the sums of each group, by the values of its columns."""
        rows = await self._database.fetch(statement.group_by(*by))
        return {
            tuple(key or "" for key in row[: len(by)]): tuple(int(value or 0) for value in row[len(by) :])
            for row in rows
        }

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
        waiting = [
            *((status, payments.c.created_at <= before) for status in ("sending", "pending", "unknown")),
            ("amount_mismatch", None),
            ("duplicate_payment", None),
        ]
        ids = union(*(_oldest(payments.c.status == status, late) for status, late in waiting), _oldest(CHARGED_TWICE))
        oldest = ids.subquery()
        first = select(oldest.c.id).order_by(oldest.c.id).limit(MAX_ROWS)
        rows = await self._database.fetch(select(payments).where(payments.c.id.in_(first)).order_by(payments.c.id))
        return [_issue_from_payment(row) for row in rows]

    async def _refund_issues(self) -> Sequence[LedgerIssue]:
        oldest = select(payment_refunds).where(NEEDS_PERSON).order_by(payment_refunds.c.id).limit(MAX_ROWS).subquery()
        both = select(oldest, payments.c.reference, payments.c.currency).join(
            payments, payments.c.id == oldest.c.payment
        )
        rows = await self._database.fetch(both.order_by(oldest.c.id))
        return [
            LedgerIssue(
                "refund",
                row.id,
                row.reference,
                row.amount_minor,
                row.currency,
                row.status,
                row.created_at,
                row.payment,
            )
            for row in rows
        ]

    async def _bill_issues(self) -> Sequence[LedgerIssue]:
        waits = and_(bills.c.posting.in_(("due", "posting")), bills.c.attempts > 1)
        newest = select(func.max(payments.c.id)).where(payments.c.bill == bills.c.id).correlate(bills)
        waiting = select(bills, newest.scalar_subquery().label("payment")).where(waits)
        rows = await self._database.fetch(waiting.order_by(bills.c.id).limit(MAX_ROWS))
        return [
            LedgerIssue(
                "bill",
                row.id,
                row.biller,
                row.amount_minor,
                row.currency,
                "not_posted",
                row.updated_at,
                row.payment or 0,
            )
            for row in rows
        ]

    async def _unmatched_reports(self) -> Sequence[LedgerIssue]:
        """Return reports of money that belong to no payment of ours, the newest of them."""
        rows = await self._database.fetch(
            select(payment_reports).where(UNMATCHED_MONEY).order_by(payment_reports.c.id.desc()).limit(MAX_ROWS)
        )
        return [
            LedgerIssue(
                "report",
                row.id,
                row.receipt or "",
                row.amount_minor or 0,
                row.currency or "",
                "no_such_payment",
                row.received_at,
            )
            for row in rows
        ]


_SPLIT_COLUMNS: Final[Mapping[str, str]] = {"department": "department", "biller": "subject", "service": "subject"}
_SPLIT_PURPOSES: Final[Mapping[str, str]] = {"biller": "bill", "service": "fee"}


def _build_total(key: tuple[str, ...], values: tuple[int, ...]) -> LedgerTotal:
    group, purpose, status, currency = key
    count, requested, paid, refunded = values
    return LedgerTotal(group, purpose, status, currency, count, requested, paid, refunded)


def _oldest(*conditions: ColumnElement[bool] | TextClause | None) -> Any:
    """Select the ids of the oldest payments that meet the conditions: one index range."""
    given = [one for one in conditions if one is not None]
    return select(payments.c.id).where(*given).order_by(payments.c.created_at).limit(MAX_ROWS).subquery().select()


def _issue_from_payment(row: Row[Any]) -> LedgerIssue:
    why = row.status if row.reason is None else f"{row.status} {row.reason}"
    amount = row.amount_minor if row.paid_minor is None else row.paid_minor
    return LedgerIssue("payment", row.id, row.reference, amount, row.currency, why, row.updated_at, row.id)
