"""The payments: recorded before the wallet is called, claimed by one worker, settled by the first report.

A row is marked *sending*, and committed, before the wallet is called, and is never pushed again. Its outcome comes by a
callback, which may overtake the wallet's answer, or by a status query.
"""

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, Literal

import structlog
from sqlalchemy import ColumnElement, Row, Select, func, or_, select, union_all, update

from core.clock_watch import FUTURE_MARGIN
from core.crypto import Cipher
from core.timeouts import Timeout
from core.types import CHANNEL_SMS, CHANNEL_USSD, UtcClock, utc_now
from db.database import Database, Transaction
from db.tables import POSTING_PENDING, bills, payment_refunds, payments
from services.audit.audit import AuditLog, build_staff_entry
from services.audit.models import AuditEntry
from services.audit.staff_acts import StaffAct
from services.citizens.closed_accounts import ensure_account_open
from services.payments.keys import new_webhook_key
from services.payments.models import (
    BY_REFERENCE,
    CASH,
    MAX_PUSHES,
    OPEN_STATUSES,
    POLLS_BEFORE_NOTICE,
    PUSH_WINDOW,
    UNPAID_STATUSES,
    WORKER_TIMEOUT,
    DuePayment,
    KeyPredicate,
    PaymentRequest,
    PaymentState,
    PayResult,
    next_poll,
)
from services.payments.notifications import PaymentNotifier
from services.payments.reconciliation import PaymentReconciler
from services.payments.wallets.base import Declined, PaymentReport, PushAccepted, PushResult

_REQUEST_COLUMNS = ("purpose", "reference", "subject", "payer", "amount_minor", "currency", "language", "channel")
_DUE_COLUMNS = ("id", "key", "purpose", "reference", "payer", "amount_minor", "currency", "attempts")

log = structlog.get_logger()


class Payments:
    """All payments. `push_delay` is how long a call may stay open after the screen that ends it."""

    def __init__(
        self,
        database: Database,
        cipher: Cipher,
        wallet: str,
        notifier: PaymentNotifier,
        *,
        push_delay: timedelta = timedelta(),
        clock: UtcClock = utc_now,
    ) -> None:
        self._database = database
        self._wallet = wallet
        self._push_delay = push_delay
        self._clock = clock
        self._audit = AuditLog(database, clock=clock)
        self._reconciler = PaymentReconciler(database, cipher, notifier, self._audit, clock)
        self._notifier = notifier
        self.wakeup = asyncio.Event()  # a worker of this process has something to do
        self.outcome_counts: Counter[str] = Counter()

    async def request_payment(self, request: PaymentRequest, idempotency_key: str) -> PayResult:
        """Request a payment, unless the reference is paid or being paid; the same idempotency key is one payment."""
        async with self._database.transaction() as transaction:
            if await self._is_known(transaction, idempotency_key):
                return "requested"
            if await self._is_rate_limited(transaction, request):
                return "too_many"
            insert = self._database.insert_or_ignore(payments).returning(payments.c.id)
            payment = (await transaction.execute(insert, self._row(request, idempotency_key))).scalar_one_or_none()
            if payment is not None:
                await ensure_account_open(transaction, request.account, idempotency_key)
                await self._audit.record(transaction, _build_act(payment, request, idempotency_key))
                transaction.after_transaction(self.wakeup.set)
            if payment is not None or await self._is_known(transaction, idempotency_key):
                return "requested"
        state = await self.state_of(request.reference, lambda _: True)
        return "pending" if state == "due" else state  # the payment that was open a moment ago has failed

    async def state_of(self, reference: str, is_counted: KeyPredicate) -> PaymentState:
        """Return the state of a reference, counting only payments whose key `is_counted` accepts."""
        return payment_state(await self.list_statuses(reference, is_counted))

    async def list_statuses(self, reference: str, is_counted: KeyPredicate) -> Sequence[str]:
        """Return the status of each payment of a reference whose key `is_counted` accepts."""
        statement = select(payments.c.status, payments.c.idempotency_key).where(payments.c.reference == reference)
        return [row.status for row in await self._database.fetch(statement) if is_counted(row.idempotency_key)]

    async def claim(self, limit: int) -> Sequence[DuePayment]:
        """Claim at most `limit` payments to push; they are marked *sending*, and never pushed again."""
        now = self._clock()
        free = _select_unlocked(payments.c.status == "requested", payments.c.due_at <= now).limit(limit).cte("free")
        claimed = (
            update(payments)
            .where(payments.c.id.in_(select(free.c.id)))
            .values(status="sending", requested_at=now, due_at=now + WORKER_TIMEOUT, updated_at=now)
            .returning(payments)
        )
        async with self._database.transaction() as transaction:
            return [_due_from_row(row) for row in await transaction.execute(claimed)]

    async def record_push_result(self, payment: int, result: PushResult) -> None:
        """Record the wallet's answer to a push; what a callback has settled meanwhile stays."""
        async with self._database.transaction() as transaction:
            row = await self._reconciler.lock_payment(transaction, payment)
            if isinstance(result, PushAccepted) and not row.request:
                await self._update(transaction, payment, request=result.request_id)
            if row.status not in {"sending", "unknown"}:
                return
            if isinstance(result, Declined):
                await self._reconciler.settle_unpaid(transaction, row, "failed", result.reason)
                return
            now = self._clock()
            status = "pending" if isinstance(result, PushAccepted) else "unknown"
            reason = None if isinstance(result, PushAccepted) else result.reason
            await self._update(transaction, payment, status=status, reason=reason, due_at=next_poll(0, now))

    async def record_report(
        self, key: str, report: PaymentReport, source: Literal["callback", "query"] = "callback"
    ) -> int | None:
        """Apply a report of the payment with this key; return its id, or None, and the report is stored, if there is none."""
        payment = await self._reconciler.record(key, report, source)
        if payment is None:
            self.outcome_counts["unmatched"] += 1
            return None
        self.outcome_counts[report.outcome] += 1
        self.wakeup.set()
        return payment

    async def claim_unresolved(self, limit: int) -> Sequence[DuePayment]:
        """Claim at most `limit` payments whose status is due to be queried; the next query of each is later than the last.

        Payments left *sending* by a dead worker are among them: the wallet may have received the request or not.
        """
        now = self._clock()
        async with self._database.transaction() as transaction:
            quiet = payments.c.status.in_(("sending", "pending", "unknown"))
            free = select(payments).where(quiet, payments.c.due_at <= now).order_by(payments.c.due_at)
            rows = (await transaction.execute(free.limit(limit).with_for_update(skip_locked=True))).all()
            for row in rows:
                await self._schedule_poll(transaction, row)
        return [_due_from_row(row) for row in rows]

    async def push_after_call(self, session_id: str) -> int:
        """Make due the payments that wait for the end of this call; return their number.

        A payment that the caller had begun in an earlier call has the key of that one, and waits for `push_delay`. A key begins
        with the session, or where each input is a session of its own, with the session and the id of the input.
        """
        now = self._clock()
        of_call = or_(*(payments.c.idempotency_key.startswith(f"{session_id}{end}", autoescape=True) for end in ":/"))
        waiting = (payments.c.status == "requested", payments.c.due_at > now, of_call)
        async with self._database.transaction() as transaction:
            count = (await transaction.execute(update(payments).where(*waiting).values(due_at=now))).rowcount
            if count:
                transaction.after_transaction(self.wakeup.set)
        return count

    async def make_future_due(self) -> int:
        """Make due the payments that were changed at a time that is still to come; return their number.

        The clock was set back since. What is being sent stays: its due time is the end of a claim.
        """
        now = self._clock()
        early = (payments.c.updated_at > now + FUTURE_MARGIN, payments.c.due_at.is_not(None))
        async with self._database.transaction() as transaction:
            made_due = update(payments).where(*early, payments.c.status != "sending").values(due_at=now, updated_at=now)
            return (await transaction.execute(made_due)).rowcount

    async def wait_for_wakeup(self, seconds: float) -> None:
        """Return when there may be something to do, or after this many seconds."""
        try:
            async with Timeout(seconds):
                await self.wakeup.wait()
        except TimeoutError:
            return
        self.wakeup.clear()

    async def seconds_until_due(self, maximum: float) -> float:
        """Return the seconds until a payment, refund or bill is due: 0 for now, at most `maximum`."""
        firsts = (await self._database.fetch(_FIRST_DUE)).scalars()
        waits = [(due - self._clock()).total_seconds() for due in firsts if due is not None]
        return float(max(min([*waits, maximum]), 0.0))

    async def settle(self, payment: int, outcome: Literal["paid", "failed"], act: StaffAct, receipt: str = "") -> bool:
        """Record the outcome that a person found out; False where the payment has another one.

        A payment that failed can be settled as paid with the wallet's receipt: its report never came.
        """
        async with self._database.transaction() as transaction:
            row = await self._reconciler.find_and_lock(transaction, payment)
            is_found_paid = outcome == "paid" and bool(receipt)
            if row is None or row.status not in {*OPEN_STATUSES, *(UNPAID_STATUSES if is_found_paid else ())}:
                return False
            await self._audit.record(
                transaction, build_staff_entry(act, f"settled_{outcome}", "payment", str(payment), receipt=receipt)
            )
            if outcome == "paid":
                await self._reconciler.settle_paid(transaction, row, receipt, row.paid_minor)
            else:
                await self._reconciler.settle_unpaid(transaction, row, "failed", "SettledByHand")
        return True

    async def _schedule_poll(self, transaction: Transaction, row: Row[Any]) -> None:
        now, lost = self._clock(), row.status == "sending"
        changed = {"status": "unknown", "reason": "WorkerGone"} if lost else {}
        await self._update(
            transaction, row.id, attempts=row.attempts + 1, due_at=next_poll(row.attempts + 1, now), **changed
        )
        if lost:
            log.error("payment_left_by_dead_worker", payment=row.id)
        if row.attempts + 1 == POLLS_BEFORE_NOTICE:
            await self._notifier.notify_unresolved(transaction, row)

    async def _update(self, transaction: Transaction, payment: int, **columns: Any) -> None:
        changed = update(payments).where(payments.c.id == payment)
        await transaction.execute(changed.values(**columns, updated_at=self._clock()))

    async def _is_known(self, transaction: Transaction, idempotency_key: str) -> bool:
        statement = select(payments.c.id).where(payments.c.idempotency_key == idempotency_key)
        return (await transaction.execute(statement)).first() is not None

    async def _is_rate_limited(self, transaction: Transaction, request: PaymentRequest) -> bool:
        """Count requests by SMS, whose sender can be forged, apart from those of calls."""
        since, is_by_sms = self._clock() - PUSH_WINDOW, payments.c.channel == CHANNEL_SMS
        count = select(func.count()).select_from(payments)
        counted = count.where(payments.c.payer == request.payer, payments.c.created_at > since)
        counted = counted.where(payments.c.wallet != CASH, payments.c.channel != BY_REFERENCE)  # nobody asked for those
        counted = counted.where(is_by_sms if request.channel == CHANNEL_SMS else ~is_by_sms)
        return int((await transaction.execute(counted)).scalar_one()) >= MAX_PUSHES

    def _row(self, request: PaymentRequest, idempotency_key: str) -> Mapping[str, object]:
        now = self._clock()
        # while a call is open, no wallet can reach the phone
        wait = self._push_delay if request.channel == CHANNEL_USSD else timedelta()
        return {
            **{name: getattr(request, name) for name in _REQUEST_COLUMNS},
            "key": new_webhook_key(),
            "account": request.account or None,
            "bill": request.bill or None,
            "department": request.department or None,
            "status": "requested",
            "wallet": self._wallet,
            "due_at": now + wait,
            "idempotency_key": idempotency_key,
            "created_at": now,
            "updated_at": now,
        }


def payment_state(statuses: Collection[str]) -> PaymentState:
    """Return the state of a reference from the statuses of its payments."""
    if "paid" in statuses:
        return "paid"
    return "pending" if any(status in OPEN_STATUSES for status in statuses) else "due"


_FIRST_DUE: Final = union_all(
    *(select(func.min(of.c.due_at)).where(of.c.due_at.is_not(None)) for of in (payments, payment_refunds)),
    select(func.min(bills.c.due_at)).where(POSTING_PENDING),
)


def _select_unlocked(*conditions: ColumnElement[bool]) -> Select[Any]:
    """Select rows that are not locked. PostgreSQL skips locked rows; SQLite has one writer at a time."""
    return select(payments.c.id).where(*conditions).order_by(payments.c.due_at).with_for_update(skip_locked=True)


def _due_from_row(row: Row[Any]) -> DuePayment:
    plain = {name: getattr(row, name) for name in _DUE_COLUMNS}
    return DuePayment(**plain, request_id=row.request or "", requested_at=row.requested_at)


def _build_act(payment: int, request: PaymentRequest, idempotency_key: str) -> AuditEntry:
    details = {"purpose": request.purpose, "subject": request.subject}
    actor = str(request.account or "")
    return AuditEntry(
        "citizen", actor, "pay", "payment", str(payment), request.channel, idempotency_key, details=details
    )
