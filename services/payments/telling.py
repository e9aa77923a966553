"""Tells payers by SMS what became of a payment, and by e-mail too what was paid; in the transaction in which it became that."""

from collections.abc import Mapping
from typing import Any, Protocol

from sqlalchemy import Row

from services.given import Say
from services.messages import Message, Messages
from services.payments.port import NOT_PAID
from services.records.database import Transaction


class TellElsewhere(Protocol):
    """Queues a receipt where else an account wants it."""

    async def __call__(
        self,
        transaction: Transaction,
        account: int,
        language: str,
        facts: Mapping[str, object],
        effect: str,
        *,
        text: str,
    ) -> None:
        """Within which transaction, whose, in which language, what it says, once an effect; `text` is which."""


class Telling:
    """The messages about payments."""

    def __init__(self, messages: Messages, say: Say, tell_elsewhere: TellElsewhere | None = None) -> None:
        self._messages = messages
        self._say = say
        self._tell_elsewhere = tell_elsewhere

    async def paid(self, transaction: Transaction, row: Row[Any]) -> None:
        """A fee's receipt. Of a bill the payer is told when its biller knows, or that it does not yet."""
        if row.purpose != "fee":
            return
        await self._receipt(transaction, row, "fee_paid", told_of(row))

    async def posted(self, transaction: Transaction, row: Row[Any], facts: Mapping[str, object]) -> None:
        """A bill's receipt, with what its biller said."""
        await self._receipt(transaction, row, "bill_paid", {**told_of(row), **facts})

    async def waits(self, transaction: Transaction, row: Row[Any], facts: Mapping[str, object]) -> None:
        """A bill is paid, and its biller does not answer."""
        await self._send(transaction, row, "bill_waits", {**told_of(row), **facts})

    async def unpaid(self, transaction: Transaction, row: Row[Any], reason: str) -> None:
        """Nothing was charged."""
        why = reason if reason in NOT_PAID else "failed"
        await self._send(transaction, row, "unpaid", {**told_of(row), "why": why})

    async def doubtful(self, transaction: Transaction, row: Row[Any]) -> None:
        """Nobody knows, and it must not be paid again meanwhile."""
        await self._send(transaction, row, "in_doubt", told_of(row))

    async def refunded(self, transaction: Transaction, row: Row[Any], amount_minor: int) -> None:
        """Some of it is with the payer again."""
        facts = {**told_of(row), "paid": [amount_minor, row.currency]}
        text = self._say(row.language, "refunded", facts)
        once = f"{row.effect}/refunded/{amount_minor}"
        await self._messages.queue(transaction, Message(row.payer, text, "payment", once))

    async def _receipt(self, transaction: Transaction, row: Row[Any], text: str, facts: Mapping[str, object]) -> None:
        await self._send(transaction, row, text, facts)
        if self._tell_elsewhere and row.account:
            whose = (transaction, row.account, row.language, facts)
            await self._tell_elsewhere(*whose, f"{row.effect}/{text}", text=text)

    async def _send(self, transaction: Transaction, row: Row[Any], text: str, facts: Mapping[str, object]) -> None:
        said = self._say(row.language, text, facts)
        await self._messages.queue(transaction, Message(row.payer, said, "payment", f"{row.effect}/{text}"))


def told_of(row: Row[Any]) -> dict[str, object]:
    """The facts of a payment that texts say: a service or a biller, and a tracking number where there is one."""
    fee = row.purpose == "fee"
    amount = row.amount_minor if row.paid_minor is None else row.paid_minor
    return {
        "service": row.subject if fee else None,
        "biller": None if fee else row.subject,
        "number": row.reference if fee else None,
        "paid": [amount, row.currency],
        "receipt": row.receipt or "",
    }
