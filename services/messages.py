"""Every SMS to send: a row written together with what caused it, claimed by one worker, sent at most once."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple, TypeAlias

import structlog
from sqlalchemy import Row, Select, TextClause, Update, bindparam, case, null, select, update

from sealing import SealBroken
from services.given import Clock, Sealing, utc_now
from services.records.database import Records, Transaction
from services.records.tables import QUEUED, SENDING, messages

log = structlog.get_logger()

Kind: TypeAlias = Literal["code", "pin", "receipt", "status", "info"]
Ending: TypeAlias = Literal["sent", "failed", "unknown", "queued"]


class Rule(NamedTuple):
    """How long an SMS of a kind is worth sending, and whether its text is forgotten once it has left."""

    lives: timedelta
    secret: bool


RULES: Mapping[Kind, Rule] = {
    "code": Rule(timedelta(minutes=10), secret=True),  # as long as the code itself
    "pin": Rule(timedelta(hours=24), secret=True),
    "receipt": Rule(timedelta(days=3), secret=False),
    "status": Rule(timedelta(days=3), secret=False),
    "info": Rule(timedelta(days=3), secret=False),
}


@dataclass(frozen=True, slots=True)
class Message:
    """An SMS to one E.164 number. Two with the same `effect` are one: the first."""

    to: str = field(repr=False)
    text: str = field(repr=False)
    kind: Kind
    effect: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """An SMS that this worker, and no other, is to send now; `attempts` counts this one."""

    id: int
    to: str = field(repr=False)
    text: str = field(repr=False)
    kind: Kind
    attempts: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a send ended. `queued`: it certainly was not sent and may be tried again, not before `due`.

    `unknown`: it may have been sent, and is never sent again by itself.
    """

    status: Ending
    provider_id: str = ""
    cost: str = ""
    error: str = ""
    due: datetime | None = None


class Messages:
    """The SMS on their way. Texts are sealed in the table."""

    def __init__(self, records: Records, seal: Sealing, *, clock: Clock = utc_now) -> None:
        self._records = records
        self._seal = seal
        self._clock = clock
        self._waiting = asyncio.Event()

    async def queue(self, transaction: Transaction, message: Message) -> None:
        """Write `message` within the transaction of what caused it; a worker of this process wakes when that is over."""
        now, rule = self._clock(), RULES[message.kind]
        row = {
            "to_number": message.to,
            "text": self._seal.close(message.text.encode(), _about(message.effect)),
            "kind": message.kind,
            "secret": rule.secret,
            "status": "queued",
            "due_at": now,
            "not_after": now + rule.lives,
            "effect": message.effect,
            "created_at": now,
            "updated_at": now,
        }
        await transaction.execute(self._records.insert_once(messages), row)
        transaction.afterwards(self._waiting.set)

    async def send(self, message: Message) -> None:
        """Queue `message` in a transaction of its own, where nothing else is recorded with it."""
        async with self._records.transaction() as transaction:
            await self.queue(transaction, message)

    async def until_queued(self, seconds: float) -> None:
        """Return when this process has queued an SMS since the last return, and after `seconds` at the latest.

        What other processes queue, and what falls due, is found only by looking: that is what `seconds` is for.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._waiting.wait()
        except TimeoutError:
            return
        self._waiting.clear()

    async def claim(self, worker: str, most: int) -> list[Claimed]:
        """At most so many SMS that are due, oldest first, now this worker's to send; those too old are dropped.

        They are marked *sending* before they are returned: whatever happens now, nobody else sends them.
        """
        now = self._clock()
        async with self._records.transaction() as transaction:
            await transaction.execute(_DROP, {"now": now})
            claimed = await transaction.execute(_CLAIM, {"now": now, "claimer": worker, "most": most})
            rows = sorted(claimed, key=lambda row: (row.due_at, row.id))
        return [sms for row in rows if (sms := await self._opened(row))]

    async def settle(self, message: int, outcome: Outcome) -> bool:
        """Note how the send of the SMS with this id ended; False where it had ended already.

        What is unknown can still be settled; what is sent or failed stays so.
        """
        now = self._clock()
        facts = {
            "status": outcome.status,
            "provider_id": outcome.provider_id or None,
            "cost": outcome.cost or None,
            "error": outcome.error or None,
            "updated_at": now,
        }
        kept = {"due_at": outcome.due or now} if outcome.status == "queued" else {"text": _WITHOUT_SECRET}
        settled = _SETTLE.where(messages.c.id == message).values({**facts, **kept})
        async with self._records.transaction() as transaction:
            return (await transaction.execute(settled)).rowcount == 1

    async def sweep(self, older_than: timedelta) -> int:
        """Call *unknown* what has been *sending* for so long that its worker must be dead; how many there were."""
        now = self._clock()
        async with self._records.transaction() as transaction:
            swept = await transaction.execute(_SWEEP, {"now": now, "before": now - older_than})
            return swept.rowcount

    async def _opened(self, row: Row[Any]) -> Claimed | None:
        """The SMS as it is to be sent; one that was sealed with another key can never be, and holds up no other."""
        try:
            text = self._seal.open(row.text, _about(row.effect)).decode()
        except SealBroken:
            log.error("sms cannot be read and is not sent", message=row.id, kind=row.kind)
            await self.settle(row.id, Outcome("failed", error="Unreadable"))
            return None
        return Claimed(row.id, row.to_number, text, row.kind, row.attempts)


def _about(effect: str) -> str:
    return f"message:{effect}"


def _ids(of: TextClause, *conditions: Any) -> Select[tuple[int]]:
    """Rows that nobody else holds; PostgreSQL passes over held ones, on SQLite nobody else is writing."""
    return select(messages.c.id).where(of, *conditions).with_for_update(skip_locked=True)


def _drop() -> Update:
    late = _ids(QUEUED, messages.c.not_after <= bindparam("now")).cte("late")
    return (
        update(messages)
        .where(messages.c.id.in_(select(late.c.id)))
        .values(status="failed", error="TooLate", text=_WITHOUT_SECRET, updated_at=bindparam("now"))
    )


def _claim() -> Update:
    # The rows are locked in a CTE of their own: within IN, PostgreSQL may run the LIMIT more than once.
    due = _ids(QUEUED, messages.c.due_at <= bindparam("now"), messages.c.not_after > bindparam("now"))
    next_ones = due.order_by(messages.c.due_at, messages.c.id).limit(bindparam("most")).cte("next_ones")
    return (
        update(messages)
        .where(messages.c.id.in_(select(next_ones.c.id)))
        .values(
            status="sending", worker=bindparam("claimer"), attempts=messages.c.attempts + 1, updated_at=bindparam("now")
        )
        .returning(*(messages.c[name] for name in ("id", "to_number", "text", "kind", "attempts", "effect", "due_at")))
    )


def _sweep() -> Update:
    return (
        update(messages)
        .where(SENDING, messages.c.updated_at < bindparam("before"))
        .values(status="unknown", error="WorkerGone", text=_WITHOUT_SECRET, updated_at=bindparam("now"))
    )


_WITHOUT_SECRET = case((messages.c.secret, null()), else_=messages.c.text)
_DROP, _CLAIM, _SWEEP = _drop(), _claim(), _sweep()
_SETTLE = update(messages).where(messages.c.status.in_(("sending", "unknown")))
