"""Finds a payment by whatever number a person has of it, and tells its history."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, Select, select, union

from core.phone_numbers import PhoneNumberError, parse_msisdn
from core.reference_numbers import TRACKING_NUMBER_DIGITS
from db.database import Database
from db.tables import audit, bills, payment_refunds, payment_reports, payments
from services.payments.models import REFUNDABLE_STATUSES
from services.payments.payment_list import ListedPayment, PaymentList, select_bills, select_by_receipt

MAX_FOUND: Final = 50
MAX_ID: Final = 2**63 - 1
BILL_ACCOUNT: Final = re.compile(r"BILL0*(\d{1,18})", re.IGNORECASE)
"""The account reference of a bill's payment, on the wallet's statement."""
_FOLDED_ACTS: Final = frozenset({"pay", "refund"})  # of the audit log; the history tells them from their own rows


@dataclass(frozen=True, slots=True)
class PaymentEvent:
    """What happened to a payment: when, what in one word, who did it (empty: the gateway), and the facts."""

    at: datetime
    act: str
    actor: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ListedRefund:
    """A refund of a payment, with its amount in hundredths."""

    id: int
    amount_minor: int
    status: str
    category: str
    receipt: str


@dataclass(frozen=True, slots=True)
class PaymentHistory:
    """A payment with its refunds and everything that happened to it, oldest first."""

    payment: ListedPayment
    refunds: Sequence[ListedRefund]
    events: Sequence[PaymentEvent]


class PaymentHistories:
    """Finds payments and reads their histories."""

    def __init__(self, database: Database, listing: PaymentList) -> None:
        self._database = database
        self._listing = listing

    async def find(self, what: str) -> Sequence[ListedPayment]:
        """Return the payments of an id, tracking number, receipt, consumer number or MSISDN, newest first, `MAX_FOUND` at most.

        `#12` is an id and nothing else, and twelve digits are never one. An id and a consumer number are both digits: where
        both are known, the payments of each are returned.
        """
        queries = self._build_queries(what.strip())
        if not queries:
            return ()
        found = union(*queries).subquery()
        newest = (
            select(payments.c.id).where(payments.c.id.in_(select(found.c.id))).order_by(payments.c.created_at.desc())
        )
        ids = (await self._database.fetch(newest.limit(MAX_FOUND))).scalars().all()
        return await self._listing.fetch_by_ids(ids)

    async def fetch_history(self, payment: ListedPayment) -> PaymentHistory:
        """Return the history of a payment."""
        row = (await self._database.fetch(select(payments).where(payments.c.id == payment.id))).one()
        refunds = await self._fetch_rows(payment_refunds, payment_refunds.c.payment == payment.id)
        events = [
            *_tell_request(row, payment),
            *map(_tell_report, await self._fetch_rows(payment_reports, payment_reports.c.payment == payment.id)),
            *[event for bill in await self._fetch_rows(bills, bills.c.id == row.bill) for event in _tell_bill(bill)],
            *[event for refund in refunds for event in _tell_refund(refund)],
            *await self._fetch_acts(payment.id),
        ]
        listed = [
            ListedRefund(one.id, one.amount_minor, one.status, one.category or "", one.receipt or "") for one in refunds
        ]
        return PaymentHistory(payment, listed, sorted(events, key=lambda one: one.at))

    def _build_queries(self, what: str) -> list[Select[Any]]:
        digits = re.sub(r"[\s-]", "", what)
        if what.startswith("#"):
            return [_by_id(int(what[1:]))] if _is_id(what[1:]) else []
        if what.startswith("+"):
            return _by_payer(what)
        hashes = self._listing.consumer_hashes(digits)
        queries = [
            select(select_by_receipt([what, what.upper()]).subquery().c.id),
            select(payments.c.id).where(payments.c.bill.in_(select_bills(hashes))),
        ]
        if found := BILL_ACCOUNT.fullmatch(digits):
            queries.append(_by_id(int(found[1])))
        if len(digits) == TRACKING_NUMBER_DIGITS:
            queries.append(select(payments.c.id).where(payments.c.reference == digits))
        elif _is_id(digits):
            queries.append(_by_id(int(digits)))
        return queries

    async def _fetch_rows(self, table: Any, condition: Any) -> Sequence[Row[Any]]:
        return (await self._database.fetch(select(table).where(condition).order_by(table.c.id))).all()

    async def _fetch_acts(self, payment: int) -> Sequence[PaymentEvent]:
        acts = await self._fetch_rows(audit, (audit.c.subject_kind == "payment") & (audit.c.subject == str(payment)))
        return [_tell_act(act) for act in acts if act.act not in _FOLDED_ACTS]


def find_sole(found: Sequence[ListedPayment], statuses: Sequence[str]) -> ListedPayment | None:
    """Return the one payment of these statuses, where all are of one application or bill; otherwise None."""
    fitting = [one for one in found if one.status in statuses]
    return fitting[0] if len(fitting) == 1 and _are_of_one(found) else None


def find_best(found: Sequence[ListedPayment]) -> ListedPayment | None:
    """Return the payment that a person asks for: the paid one, or the newest; None where they are of several things."""
    if not found or not _are_of_one(found):
        return None
    paid = [one for one in found if one.status in {*REFUNDABLE_STATUSES, "refunded"}]
    return (paid or list(found))[0]


def _are_of_one(found: Sequence[ListedPayment]) -> bool:
    return len({(one.purpose, one.subject, one.reference or one.consumer) for one in found}) == 1


def _is_id(text: str) -> bool:
    """Whether the text is written as an id: a mistyped tracking number or bill number with leading zeros is none."""
    return text.isascii() and text.isdigit() and text[0] != "0" and int(text[:20]) <= MAX_ID


def _by_id(payment: int) -> Select[Any]:
    return select(payments.c.id).where(payments.c.id == min(payment, MAX_ID))


def _by_payer(text: str) -> list[Select[Any]]:
    try:
        msisdn = parse_msisdn(text)
    except PhoneNumberError:
        return []
    return [
        select(payments.c.id)
        .where(payments.c.payer == msisdn)
        .order_by(payments.c.created_at.desc(), payments.c.id.desc())
        .limit(MAX_FOUND)
        .subquery()
        .select()
    ]


def _tell_request(row: Row[Any], payment: ListedPayment) -> list[PaymentEvent]:
    account = f"account {row.account}" if row.account else ""
    events = [PaymentEvent(row.created_at, "requested", account, {"payer": payment.payer, "channel": row.channel})]
    if row.requested_at:
        events.append(PaymentEvent(row.requested_at, "asked", "", _facts(wallet=row.wallet, request=row.request)))
    if row.ended_at:
        facts = _facts(status=row.status, reason=row.reason, receipt=row.receipt)
        events.append(PaymentEvent(row.ended_at, "ended", "", facts))
    return events


def _tell_report(row: Row[Any]) -> PaymentEvent:
    facts = _facts(outcome=row.outcome, reason=row.reason, receipt=row.receipt, amount_minor=row.amount_minor)
    return PaymentEvent(row.received_at, "report", "", {"source": row.source, **facts})


def _tell_bill(row: Row[Any]) -> list[PaymentEvent]:
    shown = PaymentEvent(row.created_at, "bill_shown", "", {"biller": row.biller})
    if not row.posting:
        return [shown]
    facts = _facts(posting=row.posting, attempts=row.attempts, receipt=row.receipt, reason=row.reason)
    return [shown, PaymentEvent(row.updated_at, "bill", "", {"biller": row.biller, **facts})]


def _tell_refund(row: Row[Any]) -> list[PaymentEvent]:
    facts = {"refund": str(row.id), "amount_minor": str(row.amount_minor)}
    reasons = _facts(category=row.category, why=row.explanation)
    asked = PaymentEvent(row.created_at, "refund_requested", row.actor, {**facts, **reasons})
    result = _facts(receipt=row.receipt, reason=row.reason)
    if row.status == "requested":
        return [asked]
    return [asked, PaymentEvent(row.updated_at, f"refund_{row.status}", "", {**facts, **result})]


def _tell_act(row: Row[Any]) -> PaymentEvent:
    details = {name: str(value) for name, value in row.details.items()}
    return PaymentEvent(row.at, row.act, f"{row.actor_kind} {row.actor}", details)


def _facts(**values: object) -> dict[str, str]:
    return {name: str(value) for name, value in values.items() if value}
