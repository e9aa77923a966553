"""The rows of all messages: written with their cause, claimed by one worker, settled, and looked after."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

import structlog
from sqlalchemy import Row

from sealing import SealBroken
from services.given import Clock, Sealing, utc_now
from services.messages import statements
from services.messages.delivery import Report
from services.messages.kinds import RULES, Medium
from services.messages.reports import Reports
from services.messages.states import DEPTH, ONE, UNSETTLED, Depth, State, depth_of, state_of
from services.messages.values import Claimed, Ending, Message
from services.optouts import who_is_out
from services.records.database import Records, Transaction
from services.records.tables import messages
from together import Together

Segments: TypeAlias = Callable[[str], int]
"""How many segments a text takes as SMS."""

Opens: TypeAlias = Callable[[str, str, datetime], datetime | None]
"""A number, its network's code or an empty text, and a time: when messages that can wait may go there; None: then."""

Settled: TypeAlias = Literal["sent", "failed", "again"]

REPEAT_AFTER: Final = timedelta(minutes=15)  # in which a delivery report would have told that it was sent
LINGERS: Final = 0.002  # seconds in which ends come together: a transaction costs many times what one of them does
ROUNDS: Final = 8  # claims after which one gives up to find what may be sent among what may not
NO_LIMIT: Final = 2**31 - 1  # segments

log = structlog.get_logger()


class Messages:
    """The messages on their way. Texts are sealed in the table."""

    def __init__(
        self,
        records: Records,
        seal: Sealing,
        *,
        clock: Clock = utc_now,
        segments: Segments = lambda _: 1,
        opens: Opens = lambda _number, _network, _now: None,
    ) -> None:
        """Without `segments` every text counts as one; without `opens` it is never night."""
        self._records = records
        self._seal = seal
        self._clock = clock
        self._segments = segments
        self._opens = opens
        self._reports = Reports(records, seal, clock)
        self._settled = Together(self._settle_together, linger=LINGERS)
        self._waiting: Mapping[Medium, asyncio.Event] = {"sms": asyncio.Event(), "email": asyncio.Event()}

    async def queue(self, transaction: Transaction, message: Message) -> None:
        """Write `message` within the transaction of what caused it; a worker of this process wakes when that is over."""
        await transaction.execute(self._records.insert_once(messages), self._row(message))
        transaction.afterwards(self._waiting[message.medium].set)

    async def send(self, message: Message) -> None:
        """Queue `message` in a transaction of its own, where nothing else is recorded with it."""
        async with self._records.transaction() as transaction:
            await self.queue(transaction, message)

    async def until_queued(self, seconds: float, medium: Medium = "sms") -> None:
        """Return when this process has queued such a message since the last return, and after `seconds` at the latest.

        What other processes queue, and what falls due, is found only by looking: that is what `seconds` is for.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._waiting[medium].wait()
        except TimeoutError:
            return
        self._waiting[medium].clear()

    async def claim(
        self, worker: str, most: int, medium: Medium = "sms", segments: int | None = None
    ) -> Sequence[Claimed]:
        """At most so many messages that are due, the most urgent and then the oldest first, now this worker's to send.

        They are marked *sending* before they are returned: whatever happens now, nobody else sends them. With
        `segments`, no more than the first whose segments reach it. Those too old are dropped, those that nobody asked
        for do not go to whoever has opted out, and those that can wait are put off while it is night where they go.
        """
        asked = {
            "claimer": worker,
            "most": most,
            "carried_by": medium,
            "budget": NO_LIMIT if segments is None else segments,
        }
        for _ in range(ROUNDS):
            taken, claimed = await self._claim_once(asked)
            if claimed or not taken:
                return claimed
        return []

    async def settle(self, message: int, ending: Ending) -> bool:
        """Note how the send of the message with this id ended; False where it had ended already.

        What is unknown can still be settled; what is sent or failed stays so. Those who settle in one turn of the loop
        share a transaction.
        """
        return await self._settled((message, ending))

    async def settle_unknown(self, message: int, settled: Settled) -> bool:
        """What a person found out of an unknown message, or decides: that it was sent, or not, or goes out again.

        False where it is not unknown, and where it cannot go again: its text is forgotten, or its time is over.
        """
        now = self._clock()
        async with self._records.transaction() as transaction:
            done = await transaction.execute(statements.BY_HAND[settled], {"message": message, "now": now})
        for waiting in self._waiting.values():  # it may go out again
            waiting.set()
        return done.rowcount == 1

    async def report(self, report: Report) -> int | None:
        """Keep a delivery report, and the id of the message that it was noted with; None while there is none.

        Reports may come twice, in any order, at once and before the provider's answer to the send.
        """
        return await self._reports.heard(report)

    async def sweep(self, older_than: timedelta) -> int:
        """Look after what nobody holds any more; how many were abandoned.

        What has been *sending* for so long that its worker must be dead becomes *unknown*; what is unknown is looked
        for among the reports; what stays so, and is of a kind that is safe to repeat, is queued once more. What is too
        old to be sent is dropped, and its secret forgotten, though it may not be due for long.
        """
        now = self._clock()
        async with self._records.transaction() as transaction:
            await transaction.execute(statements.DROP, {"now": now})
            swept = (await transaction.execute(statements.ABANDONED, {"now": now, "before": now - older_than})).all()
        await self._reports.look_again()
        async with self._records.transaction() as transaction:
            again = (await transaction.execute(statements.REPEAT, {"now": now, "before": now - REPEAT_AFTER})).all()
        if again:
            log.warning("messages go once more, for nobody knows whether they went", count=len(again))
        return len(swept)

    async def state(self, message: int) -> State | None:
        """How far the message with this id has come; None where there is none."""
        row = (await self._records.read(ONE, {"message": message})).one_or_none()
        return None if row is None else state_of(row)

    async def unsettled(self, most: int = 100) -> Sequence[State]:
        """Those of which nobody knows whether they were sent, the oldest first: for a person to settle."""
        return [state_of(row) for row in await self._records.read(UNSETTLED, {"most": most})]

    async def depth(self) -> Depth:
        """How many stand where."""
        return depth_of((await self._records.read(DEPTH)).one(), self._clock())

    def _row(self, message: Message) -> Mapping[str, object]:
        now, rule = self._clock(), RULES[message.kind]
        return {
            "medium": message.medium,
            "recipient": message.to,
            "text": self._seal.close(message.text.encode(), _about(message.effect)),
            "kind": message.kind,
            "secret": rule.secret,
            "priority": rule.priority,
            "segments": self._segments(message.text) if message.medium == "sms" else 1,
            "status": "queued",
            "due_at": self._not_before(message, now),
            "not_after": now + rule.lives,
            "effect": message.effect,
            "created_at": now,
            "updated_at": now,
        }

    async def _claim_once(self, asked: Mapping[str, object]) -> tuple[int, Sequence[Claimed]]:
        """How many were taken, and those of them that are to be sent now."""
        now = self._clock()
        async with self._records.transaction() as transaction:
            taken = (await transaction.execute(statements.CLAIM, {"now": now, **asked})).all()
            timely = await _without(transaction, taken, {row.id for row in taken if row.not_after <= now}, "TooLate")
            wanted = await _without(transaction, timely, await _unwanted(transaction, timely), "OptedOut")
            rows = await self._put_off(transaction, wanted, now)
            texts = {row.id: text for row in rows if (text := self._text(row)) is not None}
            rows = await _without(transaction, rows, {row.id for row in rows} - texts.keys(), "Unreadable")
        in_order = sorted(rows, key=lambda row: (row.priority, row.due_at, row.id))
        return len(taken), [_claimed(row, texts[row.id]) for row in in_order]

    async def _put_off(self, transaction: Transaction, rows: Sequence[Row[Any]], now: datetime) -> Sequence[Row[Any]]:
        """Without what can wait and goes where it is night; that is due when the night is over."""
        waiting = [row for row in rows if row.medium == "sms" and RULES[row.kind].can_wait]
        networks = await self._networks(transaction, {row.recipient for row in waiting})
        opening = {row.id: self._opens(row.recipient, networks.get(row.recipient, ""), now) for row in waiting}
        put_off = [{"put_back": message, "opens": opens} for message, opens in opening.items() if opens]
        if put_off:
            await transaction.execute(statements.PUT_BACK, put_off)
        return [row for row in rows if not opening.get(row.id)]

    async def _networks(self, transaction: Transaction, numbers: Collection[str]) -> Mapping[str, str]:
        """The network of each number, where a delivery report has named it; the last one named."""
        if not numbers:
            return {}
        known = await transaction.execute(statements.NETWORKS, {"numbers": list(numbers)})
        return {row.recipient: row.network for row in known}

    def _not_before(self, message: Message, now: datetime) -> datetime:
        """When to send it at the earliest; its network, which may have a night of its own, is looked up when claimed."""
        if message.medium != "sms" or not RULES[message.kind].can_wait:
            return now
        return self._opens(message.to, "", now) or now

    def _text(self, row: Row[Any]) -> str | None:
        """What is to be sent; None where it was sealed with another key: it can never be, and holds up no other."""
        try:
            return self._seal.open(row.text, _about(row.effect)).decode()
        except SealBroken:
            log.error("message cannot be read and is not sent", message=row.id, kind=row.kind)
            return None

    async def _settle_together(self, asks: list[tuple[int, Ending]]) -> list[bool]:
        now = self._clock()
        async with self._records.transaction() as transaction:
            found = await transaction.execute(statements.OPEN, {"ids": [message for message, _ in asks]})
            still_open = {row.id: row.forgotten for row in found}
            ended = [_ended(message, ending, still_open[message]) for message, ending in asks if message in still_open]
            if ended:
                await transaction.execute(statements.SETTLE, [{**facts, "now": now} for facts in ended])
        named = [str(facts["under"]) for facts in ended if facts["under"]]
        if named:
            await self._reports.overtaken(named)
        return [message in still_open for message, _ in asks]


async def _unwanted(transaction: Transaction, rows: Sequence[Row[Any]]) -> Collection[int]:
    """What nobody asked for and goes to who has opted out."""
    unasked = [row for row in rows if RULES[row.kind].proactive]
    out = await who_is_out(transaction, {row.recipient for row in unasked})
    return {row.id for row in unasked if row.recipient in out}


async def _without(
    transaction: Transaction, rows: Sequence[Row[Any]], refused: Collection[int], why: str
) -> Sequence[Row[Any]]:
    """The rows but the refused ones, which fail here."""
    if refused:
        await transaction.execute(statements.REFUSE, {"refused": list(refused), "why": why})
    return [row for row in rows if row.id not in refused]


def _claimed(row: Row[Any], text: str) -> Claimed:
    return Claimed(row.id, row.recipient, text, row.kind, row.attempts, row.holds, row.segments)


def _ended(message: int, ending: Ending, forgotten: bool) -> Mapping[str, object]:
    """What is written of it. What was called unknown for being late, and whose text is forgotten, cannot be sent again."""
    if ending.status == "queued" and forgotten:
        ending = Ending("failed", error=ending.error or "TextForgotten")
    return {
        "settled": message,
        "ended": ending.status,
        "under": ending.provider_id or None,
        "paid": ending.cost or None,
        "reason": ending.error or None,
        "again_at": ending.due if ending.status == "queued" else None,
        "uncounted": int(ending.held),
    }


def _about(effect: str) -> str:
    return f"message:{effect}"
