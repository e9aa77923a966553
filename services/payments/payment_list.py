"""Lists payments, newest first, by what finance knows of them. The payer is masked; each list reads one index."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Row, Select, false, func, literal, select, tuple_, union

from core.crypto import Cipher
from core.phone_numbers import is_detached
from db.database import Database
from db.tables import bills, payment_refunds, payment_reports, payments

VISIBLE_DIGITS: Final = 4
DEFAULT_LIMIT: Final = 50
_COPIED: Final = (
    "id",
    "purpose",
    "subject",
    "department",
    "currency",
    "amount_minor",
    "paid_minor",
    "status",
    "reason",
)
_ALSO_COPIED: Final = ("wallet", "channel", "receipt", "created_at", "requested_at", "ended_at", "updated_at")


@dataclass(frozen=True, slots=True)
class PaymentFilter:
    """A filter: everything that is given must hold. Payments were requested from `since` on, and before `until`.

    `payer` is an MSISDN, `consumer` the number on a bill, `receipt` one of the wallet or of a biller.
    """

    reference: str = ""
    receipt: str = ""
    consumer: str = ""
    payer: str = ""
    department: str = ""
    biller: str = ""
    service: str = ""
    status: str = ""
    wallet: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ListedPayment:
    """A payment as staff see it; amounts in hundredths. `payer` and `consumer` are `XX` and the last digits, or empty.

    `reference` is a tracking number, empty for a bill. `refunded_minor` is what the payer has back, `pending_minor` what
    is requested and not yet back.
    """

    id: int
    purpose: str
    subject: str
    department: str
    reference: str
    consumer: str
    payer: str
    currency: str
    amount_minor: int
    paid_minor: int
    refunded_minor: int
    pending_minor: int
    status: str
    reason: str
    wallet: str
    channel: str
    receipt: str
    biller_receipt: str
    created_at: datetime
    requested_at: datetime | None
    ended_at: datetime | None
    updated_at: datetime

    @property
    def remaining_minor(self) -> int:
        """What can still be refunded."""
        return self.paid_minor - self.refunded_minor - self.pending_minor


@dataclass(frozen=True, slots=True)
class PaymentPage:
    """A page of payments, newest first; `before` is the id after which the next page begins, or None at the end."""

    payments: Sequence[ListedPayment]
    before: int | None


class _Consumer(msgspec.Struct):
    """What a list reads of the encrypted content of a bill."""

    consumer: str


class PaymentList:
    """Lists payments. `billers` are the codes whose bills `consumer` may be a number of."""

    def __init__(self, database: Database, cipher: Cipher, billers: Sequence[str]) -> None:
        self._database = database
        self._cipher = cipher
        self._billers = billers

    async def fetch_page(
        self, payment_filter: PaymentFilter, limit: int = DEFAULT_LIMIT, before: int = 0
    ) -> PaymentPage | None:
        """Return at most `limit` payments, those older than the payment `before`; None where there is no such payment."""
        statement = self.build_query(payment_filter)
        if before:
            position = await self._find_position(before)
            if position is None:
                return None
            statement = statement.where(tuple_(payments.c.created_at, payments.c.id) < position)
        rows = (await self._database.fetch(statement.limit(limit + 1))).all()
        listed = [self._build_payment(row) for row in rows[:limit]]
        return PaymentPage(listed, listed[-1].id if len(rows) > limit else None)

    async def fetch_by_ids(self, ids: Sequence[int]) -> Sequence[ListedPayment]:
        """Return the payments with these ids, newest first."""
        rows = await self._database.fetch(_newest_first(_LISTED.where(payments.c.id.in_(ids))))
        return [self._build_payment(row) for row in rows]

    def build_query(self, payment_filter: PaymentFilter) -> Select[Any]:
        """Return the statement of a list, without its limit."""
        return _newest_first(_LISTED.where(*self._conditions(payment_filter)))

    def consumer_hashes(self, consumer: str, biller: str = "") -> Sequence[str]:
        """Return the hashes under which bills of this consumer number may be stored, of one biller or of all."""
        billers = [biller] if biller else self._billers
        return [one for code in billers for one in self._cipher.keyed_hashes(f"consumer {code}", consumer)]

    def _conditions(self, wanted: PaymentFilter) -> list[ColumnElement[bool]]:
        equal: Mapping[str, str] = {
            "reference": wanted.reference,
            "payer": wanted.payer,
            "department": wanted.department,
            "subject": wanted.biller or wanted.service,
            "purpose": "bill" if wanted.biller else "fee" if wanted.service else "",
            "status": wanted.status,
            "wallet": wanted.wallet,
        }
        conditions = [payments.c[name] == value for name, value in equal.items() if value]
        if wanted.biller and wanted.service:
            conditions.append(false())
        if wanted.receipt:
            conditions.append(payments.c.id.in_(select_by_receipt([wanted.receipt, wanted.receipt.upper()])))
        if wanted.consumer:
            conditions.append(payments.c.bill.in_(select_bills(self.consumer_hashes(wanted.consumer, wanted.biller))))
        if wanted.since:
            conditions.append(payments.c.created_at >= wanted.since)
        if wanted.until:
            conditions.append(payments.c.created_at < wanted.until)
        return conditions

    async def _find_position(self, payment: int) -> Any:
        found = select(payments.c.created_at).where(payments.c.id == payment)
        created_at = (await self._database.fetch(found)).scalar_one_or_none()
        if created_at is None:
            return None
        return tuple_(literal(created_at, payments.c.created_at.type), literal(payment, payments.c.id.type))

    def _build_payment(self, row: Row[Any]) -> ListedPayment:
        copied: dict[str, Any] = {name: getattr(row, name) for name in (*_COPIED, *_ALSO_COPIED)}
        for name in ("department", "reason", "receipt"):
            copied[name] = copied[name] or ""
        copied["paid_minor"] = copied["paid_minor"] or 0
        return ListedPayment(
            **copied,
            reference=row.reference if row.purpose == "fee" else "",
            consumer=self._read_consumer(row),
            payer=mask_payer(row.payer),
            refunded_minor=row.refunded,
            pending_minor=row.pending,
            biller_receipt=row.biller_receipt or "",
        )

    def _read_consumer(self, row: Row[Any]) -> str:
        if not row.content:
            return ""
        content = self._cipher.decrypt(row.content, f"bill:{row.bill_key}")
        return mask_payer(msgspec.json.decode(content, type=_Consumer).consumer)


def mask_payer(number: str) -> str:
    """Return `XX` and the last digits; empty for a number that was deleted or released from its holder."""
    return f"XX{number[-VISIBLE_DIGITS:]}" if number and not is_detached(number) else ""


def select_by_receipt(receipts: Sequence[str]) -> Any:
    """Select the ids of payments with a receipt: of the wallet, of the biller, of a report, or of a refund."""
    return union(
        select(payments.c.id).where(payments.c.receipt.in_(receipts)),
        select(payments.c.id)
        .join(bills, payments.c.bill == bills.c.id)
        .where(bills.c.receipt.in_(receipts), payments.c.paid_minor.is_not(None)),
        select(payment_reports.c.payment).where(
            payment_reports.c.receipt.in_(receipts), payment_reports.c.payment.is_not(None)
        ),
        select(payment_refunds.c.payment).where(payment_refunds.c.receipt.in_(receipts)),
    )


def select_bills(consumer_hashes: Sequence[str]) -> Select[Any]:
    """Select the ids of bills of a consumer number."""
    return select(bills.c.id).where(bills.c.consumer.in_(consumer_hashes))


def sum_refunds(*conditions: ColumnElement[bool]) -> Any:
    """Return the hundredths of the refunds of a payment that meet the conditions, as a column of the payment."""
    total = select(func.coalesce(func.sum(payment_refunds.c.amount_minor), 0))
    return total.where(payment_refunds.c.payment == payments.c.id, *conditions).correlate(payments).scalar_subquery()


def _newest_first(statement: Select[Any]) -> Select[Any]:
    return statement.order_by(payments.c.created_at.desc(), payments.c.id.desc())


_LISTED: Final = select(
    payments,
    bills.c.content,
    bills.c.idempotency_key.label("bill_key"),
    bills.c.receipt.label("biller_receipt"),
    sum_refunds(payment_refunds.c.status == "returned").label("refunded"),
    sum_refunds(payment_refunds.c.status.not_in(("returned", "failed"))).label("pending"),
).outerjoin(bills, payments.c.bill == bills.c.id)
