"""Payments by reference: somebody pays our pay bill number in their own wallet, with a tracking number as the account number.

The wallet asks before (`check`), where it does at all, and tells after (`record`): more than once, late, and in any order.
"""

from collections.abc import Collection
from datetime import timedelta
from typing import Any, Final

import structlog
from sqlalchemy import Row, select, update

from core.typed_numbers import read_digits, remove_separators
from core.types import UtcClock, utc_now
from db.database import Database, Transaction
from db.tables import payments
from services.payments.fees import STATUSES_WITHOUT_FEE
from services.payments.keys import BILL_ACCOUNT_PREFIX
from services.payments.models import BY_REFERENCE, OPEN_STATUSES, OTHER_PAYER
from services.payments.notifications import PaymentNotifier
from services.payments.received_money import MoneyRecorder, PaymentTarget, ReceivedMoney, retry_on_conflict
from services.payments.reconciliation import PaymentReconciler
from services.payments.wallets.base import PaymentReport, ReferenceNotice, ReferenceVerdict

NOT_DUE: Final = "NotDue"
PROMPT_LIFETIME: Final = timedelta(minutes=15)
"""The time after a request in which its prompt is paid: a prompt is open for one or two minutes."""
PROMPT_AHEAD: Final = timedelta(minutes=2)  # by which two clocks may differ

log = structlog.get_logger()


class ReferencePayments:
    """The payments by reference of one wallet. `merchants` are the numbers, or the topics, to which they are paid.

    `source` names the wallet's reports in the table of reports.
    """

    def __init__(
        self,
        database: Database,
        reconciler: PaymentReconciler,
        notifier: PaymentNotifier,
        *,
        wallet: str,
        merchants: Collection[str],
        source: str = "c2b",
        clock: UtcClock = utc_now,
    ) -> None:
        self._database = database
        self._reconciler = reconciler
        self._wallet = wallet
        self._merchants = frozenset(merchants)
        self._source = source
        self._recorder = MoneyRecorder(database, reconciler, clock)
        self._references = ReferenceRecorder(self._recorder, notifier)

    async def check(self, notice: ReferenceNotice) -> ReferenceVerdict:
        """Say whether the wallet may take the money; nothing is recorded."""
        if notice.merchant not in self._merchants:
            return "other_merchant"
        async with self._database.transaction() as transaction:
            target = await self._recorder.find_target(transaction, normalize_account(notice.account))
            if target is None or not _is_due(target):
                return "unknown_account"
            if notice.amount_minor != target.amount_minor or notice.currency != target.currency:
                return "wrong_amount"
            others = await self._recorder.lock_reference(transaction, target.reference)
        return "paid" if any(other.status == "paid" for other in others) else "accepted"

    async def record(self, notice: ReferenceNotice) -> int | None:
        """Record money that came; return its payment, or None where nobody knows what it is for, and the notice is kept."""
        return await retry_on_conflict(lambda: self._record(notice))

    async def _record(self, notice: ReferenceNotice) -> int | None:
        async with self._database.transaction() as transaction:
            account = normalize_account(notice.account) if notice.merchant in self._merchants else ""
            target = await self._recorder.find_target(transaction, account)
            if target is not None and target.currency != notice.currency:
                target = None  # a payment has one currency; a person gives the money back
            row = None if target is None else await self._references.record(transaction, target, self._wallet, notice)
            report = PaymentReport("paid", receipt=notice.receipt, amount_minor=notice.amount_minor)
            key, money = f"{self._wallet}/reference", {"wallet": self._wallet, "currency": notice.currency}
            is_new = await self._reconciler.store_report(transaction, key, row, report, self._source, **money)
            if row is None and is_new:
                log.error("payment_by_unknown_reference", receipt=notice.receipt, action_required=True)
            return None if row is None else int(row.id)


class ReferenceRecorder:
    """Records money by reference of any wallet, once it is known what it is for."""

    def __init__(self, recorder: MoneyRecorder, notifier: PaymentNotifier) -> None:
        self._recorder = recorder
        self._notifier = notifier

    async def record(
        self, transaction: Transaction, target: PaymentTarget, wallet: str, notice: ReferenceNotice
    ) -> Row[Any]:
        """Return the payment that this money is: one that is known, or a new one.

        Where the receipt came with another account number before, the payment is of that.

        Raises:
            IntegrityError: another payment of the reference was begun at this moment; try again (`retry_on_conflict`).
        """
        others = await self._recorder.lock_reference(transaction, target.reference)
        if known := next((other for other in others if _is_told(other, wallet, notice)), None):
            if not known.receipt:
                filled = update(payments).where(payments.c.id == known.id)
                await transaction.execute(filled.values(receipt=notice.receipt))
            return known
        money = ReceivedMoney(
            wallet,
            BY_REFERENCE,
            notice.amount_minor,
            notice.receipt,
            notice.payer or target.msisdn,
            f"{wallet}:{notice.receipt}",
        )
        row = await self._recorder.record(transaction, target, money, reason="" if _is_due(target) else NOT_DUE)
        if row is None:
            repeated = select(payments).where(payments.c.idempotency_key == money.idempotency_key)
            return (await transaction.execute(repeated)).one()
        if row.status == "duplicate_payment" and _is_of_other_payer(others, wallet, notice):
            marked = update(payments).where(payments.c.id == row.id)
            await transaction.execute(marked.values(reason=OTHER_PAYER))
        if row.status == "amount_mismatch":
            await self._notifier.notify_amount_differs(transaction, row)
        return row


def normalize_account(text: str) -> str:
    """Return the account number as it is stored, however it was typed: twelve digits, or `BILL00000042`."""
    bare = remove_separators(text).upper()
    return bare if bare.startswith(BILL_ACCOUNT_PREFIX) else read_digits(text)


def _is_told(payment: Row[Any], wallet: str, notice: ReferenceNotice) -> bool:
    """Return whether a payment is this money: by its receipt, or paid by STK push, of which a query has no receipt.

    Then the amount, the payer and the time must fit; what does not is a second payment, for a person.
    """
    if payment.wallet != wallet:
        return False
    if payment.receipt:
        return bool(payment.receipt == notice.receipt)
    return payment.status == "paid" and payment.paid_minor == notice.amount_minor and _fits_prompt(payment, notice)


def _is_of_other_payer(others: Collection[Row[Any]], wallet: str, notice: ReferenceNotice) -> bool:
    """Return whether prompts are open that this money cannot be the payment of."""
    pushed = [
        one for one in others if one.wallet == wallet and one.channel != BY_REFERENCE and one.status in OPEN_STATUSES
    ]
    return bool(pushed) and not any(_fits_prompt(one, notice) for one in pushed)


def _fits_prompt(payment: Row[Any], notice: ReferenceNotice) -> bool:
    """Return whether the payer and the time of the money are those of a prompt, as far as the wallet tells them."""
    if notice.payer and notice.payer != payment.payer:
        return False
    if notice.payer_mask and not _fits_mask(payment.payer.lstrip("+"), notice.payer_mask):
        return False
    if notice.paid_at is None or payment.requested_at is None:
        return True
    return bool(-PROMPT_AHEAD <= notice.paid_at - payment.requested_at <= PROMPT_LIFETIME)


def _fits_mask(digits: str, mask: str) -> bool:
    first, last = mask.partition("*")[0], mask.rpartition("*")[2]
    return digits.startswith(first) and digits.endswith(last)


def _is_due(target: PaymentTarget) -> bool:
    return bool(target.amount_minor) and target.status not in STATUSES_WITHOUT_FEE
