"""Money that came without a request of ours: cash at a counter, or a payment by reference in the payer's own wallet.

It is recorded as a payment of what it is for, and settled as the report of a wallet is: one payment of a reference counts, and
money that came while another payment was open or paid waits as a duplicate payment.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Row, select
from sqlalchemy.exc import IntegrityError

from core.types import UtcClock
from db.database import Database, Transaction
from db.tables import applications, payments
from services.payments.keys import new_webhook_key, parse_bill_account
from services.payments.models import PaymentPurpose
from services.payments.reconciliation import AMOUNT_DIFFERS, MAX_TRIES, PaymentReconciler

Recorded = TypeVar("Recorded")


@dataclass(frozen=True, slots=True)
class PaymentTarget:
    """What money is for: the fee of an application or a bill, with the person who is told of it. `status`: the application's."""

    purpose: PaymentPurpose
    reference: str
    subject: str
    department: str
    bill: int
    account: int
    msisdn: str = field(repr=False)
    language: str
    amount_minor: int
    currency: str
    status: str


@dataclass(frozen=True, slots=True)
class ReceivedMoney:
    """An amount in hundredths with its receipt. `wallet` is where it is: `cash`, or the name of a wallet; `payer` is told of it."""

    wallet: str
    channel: str
    amount_minor: int
    receipt: str
    payer: str = field(repr=False)
    idempotency_key: str


class MoneyRecorder:
    """Finds what money is for, and records it."""

    def __init__(self, database: Database, reconciler: PaymentReconciler, clock: UtcClock) -> None:
        self._database = database
        self._reconciler = reconciler
        self._clock = clock

    async def find_target(self, transaction: Transaction, account_number: str) -> PaymentTarget | None:
        """Return what has this account number: a tracking number, or the `BILL…` of a payment of a bill.

        Its row is locked, so that money for one thing is recorded by one transaction at a time.
        """
        if payment := parse_bill_account(account_number):
            found = select(payments).where(payments.c.id == payment, payments.c.purpose == "bill")
            row = (await transaction.execute(found.with_for_update())).one_or_none()
            return _target_from_bill(row) if row else None
        found = select(applications).where(applications.c.tracking_number == account_number)
        row = (await transaction.execute(found.with_for_update())).one_or_none()
        return _target_from_application(row) if row else None

    async def lock_reference(self, transaction: Transaction, reference: str) -> list[Row[Any]]:
        """Lock and return all payments of a reference, oldest first."""
        return await self._reconciler.lock_reference(transaction, reference)

    async def record(
        self, transaction: Transaction, target: PaymentTarget, money: ReceivedMoney, *, reason: str = ""
    ) -> Row[Any] | None:
        """Record and settle a payment; return its row, or None if one has this idempotency key already.

        With a `reason`, or another amount, a person decides about it.

        Raises:
            IntegrityError: another payment of the reference was begun at this moment; try again (`retry_on_conflict`).
        """
        insert = self._database.insert_or_ignore(payments).returning(payments.c.id)
        payment = (await transaction.execute(insert, self._build_row(target, money))).scalar_one_or_none()
        if payment is None:
            return None
        row = await self._reconciler.lock_payment(transaction, payment)
        if money.amount_minor == target.amount_minor and not reason:
            await self._reconciler.settle_paid(transaction, row, money.receipt, money.amount_minor)
        else:
            await self._reconciler.mark_amount_mismatch(
                transaction, row, money.amount_minor, money.receipt, reason or AMOUNT_DIFFERS
            )
        return await self._reconciler.lock_payment(transaction, payment)

    def _build_row(self, target: PaymentTarget, money: ReceivedMoney) -> dict[str, object]:
        now = self._clock()
        return {
            "key": new_webhook_key(),
            "purpose": target.purpose,
            "reference": target.reference,
            "subject": target.subject,
            "department": target.department or None,
            "bill": target.bill or None,
            "payer": money.payer,
            "account": target.account or None,
            "amount_minor": target.amount_minor,
            "currency": target.currency,
            "language": target.language,
            "channel": money.channel,
            "status": "duplicate_payment",  # until it is settled, in this transaction
            "wallet": money.wallet,
            "receipt": money.receipt,
            "idempotency_key": money.idempotency_key,
            "created_at": now,
            "updated_at": now,
        }


async def retry_on_conflict(record: Callable[[], Awaitable[Recorded]]) -> Recorded:
    """Return what `record` does in a transaction of its own, tried again where it meets a new payment of its reference."""
    for _ in range(MAX_TRIES - 1):
        with suppress(IntegrityError):
            return await record()
    return await record()


def _target_from_application(row: Row[Any]) -> PaymentTarget:
    return PaymentTarget(
        purpose="fee",
        reference=row.tracking_number,
        subject=row.service,
        department=row.department,
        bill=0,
        account=row.account,
        msisdn=row.msisdn,
        language=row.language,
        amount_minor=row.fee_minor,
        currency=row.currency,
        status=row.status,
    )


def _target_from_bill(row: Row[Any]) -> PaymentTarget:
    return PaymentTarget(
        purpose="bill",
        reference=row.reference,
        subject=row.subject,
        department="",
        bill=row.bill or 0,
        account=row.account or 0,
        msisdn=row.payer,
        language=row.language,
        amount_minor=row.amount_minor,
        currency=row.currency,
        status="",
    )
