"""Notifies payers by SMS of the outcome of a payment, and by e-mail of a receipt, in the transaction of that outcome."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import Row, select

from core.types import TextRenderer
from db.database import Transaction
from db.tables import applications
from services.messaging.messages import Messages
from services.messaging.models import Message
from services.payments.keys import bill_account
from services.payments.wallets.base import UNPAID_OUTCOMES

Facts: TypeAlias = Mapping[str, object]
EnqueueEmail: TypeAlias = Callable[[Transaction, int, str, str], Awaitable[None]]
"""Enqueues an e-mail to an account with a verified address: transaction, account, text, idempotency key."""


@dataclass(frozen=True, slots=True)
class ReceiptEmails:
    """How receipts are rendered and enqueued as e-mail."""

    render_text: TextRenderer
    enqueue: EnqueueEmail


class PaymentNotifier:
    """The messages about payments; without `emails` there are only SMS."""

    def __init__(
        self,
        messages: Messages,
        render_text: TextRenderer,
        emails: ReceiptEmails | None = None,
        *,
        pay_bill: str = "",
    ) -> None:
        """`pay_bill`: the number to which a fee is paid by its tracking number; empty where there is none."""
        self._messages = messages
        self._render_text = render_text
        self._emails = emails
        self._pay_bill = pay_bill

    async def notify_paid(self, transaction: Transaction, row: Row[Any]) -> None:
        """Send the receipt of a fee to the payer, and to the applicant if that is another number.

        The payer of a bill is notified when its biller has accepted it, or is late.
        """
        if row.purpose != "fee":
            return
        facts = payment_facts(row)
        await self._enqueue_sms(transaction, row, self._render_text(row.language, "fee_paid", facts), "paid")
        applicant = await _find_applicant(transaction, row.reference)
        if applicant and applicant.msisdn != row.payer:
            text = self._render_text(applicant.language, "fee_paid", facts)
            key = f"{row.idempotency_key}/paid/applicant"
            await self._messages.enqueue(transaction, Message(applicant.msisdn, text, "payment", key))
        await self._enqueue_email(transaction, row, self._render_email(row.language, "fee_paid", facts))

    async def notify_bill_posted(self, transaction: Transaction, row: Row[Any], facts: Facts) -> None:
        """Send the receipt of a bill, with the biller's facts."""
        bill_facts = {**payment_facts(row), **facts}
        await self._enqueue_sms(transaction, row, self._render_text(row.language, "bill_paid", bill_facts), "paid")
        await self._enqueue_email(transaction, row, self._render_email(row.language, "bill_paid", bill_facts))

    async def notify_bill_delayed(self, transaction: Transaction, row: Row[Any], facts: Facts) -> None:
        """Tell the payer that the bill is paid and the biller does not answer."""
        text = self._render_text(row.language, "bill_waits", {**payment_facts(row), **facts})
        await self._enqueue_sms(transaction, row, text, "waits")

    async def notify_unpaid(self, transaction: Transaction, row: Row[Any], reason: str) -> None:
        """Tell the payer that nothing was charged, where to try again, and the pay bill number if there is one."""
        why = reason if reason in UNPAID_OUTCOMES else "failed"
        facts = {**payment_facts(row), "why": why, **self._pay_bill_facts(row)}
        text = self._render_text(row.language, "unpaid_bill" if row.purpose == "bill" else "unpaid_fee", facts)
        await self._enqueue_sms(transaction, row, text, "unpaid")

    async def notify_unresolved(self, transaction: Transaction, row: Row[Any]) -> None:
        """Tell the payer that the outcome is unknown, and not to pay again meanwhile."""
        await self._enqueue_sms(
            transaction, row, self._render_text(row.language, "in_doubt", payment_facts(row)), "in_doubt"
        )

    async def notify_amount_differs(self, transaction: Transaction, row: Row[Any]) -> None:
        """Tell the payer by reference that the money has come, and that a person looks at it."""
        facts = {**payment_facts(row), "fee": [row.amount_minor, row.currency]}
        await self._enqueue_sms(
            transaction, row, self._render_text(row.language, "amount_differs", facts), "amount_differs"
        )

    async def notify_refunded(
        self, transaction: Transaction, row: Row[Any], refund: int, amount_minor: int, category: str = ""
    ) -> None:
        """Tell the payer that this amount was refunded, and why where the category says it."""
        facts = {**payment_facts(row), "paid": [amount_minor, row.currency], "why": category or None}
        await self._enqueue_sms(
            transaction, row, self._render_text(row.language, "refunded", facts), f"refunded/{refund}"
        )

    def _pay_bill_facts(self, row: Row[Any]) -> Facts:
        account = row.reference if row.purpose == "fee" else bill_account(row.id)
        return {"pay_bill": self._pay_bill, "pay_account": account} if self._pay_bill else {}

    def _render_email(self, language: str, text: str, facts: Facts) -> str:
        return self._emails.render_text(language, text, facts) if self._emails else ""

    async def _enqueue_sms(self, transaction: Transaction, row: Row[Any], text: str, suffix: str) -> None:
        await self._messages.enqueue(
            transaction, Message(row.payer, text, "payment", f"{row.idempotency_key}/{suffix}")
        )

    async def _enqueue_email(self, transaction: Transaction, row: Row[Any], text: str) -> None:
        if self._emails and row.account:
            await self._emails.enqueue(transaction, row.account, text, f"{row.idempotency_key}/paid")


async def _find_applicant(transaction: Transaction, tracking_number: str) -> Row[Any] | None:
    found = select(applications.c.msisdn, applications.c.language)
    return (await transaction.execute(found.where(applications.c.tracking_number == tracking_number))).one_or_none()


def payment_facts(row: Row[Any]) -> dict[str, object]:
    """Return the facts of a payment for texts: a service or a biller, and a tracking number where there is one."""
    fee = row.purpose == "fee"
    amount = row.amount_minor if row.paid_minor is None else row.paid_minor
    return {
        "service": row.subject if fee else None,
        "biller": None if fee else row.subject,
        "number": row.reference if fee else None,
        "paid": [amount, row.currency],
        "receipt": row.receipt or "",
    }
