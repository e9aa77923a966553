"""Giving back what was paid: recorded with who wants it and why, never more than came, and asked of the wallet once."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import structlog
from sqlalchemy import Row, Select, Update, func, select, update

from services.audit import Act, Actor, Audit
from services.given import Clock, utc_now
from services.payments.port import ByHand, Declined, GivenBack, Return, Returned, Unclear
from services.payments.values import GRACE, HOLDS_MONEY, NotRefunded
from services.records.database import Records, Transaction
from services.records.tables import payment_refunds, payments

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Giving:
    """Who wants it given back, and why: a code or an id, and a line of their own."""

    actor_kind: Actor
    actor: str
    why: str
    effect: str


class Tell(Protocol):
    """Tells a payer that something was given back, in the transaction that notes it."""

    async def refunded(self, transaction: Transaction, row: Row[Any], refund: int, amount_minor: int) -> None:
        """So much of this payment, by this refund."""


class Refunds:
    """What is given back."""

    def __init__(self, records: Records, tell: Tell, *, clock: Clock = utc_now) -> None:
        self._records = records
        self._tell = tell
        self._clock = clock
        self._audit = Audit(records, clock=clock)

    async def ask(self, payment: int, amount_minor: int | None, giving: Giving) -> int | NotRefunded:
        """Have so much given back, or all that is left; the id of the refund, the same for the same effect."""
        async with self._records.transaction() as transaction:
            return await self.ask_within(transaction, payment, amount_minor, giving)

    async def ask_within(
        self, transaction: Transaction, payment: int, amount_minor: int | None, giving: Giving
    ) -> int | NotRefunded:
        """The same, within the transaction of what it is given back for."""
        held = select(payments).where(payments.c.id == payment).with_for_update()
        row = (await transaction.execute(held)).one_or_none()
        if row is None:
            return NotRefunded("unknown")
        if earlier := await self._earlier(transaction, giving.effect):
            return earlier
        if row.status not in HOLDS_MONEY:
            return NotRefunded("not_paid")
        left = (row.paid_minor or 0) - await self._given(transaction, payment)
        wanted = left if amount_minor is None else amount_minor
        if not 0 < wanted <= left:
            return NotRefunded("too_much")
        return await self._record(transaction, row, wanted, giving)

    async def claim(self) -> tuple[int, Return] | None:
        """One that the wallet is to be asked for now; marked first, so that nobody ever asks for it again."""
        now = self._clock()
        async with self._records.transaction() as transaction:
            await transaction.execute(_abandoned(now))
            due = (payment_refunds.c.status == "asked", payment_refunds.c.due_at <= now)
            free = select(payment_refunds).where(*due).limit(1).with_for_update(skip_locked=True)
            refund = (await transaction.execute(free)).one_or_none()
            if refund is None:
                return None
            await self._note(transaction, refund.id, status="sending", due_at=now + GRACE)
            row = (await transaction.execute(select(payments).where(payments.c.id == refund.payment))).one()
        return refund.id, _return(row, refund)

    async def answered(self, refund: int, answer: GivenBack) -> None:
        """Note what the wallet answered."""
        async with self._records.transaction() as transaction:
            match answer:
                case Returned(receipt):
                    await self._done(transaction, refund, receipt)
                case ByHand():
                    await self._note(transaction, refund, status="by_hand", due_at=None)
                case Declined(reason) | Unclear(reason):
                    status = "failed" if isinstance(answer, Declined) else "unknown"
                    log.error("money could not be given back", refund=refund, status=status, reason=reason)
                    await self._note(transaction, refund, status=status, reason=reason, due_at=None)

    async def returned(self, refund: int, actor: str, receipt: str) -> bool:
        """A person gave it back in the wallet's own portal, or found that it was; False where there is none to give."""
        async with self._records.transaction() as transaction:
            left = payment_refunds.c.status.in_(("by_hand", "unknown", "failed"))
            found = select(payment_refunds).where(payment_refunds.c.id == refund, left).with_for_update()
            if (await transaction.execute(found)).one_or_none() is None:
                return False
            await self._done(transaction, refund, receipt)
            act = Act("staff", actor, "returned", "payment", str(refund), "terminal", f"returned:{refund}")
            await self._audit.note(transaction, act)
        return True

    async def _record(self, transaction: Transaction, row: Row[Any], amount_minor: int, giving: Giving) -> int:
        now = self._clock()
        refund = {
            "payment": row.id,
            "amount_minor": amount_minor,
            "actor": giving.actor,
            "why": giving.why[:160],
            "status": "asked",
            "due_at": now,
            "effect": giving.effect,
            "created_at": now,
            "updated_at": now,
        }
        made = self._records.insert(payment_refunds).returning(payment_refunds.c.id)
        made_id = int((await transaction.execute(made, refund)).scalar_one())
        details = {"amount": str(amount_minor), "currency": row.currency}
        of = str(row.id)
        act = Act(giving.actor_kind, giving.actor, "refund", "payment", of, row.channel, giving.effect, details=details)
        await self._audit.note(transaction, act)
        return made_id

    async def _done(self, transaction: Transaction, refund: int, receipt: str) -> None:
        await self._note(transaction, refund, status="returned", receipt=receipt, due_at=None, reason=None)
        of_refund = select(payment_refunds.c.payment).where(payment_refunds.c.id == refund).scalar_subquery()
        row = (await transaction.execute(select(payments).where(payments.c.id == of_refund).with_for_update())).one()
        amount = select(payment_refunds.c.amount_minor).where(payment_refunds.c.id == refund)
        if await self._given(transaction, row.id, only_returned=True) >= (row.paid_minor or 0):
            ended = update(payments).where(payments.c.id == row.id)
            await transaction.execute(ended.values(status="refunded", updated_at=self._clock()))
        await self._tell.refunded(transaction, row, refund, (await transaction.execute(amount)).scalar_one())

    async def _given(self, transaction: Transaction, payment: int, *, only_returned: bool = False) -> int:
        """How much was given back or may yet be; what has failed is not."""
        counts = payment_refunds.c.status == "returned" if only_returned else payment_refunds.c.status != "failed"
        given = select(func.coalesce(func.sum(payment_refunds.c.amount_minor), 0))
        return int((await transaction.execute(given.where(payment_refunds.c.payment == payment, counts))).scalar_one())

    async def _earlier(self, transaction: Transaction, effect: str) -> int | None:
        known: Select[Any] = select(payment_refunds.c.id).where(payment_refunds.c.effect == effect)
        return (await transaction.execute(known)).scalar_one_or_none()

    async def _note(self, transaction: Transaction, refund: int, **columns: Any) -> None:
        changed = update(payment_refunds).where(payment_refunds.c.id == refund)
        await transaction.execute(changed.values(**columns, updated_at=self._clock()))


def _abandoned(now: datetime) -> Update:
    """One that was asked of the wallet by a worker that is gone is left to a person: it may have been given back."""
    left = (payment_refunds.c.status == "sending", payment_refunds.c.due_at <= now)
    return (
        update(payment_refunds).where(*left).values(status="unknown", reason="WorkerGone", due_at=None, updated_at=now)
    )


def _return(row: Row[Any], refund: Row[Any]) -> Return:
    return Return(
        refund=f"refund-{refund.id}",
        key=row.key,
        payer=row.payer,
        request=row.request or "",
        receipt=row.receipt or "",
        amount_minor=refund.amount_minor,
        currency=row.currency,
    )
