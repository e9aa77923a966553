"""Applications on their way to departments' own systems: a row each, written with the application, claimed, settled."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import structlog
from sqlalchemy import Row

from sealing import SealBroken
from services.applications import Submission
from services.applications.values import form_of
from services.audit import Act, Audit
from services.departments import statements
from services.departments.port import Applicant, Application, Fee, FeeState, Paper, Refused, Taken
from services.given import Clock, Sealing, Texts, utc_now
from services.records.database import Records, Transaction
from services.records.tables import deliveries

DeliveryState: TypeAlias = Literal["here", "on_its_way", "waiting", "delivered", "refused"]
"""`here`: the department has no system of its own; `waiting`: its system is known not to answer just now."""
Papers: TypeAlias = Callable[[str], Sequence[str]]
"""A service's code to the codes of the papers it takes."""
Fees: TypeAlias = Callable[[str], Awaitable[FeeState]]
"""A tracking number to what became of the application's fee."""

OLD: Final = timedelta(minutes=1)  # one that has waited so long waits for a system that does not answer
STALE: Final = timedelta(days=90)  # what has not moved for so long is asked for no more
SWEPT: Final = 500  # rows at a time

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Later:
    """Nothing came of a try; the next is due then. `held`: a person has to mend something besides."""

    reason: str
    due: datetime
    held: bool = False


Ended: TypeAlias = Taken | Refused | Later


class Claimed(NamedTuple):
    """One delivery that is the claimer's alone, at its so many-th try."""

    id: int
    attempt: int
    effect: str
    department: str
    application: Application


class Look(NamedTuple):
    """A delivered application whose status is to be asked for, and how it stands here."""

    delivery: int
    tracking_number: str
    status: str
    note: Texts


class Depth(NamedTuple):
    """How many of a department's stand there, and for how long the oldest of them has."""

    department: str
    state: str
    rows: int
    oldest: timedelta


class PutUp(NamedTuple):
    """One that the department refused, for a person to look at: why, what it said, and since when."""

    tracking_number: str
    department: str
    reason: str
    said: str
    since: datetime


async def unpaid(_: str) -> FeeState:
    """Where nothing can be paid."""
    return "due"


class Deliveries:
    """All of them. `connected` are the departments with systems of their own, and how long after one look at a status comes the next.

    None: the department tells, and is not asked.
    """

    def __init__(
        self,
        records: Records,
        seal: Sealing,
        connected: Mapping[str, timedelta | None],
        *,
        papers: Papers = lambda _: (),
        fees: Fees = unpaid,
        clock: Clock = utc_now,
    ) -> None:
        self._records = records
        self._seal = seal
        self._connected = connected
        self._due = statements.due(connected)
        self._papers = papers
        self._fees = fees
        self._clock = clock
        self._audit = Audit(records, clock=clock)
        self._queued = asyncio.Event()
        self.glanced = statements.NEWEST if connected else ()
        """The columns beside an application's own that tell whether it waits; none where no department has a system."""
        self.silent: set[str] = set()
        """The departments whose systems this process knows not to answer; the couriers keep it."""

    async def handed_in(self, transaction: Transaction, application: int, new: Submission, _: str) -> None:
        """Queue an application within the transaction that records it, where its department has a system of its own."""
        if new.department not in self._connected:
            return
        now = self._clock()
        row = {
            "application": application,
            "department": new.department,
            "state": "queued",
            "due_at": now,
            "effect": f"application:{application}/handed_in",
            "created_at": now,
            "updated_at": now,
        }
        await transaction.execute(self._records.insert_once(deliveries), row)
        transaction.afterwards(self._queued.set)

    async def delivery_state(self, tracking_number: str) -> DeliveryState:
        """How an application stands on its way to its department."""
        if not self._connected:
            return "here"
        row = (await self._records.read(statements.STATE, {"number": tracking_number})).one_or_none()
        return await self._stands(row.state, row.department, row.created_at) if row else "here"

    async def waits(self, *newest: Any) -> bool:
        """Whether an application waits for a system that does not answer just now, of which `glanced` says this."""
        return bool(newest) and await self._stands(*newest) == "waiting"

    async def _stands(self, state: str | None, department: str, created: datetime) -> DeliveryState:
        if state is None:
            return "here"
        if state in {"delivered", "refused"}:
            return "delivered" if state == "delivered" else "refused"
        is_old = self._clock() - OLD > created
        return "waiting" if is_old or await self._is_silent(department) else "on_its_way"

    async def until_queued(self, seconds: float) -> None:
        """Return when this process has queued one since the last return, and after `seconds` at the latest."""
        try:
            async with asyncio.timeout(seconds):
                await self._queued.wait()
        except TimeoutError:
            return
        self._queued.clear()

    async def due(self) -> Collection[str]:
        """The departments for which something is due."""
        if self._due is None:
            return ()
        return (await self._records.read(self._due, {"now": self._clock()})).scalars().all()

    async def claim(self, department: str, worker: str, most: int) -> Sequence[Claimed]:
        """At most so many that are due, the oldest first, marked *sending* for everybody to see before this returns."""
        asked = {"of": department, "claimer": worker, "most": most, "now": self._clock()}
        async with self._records.transaction() as transaction:
            claimed = (await transaction.execute(statements.CLAIM, asked)).all()
            found = await self._contents(transaction, [row.application for row in claimed])
            taken = await _without_withdrawn(transaction, claimed, found)
        opened = [(row, await self._opened(row, found[row.application])) for row in taken]
        return [
            Claimed(row.id, row.attempts, row.effect, department, application)
            for row, application in opened
            if application is not None
        ]

    async def settle(self, claimed: Claimed, ended: Ended) -> bool:
        """Note how a try ended; False where that had been settled already."""
        now = self._clock()
        async with self._records.transaction() as transaction:
            done = await transaction.execute(*self._ending(claimed, ended, now))
            noted = done.one_or_none() is not None
            if noted and isinstance(ended, Taken):
                await self._audit.note(transaction, _delivered(claimed))
        return noted

    async def hasten(self, department: str) -> None:
        """Make due now what waits for a later try: the department answers again."""
        async with self._records.transaction() as transaction:
            await transaction.execute(statements.HASTEN, {"of": department, "now": self._clock()})

    async def sweep(self, older_than: timedelta) -> int:
        """Queue again what has been *sending* for so long that its worker must be dead; how many there were."""
        now = self._clock()
        asked = {"now": now, "before": now - older_than, "most": SWEPT}
        async with self._records.transaction() as transaction:
            left = (await transaction.execute(statements.ABANDONED, asked)).all()
            if left:
                transaction.afterwards(self._queued.set)
        return len(left)

    async def looks(self, department: str, most: int) -> Sequence[Look]:
        """At most so many whose status is to be asked for now, and not again before the time between two looks is over."""
        between = self._connected.get(department)
        if between is None:
            return []
        now = self._clock()
        asked = {"of": department, "most": most, "now": now, "next_at": now + between}
        async with self._records.transaction() as transaction:
            await transaction.execute(statements.LOOK_NO_MORE, {"of": department, "now": now, "stale": now - STALE})
            taken = (await transaction.execute(statements.LOOK, asked)).all()
            found = await self._contents(transaction, [row.application for row in taken])
        there = [(row.id, found[row.application]) for row in taken]
        return [Look(delivery, one.tracking_number, one.status, one.note) for delivery, one in there]

    async def depth(self) -> Sequence[Depth]:
        """How many stand where, of those that are not delivered."""
        now = self._clock()
        rows = [row for asked in statements.DEPTH for row in await self._records.read(asked)]
        return [Depth(row.department, row.state, row.rows, max(now - row.oldest, timedelta())) for row in rows]

    async def put_up(self, most: int = 100) -> Sequence[PutUp]:
        """Those that were refused, the oldest first: for a person to mend and send again."""
        rows = await self._records.read(statements.PUT_UP_ONES, {"most": most})
        return [PutUp(row.tracking_number, row.department, row.error, self._said(row), row.updated_at) for row in rows]

    async def again(self, tracking_number: str, actor: str, channel: str) -> bool:
        """Have a refused one tried again, by a person; False where it is not refused."""
        now = self._clock()
        async with self._records.transaction() as transaction:
            asked = {"number": tracking_number, "now": now}
            row = (await transaction.execute(statements.AGAIN, asked)).one_or_none()
            if row is None:
                return False
            effect = f"delivery:{row.id}:{now.isoformat()}"
            act = Act("staff", actor, "delivered_again", "application", tracking_number, channel, effect)
            await self._audit.note(transaction, act)
            transaction.afterwards(self._queued.set)
        return True

    async def _is_silent(self, department: str) -> bool:
        """Whether its system is known not to answer: to this process, or by what has piled up under all of them."""
        if department in self.silent:
            return True
        asked = {"of": department, "before": self._clock() - OLD}
        return len((await self._records.read(statements.OLD_ONES, asked)).all()) == statements.PILED_UP

    async def _contents(self, transaction: Transaction, ids: Sequence[int]) -> Mapping[int, Row[Any]]:
        if not ids:
            return {}
        return {row.id: row for row in await transaction.execute(statements.CONTENTS, {"ids": list(ids)})}

    async def _opened(self, delivery: Row[Any], row: Row[Any]) -> Application | None:
        """What is to be delivered; None where it was sealed with another key: it never can be, and holds up no other."""
        try:
            form = json.loads(self._seal.open(row.form, form_of(row.tracking_number)))
        except SealBroken:
            log.critical("application cannot be read and is not delivered", delivery=delivery.id)
            await self._refuse_unreadable(delivery.id)
            return None
        return Application(
            tracking_number=row.tracking_number,
            service=row.service,
            office=row.office,
            form=form,
            applicant=Applicant(row.number, row.language, row.channel),
            beneficiary=row.beneficiary or "",
            documents=tuple(Paper(code, code in row.on_file) for code in self._papers(row.service)),
            fee=await self._fee(row),
            promised=row.promised,
            submitted=row.created_at,
        )

    async def _fee(self, row: Row[Any]) -> Fee:
        return Fee(row.fee_minor, row.currency, await self._fees(row.tracking_number) if row.fee_minor else "none")

    async def _refuse_unreadable(self, delivery: int) -> None:
        facts = {"delivery": delivery, "reason": "unreadable", "said": None, "now": self._clock()}
        async with self._records.transaction() as transaction:
            await transaction.execute(statements.REFUSED, facts)

    def _ending(self, claimed: Claimed, ended: Ended, now: datetime) -> tuple[Any, Mapping[str, Any]]:
        """The statement that notes it, and its facts."""
        facts: dict[str, Any] = {"delivery": claimed.id, "now": now}
        match ended:
            case Taken(reference):
                between = self._connected.get(claimed.department)
                return statements.DELIVERED, {
                    **facts,
                    "under": reference,
                    "next_at": now + between if between else None,
                }
            case Refused(reason, said):
                answer = self._seal.close(said.encode(), _about(claimed.effect)) if said else None
                return statements.REFUSED, {**facts, "reason": reason, "said": answer}
            case Later(reason, due, held):
                becomes = "held" if held else "queued"
                again = {"attempt": claimed.attempt, "becomes": becomes, "reason": reason, "again_at": due}
                return statements.LATER, {**facts, **again}

    def _said(self, row: Row[Any]) -> str:
        return self._seal.open(row.answer, _about(row.effect)).decode() if row.answer else ""


async def _without_withdrawn(
    transaction: Transaction, claimed: Sequence[Row[Any]], found: Mapping[int, Row[Any]]
) -> Sequence[Row[Any]]:
    """What its citizen took back before it was ever tried to deliver is delivered to nobody."""
    dropped = [row.id for row in claimed if found[row.application].status == "withdrawn" and row.attempts == 1]
    if dropped:
        await transaction.execute(statements.DROP, {"ids": dropped})
    return [row for row in claimed if row.id not in dropped]


def _delivered(claimed: Claimed) -> Act:
    number, effect = claimed.application.tracking_number, claimed.effect
    return Act("gateway", claimed.department, "delivered", "application", number, "connector", effect)


def _about(effect: str) -> str:
    return f"delivery:{effect}"
