"""The payments as rows: written before a wallet is asked, claimed by one worker, and settled by whatever comes first.

A row is marked *sending* and committed before the wallet hears of it. Whatever happens then, it is never asked again:
what came of it is told by a callback, which may overtake the answer, or found by asking.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, Literal

import structlog
from sqlalchemy import ColumnElement, Row, Select, func, select, union_all, update

from services.audit import Act, Audit
from services.channels import BY_CALL
from services.closed import still_open
from services.given import Clock, Sealing, utc_now
from services.payments.port import Answer, Declined, Pushed, Report
from services.payments.reports import Reports, Tell
from services.payments.values import (
    DOUBTFUL,
    GRACE,
    MOST_ASKED,
    OPEN,
    WITHIN,
    Counts,
    Due,
    Paid,
    Stands,
    Wanted,
    next_look,
)
from services.records.database import Records, Transaction
from services.records.tables import POSTING, bills, payment_refunds, payments

_AS_WANTED = ("purpose", "reference", "subject", "payer", "amount_minor", "currency", "language", "channel")
_AS_DUE = ("id", "key", "purpose", "reference", "payer", "amount_minor", "currency", "tries")

log = structlog.get_logger()


class Payments:
    """Every payment. `after_call` is how long a call may still be open once it was told that it ends."""

    def __init__(
        self,
        records: Records,
        seal: Sealing,
        wallet: str,
        tell: Tell,
        *,
        after_call: timedelta = timedelta(),
        clock: Clock = utc_now,
    ) -> None:
        self._records = records
        self._seal = seal
        self._wallet = wallet
        self._after_call = after_call
        self._clock = clock
        self._audit = Audit(records, clock=clock)
        self._reports = Reports(records, seal, tell, self._audit, clock)
        self._tell = tell
        self.stirred = asyncio.Event()  # there is something to do for a worker of this process
        self.ended: Counter[str] = Counter()

    async def pay(self, wanted: Wanted, effect: str) -> Paid:
        """Have it asked of the payer's wallet, unless it is paid or just being paid; the same effect is one payment."""
        async with self._records.transaction() as transaction:
            if await self._known(transaction, effect):
                return "asked"
            if await self._too_often(transaction, wanted.payer):
                return "too_many"
            made = self._records.insert_once(payments).returning(payments.c.id)
            payment = (await transaction.execute(made, self._row(wanted, effect))).scalar_one_or_none()
            if payment is not None:
                await still_open(transaction, wanted.account, effect)
                await self._audit.note(transaction, _act(payment, wanted, effect))
                transaction.afterwards(self.stirred.set)
            if payment is not None or await self._known(transaction, effect):
                return "asked"
        stands = await self.stands(wanted.reference, lambda _: True)
        return "pending" if stands == "due" else stands  # what was open a moment ago has just failed

    async def stands(self, reference: str, counts: Counts) -> Stands:
        """How what `reference` names stands, as far as payments count whose effect does."""
        asked = select(payments.c.status, payments.c.effect).where(payments.c.reference == reference)
        found = [row.status for row in await self._records.read(asked) if counts(row.effect)]
        if "paid" in found:
            return "paid"
        return "pending" if any(status in OPEN for status in found) else "due"

    async def claim(self, most: int) -> Sequence[Due]:
        """Those that are to be asked of the wallet now, marked *sending*: nobody else asks for them, ever."""
        now = self._clock()
        free = _free(payments.c.status == "asked", payments.c.due_at <= now).limit(most).cte("free")
        claimed = (
            update(payments)
            .where(payments.c.id.in_(select(free.c.id)))
            .values(status="sending", asked_at=now, due_at=now + GRACE, updated_at=now)
            .returning(payments)
        )
        async with self._records.transaction() as transaction:
            return [_due(row) for row in await transaction.execute(claimed)]

    async def answered(self, payment: int, answer: Answer) -> None:
        """Note what the wallet answered; what a callback has told meanwhile is not touched."""
        async with self._records.transaction() as transaction:
            row = await self._reports.held(transaction, payment)
            if isinstance(answer, Pushed) and not row.request:
                await self._note(transaction, payment, request=answer.request)
            if row.status not in {"sending", "unknown"}:
                return
            if isinstance(answer, Declined):
                await self._reports.unpaid(transaction, row, "failed", answer.reason)
                return
            now = self._clock()
            status = "pending" if isinstance(answer, Pushed) else "unknown"
            reason = None if isinstance(answer, Pushed) else answer.reason
            await self._note(transaction, payment, status=status, reason=reason, due_at=next_look(0, now))

    async def heard(self, key: str, report: Report, how: Literal["callback", "query"] = "callback") -> int | None:
        """Take a report of the payment with this key, its id; None, and the report is kept, where there is no such payment."""
        payment = await self._reports.take(key, report, how)
        self.ended[report.outcome] += 1
        self.stirred.set()
        return payment

    async def doubted(self, most: int) -> Sequence[Due]:
        """Those of which it is to be asked now what became of them; the next look at each is later than the one before.

        What has been *sending* for so long that its worker must be dead is among them: it may have been asked or not.
        """
        now = self._clock()
        async with self._records.transaction() as transaction:
            quiet = payments.c.status.in_(("sending", "pending", "unknown"))
            free = select(payments).where(quiet, payments.c.due_at <= now).order_by(payments.c.due_at)
            rows = (await transaction.execute(free.limit(most).with_for_update(skip_locked=True))).all()
            for row in rows:
                await self._look(transaction, row)
        return [_due(row) for row in rows]

    async def until_stirred(self, seconds: float) -> None:
        """Return when there may be something to do, and after so many seconds at the latest."""
        try:
            async with asyncio.timeout(seconds):
                await self.stirred.wait()
        except TimeoutError:
            return
        self.stirred.clear()

    async def idle_for(self, most: float) -> float:
        """In how many seconds something at the till is due, be it a refund or a bill: 0 for now, and `most` at most."""
        firsts = (await self._records.read(_FIRST_DUE)).scalars()
        waits = [(due - self._clock()).total_seconds() for due in firsts if due is not None]
        return float(max(min([*waits, most]), 0.0))

    async def settle(self, payment: int, outcome: Literal["paid", "failed"], actor: str, receipt: str = "") -> bool:
        """What a person found out of one that nobody knew of, or whose amount differs; False where it is neither."""
        async with self._records.transaction() as transaction:
            row = await self._reports.held_or_none(transaction, payment)
            if row is None or row.status not in OPEN:
                return False
            if outcome == "paid":
                await self._reports.paid(transaction, row, receipt, row.paid_minor)
            else:
                await self._reports.unpaid(transaction, row, "failed", "SettledByHand")
            act = Act("staff", actor, f"settled_{outcome}", "payment", str(payment), "terminal", f"settled:{payment}")
            await self._audit.note(transaction, act)
        return True

    async def _look(self, transaction: Transaction, row: Row[Any]) -> None:
        now, lost = self._clock(), row.status == "sending"
        changed = {"status": "unknown", "reason": "WorkerGone"} if lost else {}
        await self._note(transaction, row.id, tries=row.tries + 1, due_at=next_look(row.tries + 1, now), **changed)
        if lost:
            log.error("a payment was left by a worker that is gone", payment=row.id)
        if row.tries + 1 == DOUBTFUL:
            await self._tell.doubtful(transaction, row)

    async def _note(self, transaction: Transaction, payment: int, **columns: Any) -> None:
        changed = update(payments).where(payments.c.id == payment)
        await transaction.execute(changed.values(**columns, updated_at=self._clock()))

    async def _known(self, transaction: Transaction, effect: str) -> bool:
        known = select(payments.c.id).where(payments.c.effect == effect)
        return (await transaction.execute(known)).first() is not None

    async def _too_often(self, transaction: Transaction, payer: str) -> bool:
        since = self._clock() - WITHIN
        asked = select(func.count()).select_from(payments)
        counted = asked.where(payments.c.payer == payer, payments.c.created_at > since)
        return int((await transaction.execute(counted)).scalar_one()) >= MOST_ASKED

    def _row(self, wanted: Wanted, effect: str) -> Mapping[str, object]:
        now = self._clock()
        # while a call is open, no wallet can reach the phone
        wait = self._after_call if wanted.channel == BY_CALL else timedelta()
        return {
            **{name: getattr(wanted, name) for name in _AS_WANTED},
            "key": self._seal.name("payment", effect),
            "account": wanted.account or None,
            "bill": wanted.bill or None,
            "status": "asked",
            "wallet": self._wallet,
            "due_at": now + wait,
            "effect": effect,
            "created_at": now,
            "updated_at": now,
        }


_FIRST_DUE: Final = union_all(
    *(select(func.min(of.c.due_at)).where(of.c.due_at.is_not(None)) for of in (payments, payment_refunds)),
    select(func.min(bills.c.due_at)).where(POSTING),
)


def _free(*conditions: ColumnElement[bool]) -> Select[Any]:
    """Rows that nobody else holds; PostgreSQL passes over held ones, on SQLite nobody else is writing."""
    return select(payments.c.id).where(*conditions).order_by(payments.c.due_at).with_for_update(skip_locked=True)


def _due(row: Row[Any]) -> Due:
    plain = {name: getattr(row, name) for name in _AS_DUE}
    return Due(**plain, request=row.request or "", asked=row.asked_at)


def _act(payment: int, wanted: Wanted, effect: str) -> Act:
    details = {"purpose": wanted.purpose, "subject": wanted.subject}
    who = str(wanted.account or "")
    return Act("citizen", who, "pay", "payment", str(payment), wanted.channel, effect, details=details)
