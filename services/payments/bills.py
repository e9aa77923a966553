"""Bills: query a biller for the amount due, request the payment, and post it to the biller until it accepts or rejects it.

A bill that was shown is stored under its idempotency key, so that the amount shown is the amount paid. A bill that is paid
and not accepted is refunded; where the wallet cannot refund, a person does.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, Literal, TypeAlias

import msgspec
import structlog
from sqlalchemy import Row, Select, select, update

from core.crypto import Cipher
from core.retry import Backoff
from core.types import UtcClock, utc_now
from core.validation import Invalid
from db.database import Database, Transaction
from db.tables import accounts, bills, payments
from services.catalogue import field_validation
from services.catalogue.models import Field
from services.citizens.closed_accounts import ensure_account_open
from services.payments.billers import base
from services.payments.fees import CanPay
from services.payments.keys import derive_biller_key
from services.payments.lookup_limits import LookupLimits
from services.payments.models import (
    WORKER_TIMEOUT,
    BillOutcome,
    BillQuery,
    BillView,
    KeyPredicate,
    Payer,
    PaymentRequest,
    PayResult,
)
from services.payments.notifications import PaymentNotifier
from services.payments.payments import Payments
from services.payments.refunds import RefundReason, Refunds

BATCH_SIZE: Final = 8
BACKOFF: Final = Backoff(initial=20.0, maximum=6 * 3600.0)  # between attempts to post a bill
REFUND_AFTER: Final = timedelta(days=3)  # a payment that is not posted by then is refunded
VISIBLE_DIGITS: Final = 4

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ConnectedBiller:
    """A biller of the catalogue with its adapter."""

    code: str
    consumer_field: Field
    currency: str
    biller: base.Biller


FindBiller: TypeAlias = Callable[[str], ConnectedBiller | None]
"""The code of a biller to the biller; None where it cannot be paid here, or is no longer in the catalogue."""
AcceptsAmount: TypeAlias = Callable[[int, str], bool]
"""Whether the wallet accepts this amount of this currency."""


class _Content(msgspec.Struct):
    """The encrypted content of a row."""

    consumer: str
    reference: str = ""
    due: date | None = None
    name: str = ""


class Bills:
    """All bills that people queried."""

    def __init__(
        self,
        *,
        database: Database,
        cipher: Cipher,
        payments: Payments,
        refunds: Refunds,
        notifier: PaymentNotifier,
        find_biller: FindBiller,
        accepts_amount: AcceptsAmount,
        can_pay: CanPay,
        lookup_limits: LookupLimits,
        clock: UtcClock = utc_now,
    ) -> None:
        self._database = database
        self._lookup_limits = lookup_limits
        self._cipher = cipher
        self._payments = payments
        self._refunds = refunds
        self._notifier = notifier
        self._find_biller = find_biller
        self._accepts_amount = accepts_amount
        self._can_pay = can_pay
        self._clock = clock

    async def look_up(
        self, query: BillQuery, typed_number: str, idempotency_key: str, is_counted: KeyPredicate = lambda _: True
    ) -> BillView:
        """Return the bill under this consumer number. The same idempotency key returns the same bill, even if the biller is down.

        `too_many`: a limit of the caller, the consumer number or the biller is reached.
        """
        return await self._look_up(query, typed_number, idempotency_key, is_counted, own=False)

    async def look_up_last(self, query: BillQuery, idempotency_key: str, is_counted: KeyPredicate) -> BillView:
        """Return the bill under the consumer number that this account paid last."""
        last = await self._find_last(query.account, query.biller, is_counted)
        if last is None:
            return BillView("elsewhere")
        consumer = self._decrypt_content(last).consumer
        return await self._look_up(query, consumer, idempotency_key, is_counted, own=True)

    async def _look_up(
        self, query: BillQuery, typed_number: str, idempotency_key: str, is_counted: KeyPredicate, *, own: bool
    ) -> BillView:
        if stored := await self._find(bills.c.idempotency_key == idempotency_key):
            return await self._build_view(stored, is_counted)
        connected = self._find_biller(query.biller)
        if connected is None:
            return BillView("elsewhere")
        consumer = field_validation.validate_answer(connected.consumer_field, typed_number, query.today)
        if isinstance(consumer, Invalid):
            return BillView("wrong", invalid=consumer)
        if await self._lookup_limits.find_rejection(query.msisdn, query.biller, consumer.value, own=own):
            return BillView("too_many")
        try:
            found = await connected.biller.fetch_bill(consumer.value)
        except base.BillerUnavailableError:
            return BillView("down")
        await self._store(query, consumer.value, found, idempotency_key)
        stored = await self._find(bills.c.idempotency_key == idempotency_key)
        assert stored is not None  # nosec B101  # noqa: S101 - it was just written
        return await self._build_view(stored, is_counted)

    async def last_consumer_digits(self, account: int, biller: str, is_counted: KeyPredicate) -> str:
        """Return the last digits of the consumer number that this account paid this biller for last; empty if it never did."""
        last = await self._find_last(account, biller, is_counted) if account else None
        return _mask_consumer(self._decrypt_content(last).consumer) if last else ""

    async def request_payment(self, bill: int, payer: Payer, idempotency_key: str) -> PayResult | Literal["none"]:
        """Request the payment of a bill that was shown; `none` where it cannot be paid here any more."""
        row = await self._find(bills.c.id == bill)
        if row is None or row.outcome != "due" or self._find_biller(row.biller) is None:
            return "none"
        if not self._accepts_amount(row.amount_minor, row.currency) or not self._can_pay(payer.msisdn, row.currency):
            return "none"
        request = PaymentRequest(
            purpose="bill",
            reference=row.reference,
            subject=row.biller,
            bill=row.id,
            payer=payer.msisdn,
            account=payer.account,
            amount_minor=row.amount_minor,
            currency=row.currency,
            language=payer.language,
            channel=payer.channel,
        )
        return await self._payments.request_payment(request, idempotency_key)

    async def post_due(self) -> bool:
        """Post paid bills to their billers; True where more may be due. A job of the payment worker."""
        claimed = await self._claim()
        for bill, payment in claimed:
            await self._post(bill, payment)
        return len(claimed) == BATCH_SIZE

    async def _claim(self) -> Sequence[tuple[Row[Any], Row[Any]]]:
        """Claim due bills with their payments. They are marked first, and due again if this worker dies."""
        now = self._clock()
        open_ = (bills.c.posting.in_(("due", "posting")), bills.c.due_at <= now)
        free = select(bills).where(*open_).order_by(bills.c.due_at).limit(BATCH_SIZE).with_for_update(skip_locked=True)
        async with self._database.transaction() as transaction:
            rows = (await transaction.execute(free)).all()
            claimed = [(row, await _find_payment(transaction, row.id)) for row in rows]
            for row, payment in claimed:
                marked: dict[str, Any] = {
                    "posting": "posting",
                    "attempts": row.attempts + 1,
                    "due_at": now + WORKER_TIMEOUT,
                }
                gone: dict[str, Any] = {"posting": "refused", "reason": "NotPaid", "due_at": None}
                await self._update(transaction, row.id, **(marked if payment else gone))
        return [(row, payment) for row, payment in claimed if payment]

    async def _post(self, bill: Row[Any], payment: Row[Any]) -> None:
        content, connected = self._decrypt_content(bill), self._find_biller(bill.biller)
        posting = base.BillPayment(
            derive_biller_key(payment.key),
            content.consumer,
            content.reference,
            bill.amount_minor,
            bill.currency,
            payment.receipt or "",
        )
        try:
            if connected is None:
                raise base.BillerUnavailableError  # noqa: TRY301 - it may be back in the catalogue tomorrow
            answer = await connected.biller.post_payment(posting)
        except base.BillerUnavailableError:
            await self._reschedule(bill, payment)
            return
        await self._record_answer(bill, payment, answer)

    async def _record_answer(
        self, bill: Row[Any], payment: Row[Any], answer: base.PaymentPosted | base.PostRejected
    ) -> None:
        async with self._database.transaction() as transaction:
            if isinstance(answer, base.PaymentPosted):
                await self._update(transaction, bill.id, posting="posted", receipt=answer.receipt, due_at=None)
                facts = {**self._facts(bill), "biller_receipt": answer.receipt}
                await self._notifier.notify_bill_posted(transaction, payment, facts)
            else:
                await self._reject(transaction, bill, payment, answer.reason)

    async def _reschedule(self, bill: Row[Any], payment: Row[Any]) -> None:
        """Post again later. The payer is notified of the delay once, and refunded in the end."""
        now = self._clock()
        async with self._database.transaction() as transaction:
            if payment.ended_at and payment.ended_at + REFUND_AFTER <= now:
                await self._reject(transaction, bill, payment, "NoAnswer")
                return
            await self._update(transaction, bill.id, posting="due", due_at=now + BACKOFF.delay(bill.attempts + 1))
            if bill.attempts == 1:  # the second attempt failed as well
                await self._notifier.notify_bill_delayed(transaction, payment, self._facts(bill))

    async def _reject(self, transaction: Transaction, bill: Row[Any], payment: Row[Any], reason: str) -> None:
        log.error("bill_rejected_and_refunded", bill=bill.id, reason=reason)
        await self._update(transaction, bill.id, posting="refused", reason=reason[:40], due_at=None)
        refund_reason = RefundReason(
            "gateway", "bills", f"NotPosted:{reason}", f"{payment.idempotency_key}/not_posted", "biller_refused"
        )
        await self._refunds.request_in_transaction(transaction, payment.id, None, refund_reason)
        transaction.after_transaction(self._payments.wakeup.set)

    async def _build_view(self, row: Row[Any], is_counted: KeyPredicate) -> BillView:
        if row.outcome != "due":
            return BillView(row.outcome, row.id, self._facts(row))
        state = await self._payments.state_of(row.reference, is_counted)
        is_payable = self._accepts_amount(row.amount_minor, row.currency) and self._can_pay(row.msisdn, row.currency)
        found: BillOutcome = state if state != "due" or is_payable else "elsewhere"
        return BillView(found, row.id, self._facts(row))

    async def _store(self, query: BillQuery, consumer: str, found: base.BillLookup, idempotency_key: str) -> None:
        now = self._clock()
        bill = found if isinstance(found, base.Bill) else base.Bill("", 0, "")
        references = self._cipher.keyed_hashes(f"bill {query.biller}", f"{consumer} {bill.reference}")
        content = _Content(consumer, bill.reference, bill.due_date, bill.name)
        row = {
            "biller": query.biller,
            "account": query.account or None,
            "msisdn": query.msisdn,
            "outcome": _OUTCOMES[type(found)],
            "consumer": self._cipher.keyed_hash(f"consumer {query.biller}", consumer),
            "content": self._cipher.encrypt(msgspec.json.encode(content), _associated_data(idempotency_key)),
            "amount_minor": bill.amount_minor,
            "currency": bill.currency,
            "idempotency_key": idempotency_key,
            "created_at": now,
            "updated_at": now,
        }
        async with self._database.transaction() as transaction:
            await ensure_account_open(transaction, query.account, idempotency_key)
            row["reference"] = await self._find_reference(transaction, references) or references[0]
            await transaction.execute(self._database.insert_or_ignore(bills), row)

    async def _find_reference(self, transaction: Transaction, references: Sequence[str]) -> str | None:
        """The reference of the bill from before the key was changed: its payments have that one, and it is paid once."""
        known = select(payments.c.reference).where(payments.c.reference.in_(references[1:]))
        found: str | None = (await transaction.execute(known.limit(1))).scalar_one_or_none()
        return found

    async def _find_last(self, account: int, biller: str, is_counted: KeyPredicate) -> Row[Any] | None:
        paid: Select[Any] = select(bills, payments.c.idempotency_key.label("paid_under")).join(
            payments, payments.c.bill == bills.c.id
        )
        theirs = select(accounts.c.id).where(accounts.c.id == account, accounts.c.closed_at.is_(None))
        mine = (bills.c.account == theirs.scalar_subquery(), bills.c.biller == biller, bills.c.posting.is_not(None))
        rows = await self._database.fetch(paid.where(*mine).order_by(bills.c.id.desc()).limit(20))
        return next((row for row in rows if is_counted(row.paid_under)), None)

    async def _find(self, where: Any) -> Row[Any] | None:
        return (await self._database.fetch(select(bills).where(where))).one_or_none()

    async def _update(self, transaction: Transaction, bill: int, **columns: Any) -> None:
        changed = update(bills).where(bills.c.id == bill)
        await transaction.execute(changed.values(**columns, updated_at=self._clock()))

    def _decrypt_content(self, row: Row[Any]) -> _Content:
        return msgspec.json.decode(
            self._cipher.decrypt(row.content, _associated_data(row.idempotency_key)), type=_Content
        )

    def _facts(self, row: Row[Any]) -> dict[str, object]:
        content = self._decrypt_content(row)
        return {
            "biller": row.biller,
            "consumer": _mask_consumer(content.consumer),
            "bill_name": content.name or None,
            "bill_due": content.due.isoformat() if content.due else None,
            "fee": [row.amount_minor, row.currency] if row.amount_minor else None,
        }


_OUTCOMES: Final = {base.Bill: "due", base.NothingDue: "none", base.NoSuchConsumer: "unknown"}


async def _find_payment(transaction: Transaction, bill: int) -> Row[Any] | None:
    """Return the payment of a bill; None where it was refunded meanwhile, or waits for a person."""
    paid = select(payments).where(payments.c.bill == bill, payments.c.status == "paid")
    return (await transaction.execute(paid.limit(1))).one_or_none()


def _mask_consumer(consumer: str) -> str:
    return f"XX{consumer[-VISIBLE_DIGITS:]}"


def _associated_data(idempotency_key: str) -> str:
    return f"bill:{idempotency_key}"
