"""Tells payers by SMS what became of a payment, and by e-mail too what was paid; in the transaction in which it became that."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import Row

from services.given import Say
from services.messages import Message, Messages
from services.payments.port import NOT_PAID
from services.records.database import Transaction

Facts: TypeAlias = Mapping[str, object]
Send: TypeAlias = Callable[[Transaction, int, str, str], Awaitable[None]]
"""Queues a letter to an account that has a verified address: transaction, account, text, effect."""


@dataclass(frozen=True, slots=True)
class Letters:
    """How e-mail is written, and sent."""

    write: Say
    send: Send


class Telling:
    """The messages about payments; without `letters` there is no e-mail."""

    def __init__(self, messages: Messages, say: Say, letters: Letters | None = None) -> None:
        self._messages = messages
        self._say = say
        self._letters = letters

    async def paid(self, transaction: Transaction, row: Row[Any]) -> None:
        """A fee's receipt. Of a bill the payer is told when its biller knows, or that it does not yet."""
        if row.purpose != "fee":
            return
        facts = told_of(row)
        await self._text(transaction, row, self._say(row.language, "fee_paid", facts), "paid")
        await self._letter(transaction, row, self._write(row.language, "fee_paid", facts))

    async def posted(self, transaction: Transaction, row: Row[Any], facts: Facts) -> None:
        """A bill's receipt, with what its biller said."""
        said = {**told_of(row), **facts}
        await self._text(transaction, row, self._say(row.language, "bill_paid", said), "paid")
        await self._letter(transaction, row, self._write(row.language, "bill_paid", said))

    async def waits(self, transaction: Transaction, row: Row[Any], facts: Facts) -> None:
        """A bill is paid, and its biller does not answer."""
        said = self._say(row.language, "bill_waits", {**told_of(row), **facts})
        await self._text(transaction, row, said, "waits")

    async def unpaid(self, transaction: Transaction, row: Row[Any], reason: str) -> None:
        """Nothing was charged."""
        why = reason if reason in NOT_PAID else "failed"
        await self._text(transaction, row, self._say(row.language, "unpaid", {**told_of(row), "why": why}), "unpaid")

    async def doubtful(self, transaction: Transaction, row: Row[Any]) -> None:
        """Nobody knows, and it must not be paid again meanwhile."""
        await self._text(transaction, row, self._say(row.language, "in_doubt", told_of(row)), "in_doubt")

    async def refunded(self, transaction: Transaction, row: Row[Any], refund: int, amount_minor: int) -> None:
        """Some of it is with the payer again."""
        facts = {**told_of(row), "paid": [amount_minor, row.currency]}
        await self._text(transaction, row, self._say(row.language, "refunded", facts), f"refunded/{refund}")

    def _write(self, language: str, text: str, facts: Facts) -> str:
        return self._letters.write(language, text, facts) if self._letters else ""

    async def _text(self, transaction: Transaction, row: Row[Any], text: str, about: str) -> None:
        await self._messages.queue(transaction, Message(row.payer, text, "payment", f"{row.effect}/{about}"))

    async def _letter(self, transaction: Transaction, row: Row[Any], text: str) -> None:
        if self._letters and row.account:
            await self._letters.send(transaction, row.account, text, f"{row.effect}/paid")


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
