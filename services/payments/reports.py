"""What a wallet says became of a payment, and what that makes of it: in any order, more than once, and late.

All payments of one reference are held while one of them is settled. Only one of them is ever *paid*: money that came for
what was paid already is *surplus*, and given back.
"""

import json
from typing import Any, Final, Literal, Protocol

import structlog
from sqlalchemy import Row, select, update
from sqlalchemy.exc import IntegrityError

from services.audit import Act, Audit
from services.given import Clock, Sealing
from services.payments.port import NOT_PAID, Report
from services.payments.values import OPEN
from services.records.database import Records, Transaction
from services.records.tables import bills, payment_refunds, payment_reports, payments

TRIES: Final = 3  # of a transaction that somebody's new payment for the same reference got in the way of
TWICE: Final = "PaidTwice"
UNSETTLED: Final = frozenset({"asked", "sending", "pending", "unknown"})
LONGEST_WORD: Final = 40

log = structlog.get_logger()


class Tell(Protocol):
    """Tells a payer what became of a payment, in the transaction in which it became that."""

    async def paid(self, transaction: Transaction, row: Row[Any]) -> None:
        """It is paid."""

    async def unpaid(self, transaction: Transaction, row: Row[Any], reason: str) -> None:
        """Nothing was charged, for this reason."""

    async def doubtful(self, transaction: Transaction, row: Row[Any]) -> None:
        """Nobody knows yet."""


class Reports:
    """Notes reports."""

    def __init__(self, records: Records, seal: Sealing, tell: Tell, audit: Audit, clock: Clock) -> None:
        self._records = records
        self._seal = seal
        self._tell = tell
        self._audit = audit
        self._clock = clock

    async def take(self, key: str, report: Report, how: Literal["callback", "query"]) -> int | None:
        """Note a report once, and what follows from it; the payment's id, or None where no payment has this key."""
        for left in reversed(range(TRIES)):
            try:
                async with self._records.transaction() as transaction:
                    return await self._take(transaction, key, report, how)
            except IntegrityError:
                if not left:
                    raise
        raise AssertionError("the last try returns or raises")

    async def held(self, transaction: Transaction, payment: int) -> Row[Any]:
        """This payment, which nobody else can change now, nor any other of its reference."""
        row = await self.held_or_none(transaction, payment)
        if row is None:
            raise LookupError(f"There is no payment {payment}.")
        return row

    async def held_or_none(self, transaction: Transaction, payment: int) -> Row[Any] | None:
        """The same; None where there is none."""
        rows = await self._of_reference(transaction, select(payments.c.reference).where(payments.c.id == payment))
        return next((row for row in rows if row.id == payment), None)

    async def paid(self, transaction: Transaction, row: Row[Any], receipt: str, amount: int | None) -> None:
        """It is paid; or surplus, where something else has paid this or may just be doing so."""
        others = await self._others(transaction, row)
        for other in others:
            if other.status == "asked":  # nobody heard of it yet, and nobody need
                await self._end(transaction, other, status="failed", reason="PaidAlready")
        taken = [other for other in others if other.status in {*OPEN, "paid"} and other.status != "asked"]
        status = "surplus" if taken else "paid"
        kept = {"receipt": receipt or row.receipt, "paid_minor": row.amount_minor if amount is None else amount}
        await self._end(transaction, row, status=status, reason=None, **kept)
        await self._follow(transaction, row, status, any(other.status == "paid" for other in taken))

    async def unpaid(self, transaction: Transaction, row: Row[Any], status: str, reason: str) -> None:
        """Nothing was charged; if money for the same is lying here, it is what it is paid with."""
        await self._end(transaction, row, status=status, reason=reason[:LONGEST_WORD])
        others = await self._others(transaction, row)
        spare = next((other for other in others if other.status == "surplus"), None)
        if spare is not None and not any(other.status in {*OPEN, "paid"} for other in others):
            await self.paid(transaction, spare, spare.receipt or "", spare.paid_minor)
        else:
            await self._tell.unpaid(transaction, row, reason)

    async def _take(self, transaction: Transaction, key: str, report: Report, how: str) -> int | None:
        of_key = select(payments.c.reference).where(payments.c.key == key)
        row = next((one for one in await self._of_reference(transaction, of_key) if one.key == key), None)
        if report.outcome in {"pending", "unknown"}:
            return await self._still(transaction, row, report)
        if await self._keep(transaction, key, row, report, how) and row is not None:
            await self._settle(transaction, row, report)
        return None if row is None else row.id

    async def _still(self, transaction: Transaction, row: Row[Any] | None, report: Report) -> int | None:
        """That it is pending is news of one that may not have been asked; nothing else is."""
        if row is None:
            return None
        if report.outcome == "pending" and row.status == "unknown":
            await self._change(transaction, row, status="pending", request=row.request or report.request or None)
        return int(row.id)

    async def _settle(self, transaction: Transaction, row: Row[Any], report: Report) -> None:
        if row.request and report.request and row.request != report.request:
            log.error("a report names another request than the payment has", payment=row.id)
            return
        if report.request and not row.request:
            await self._change(transaction, row, request=report.request)
        if report.outcome == "paid":
            await self._money(transaction, row, report)
        elif report.outcome in NOT_PAID and row.status in UNSETTLED:
            status = "expired" if report.outcome == "expired" else "failed"
            await self.unpaid(transaction, row, status, report.outcome)
        else:
            log.warning("a payment that had ended was said to have failed", payment=row.id, status=row.status)

    async def _money(self, transaction: Transaction, row: Row[Any], report: Report) -> None:
        """Money came. Another amount than was asked for is nobody's to take as paid but a person's."""
        amount = report.amount_minor
        if row.status in {"paid", "surplus", "differs", "refunded"}:
            await self._again(transaction, row, report)
        elif amount is not None and amount != row.amount_minor:
            await self._differs(transaction, row, report)
        else:
            await self.paid(transaction, row, report.receipt, amount)

    async def _again(self, transaction: Transaction, row: Row[Any], report: Report) -> None:
        """What is said once more fills in what was not said before; another receipt is a second charge."""
        if row.receipt and report.receipt and row.receipt != report.receipt:
            log.error("a payment was charged twice by the wallet", payment=row.id)
            await self._change(transaction, row, reason=TWICE)
            return
        if row.status == "paid" and report.amount_minor not in {None, row.paid_minor}:
            await self._differs(transaction, row, report)
            return
        await self._change(transaction, row, receipt=row.receipt or report.receipt or None)

    async def _differs(self, transaction: Transaction, row: Row[Any], report: Report) -> None:
        log.error("another amount was paid than was asked for", payment=row.id)
        status = "surplus" if await self._taken(transaction, row) else "differs"
        facts = {"paid_minor": report.amount_minor, "receipt": report.receipt or row.receipt}
        await self._end(transaction, row, status=status, reason="AmountDiffers", **facts)

    async def _taken(self, transaction: Transaction, row: Row[Any]) -> bool:
        return any(other.status in {*OPEN, "paid"} for other in await self._others(transaction, row))

    async def _follow(self, transaction: Transaction, row: Row[Any], status: str, paid_before: bool) -> None:
        """What is done once there is money: a bill is posted, the payer told; what came twice is given back."""
        await self._audit.note(transaction, _came(row, status))
        if status == "surplus":
            log.error("something was paid twice", payment=row.id)
            if paid_before:
                await self._give_back(transaction, row)
            return
        if row.bill:
            now = self._clock()
            owed = update(bills).where(bills.c.id == row.bill, bills.c.posting.is_(None))
            await transaction.execute(owed.values(posting="due", due_at=now, updated_at=now))
        settled = await self.held(transaction, row.id)
        await self._tell.paid(transaction, settled)
        for spare in await self._others(transaction, settled):
            if spare.status == "surplus":
                await self._give_back(transaction, spare)

    async def _give_back(self, transaction: Transaction, row: Row[Any]) -> None:
        now = self._clock()
        back = {
            "payment": row.id,
            "amount_minor": row.paid_minor or row.amount_minor,
            "actor": "gateway",
            "why": TWICE,
            "status": "asked",
            "due_at": now,
            "effect": f"{row.effect}/surplus",
            "created_at": now,
            "updated_at": now,
        }
        await transaction.execute(self._records.insert_once(payment_refunds), back)

    async def _keep(self, transaction: Transaction, key: str, row: Row[Any] | None, report: Report, how: str) -> bool:
        """Whether this is new."""
        said = [key, report.outcome, report.reason, report.request, report.receipt, report.amount_minor]
        kept = {
            "payment": None if row is None else row.id,
            "how": how,
            "outcome": report.outcome,
            "reason": report.reason[:LONGEST_WORD] or None,
            "request": report.request or None,
            "receipt": report.receipt or None,
            "amount_minor": report.amount_minor,
            "digest": self._seal.name("payment report", json.dumps(said)),
            "heard_at": self._clock(),
        }
        inserted = self._records.insert_once(payment_reports).returning(payment_reports.c.id)
        return (await transaction.execute(inserted, kept)).scalar_one_or_none() is not None

    async def _of_reference(self, transaction: Transaction, reference: Any) -> list[Row[Any]]:
        """Every payment of it, held in the order in which they were made: so nobody waits for who waits for them."""
        held = select(payments).where(payments.c.reference == reference.scalar_subquery())
        return list(await transaction.execute(held.order_by(payments.c.id).with_for_update()))

    async def _others(self, transaction: Transaction, row: Row[Any]) -> list[Row[Any]]:
        same = select(payments).where(payments.c.reference == row.reference, payments.c.id != row.id)
        return list(await transaction.execute(same.order_by(payments.c.id)))

    async def _end(self, transaction: Transaction, row: Row[Any], **columns: Any) -> None:
        await self._change(transaction, row, due_at=None, ended_at=self._clock(), **columns)

    async def _change(self, transaction: Transaction, row: Row[Any], **columns: Any) -> None:
        changed = update(payments).where(payments.c.id == row.id)
        await transaction.execute(changed.values(**columns, updated_at=self._clock()))


def _came(row: Row[Any], status: str) -> Act:
    return Act("gateway", "payments", status, "payment", str(row.id), row.channel, f"{row.effect}/{status}")
