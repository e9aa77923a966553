"""What our books know of the lines of a statement: payments by receipt or account, refunds, and reports."""

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, Select, literal, or_, select, tuple_

from db.database import Database
from db.tables import HAS_MONEY, RETURNED, payment_refunds, payment_reports, payments
from services.payments.payment_history import BILL_ACCOUNT
from services.payments.statement_file import StatementLine

PAGE_SIZE: Final = 1000
_PAYMENT_COLUMNS: Final = tuple(
    payments.c[name]
    for name in ("id", "status", "receipt", "reference", "amount_minor", "paid_minor", "currency", "ended_at", "wallet")
)
Rows = Mapping[Any, Sequence[Row[Any]]]


@dataclass(frozen=True, slots=True)
class BookEntries:
    """The rows that may belong to a batch of lines. Payments are newest first, refunds by id of their payment."""

    by_receipt: Rows = field(default_factory=dict)
    by_account: Rows = field(default_factory=dict)
    reports: Rows = field(default_factory=dict)
    refunds_by_receipt: Rows = field(default_factory=dict)
    refunds: Rows = field(default_factory=dict)


class StatementBooks:
    """Reads our books beside a statement. `wallets` are those whose money the statement shows."""

    def __init__(self, database: Database, wallets: Sequence[str]) -> None:
        self._database = database
        self._wallets = wallets

    async def fetch_entries(self, lines: Sequence[StatementLine]) -> BookEntries:
        """Return what the books know of these lines: one query for each way to find it."""
        receipts = {line.receipt for line in lines} | {line.linked for line in lines if line.linked}
        accounts = {line.account for line in lines if line.account}
        by_receipt = _group(await self._fetch(_select_payments(payments.c.receipt.in_(receipts))), "receipt")
        by_account = await self._fetch_by_account(accounts)
        reports = _group(
            await self._fetch(select(payment_reports).where(payment_reports.c.receipt.in_(receipts))), "receipt"
        )
        known = {row.id for rows in (*by_receipt.values(), *by_account.values()) for row in rows}
        found = or_(payment_refunds.c.receipt.in_(receipts), payment_refunds.c.payment.in_(known))
        refunds = await self._fetch(select(payment_refunds).where(found).order_by(payment_refunds.c.id))
        return BookEntries(by_receipt, by_account, reports, _group(refunds, "receipt"), _group(refunds, "payment"))

    async def read_payments(self, since: datetime, until: datetime) -> AsyncIterator[Row[Any]]:
        """Yield the payments whose money came in the period, page by page."""
        for wallet in self._wallets:
            own = select(*_PAYMENT_COLUMNS).where(HAS_MONEY, payments.c.wallet == wallet)
            async for row in self._read(own, payments.c.ended_at, payments.c.id, (since, until)):
                yield row

    async def read_refunds(self, since: datetime, until: datetime) -> AsyncIterator[Row[Any]]:
        """Yield the refunds that were made in the period, page by page, with the currency of their payments."""
        returned = select(payment_refunds).where(RETURNED).subquery()
        own = select(returned, payments.c.currency, payments.c.wallet).join(
            payments, returned.c.payment == payments.c.id
        )
        async for row in self._read(own, returned.c.updated_at, returned.c.id, (since, until)):
            if row.wallet in self._wallets:
                yield row

    async def _read(
        self, statement: Select[Any], at: Any, row_id: Any, period: tuple[datetime, datetime]
    ) -> AsyncIterator[Row[Any]]:
        position: tuple[datetime, int] = (period[0], 0)
        while True:
            after = tuple_(at, row_id) > tuple_(literal(position[0], at.type), literal(position[1], row_id.type))
            page = await self._fetch(statement.where(after, at < period[1]).order_by(at, row_id).limit(PAGE_SIZE))
            for row in page:
                yield row
            if len(page) < PAGE_SIZE:
                return
            position = (getattr(page[-1], at.name), page[-1].id)

    async def _fetch_by_account(self, accounts: Collection[str]) -> Rows:
        """Return payments by the account reference of the wallet: a tracking number, or `BILL` and an id."""
        ids = {int(found[1]): account for account in accounts if (found := BILL_ACCOUNT.fullmatch(account))}
        by_id = await self._fetch(_select_payments(payments.c.id.in_(ids))) if ids else []
        of_bills = {ids[row.id]: [row] for row in by_id}
        return {
            **_group(await self._fetch(_select_payments(payments.c.reference.in_(accounts))), "reference"),
            **of_bills,
        }

    async def _fetch(self, statement: Any) -> Sequence[Row[Any]]:
        return (await self._database.fetch(statement)).all()


def _select_payments(*conditions: Any) -> Select[Any]:
    return select(*_PAYMENT_COLUMNS).where(*conditions).order_by(payments.c.id.desc())


def _group(rows: Sequence[Row[Any]], name: str) -> Rows:
    groups: dict[Any, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        groups[getattr(row, name)].append(row)
    return groups
