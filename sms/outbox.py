"""The worker that takes SMS out of the records, sends them and notes how each ended: lost never, sent twice never."""

import asyncio
import random
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol, TypeVar

import structlog

from services.messages import Claimed
from services.messages import Outcome as Ending
from sms.provider import Accepted, Held, Outcome, Provider, Refused, Retry, Unclear

FIRST_WAIT, LONGEST_WAIT = 2.0, 3600.0  # seconds before a second try, and before any later one
HOLD = timedelta(minutes=1)  # between two looks whether an account or a configuration was mended
MOST_HOLDS = 10  # an SMS that was held so often, or oftener, looks only every tenth minute
ABANDONED = timedelta(minutes=5)  # far more than a send and its settling can take
SWEEPS = timedelta(minutes=1)
SETTLING = (0.1, 0.5, 1.0, 2.0, 4.0)  # seconds between tries to note an outcome while the database is away

T = TypeVar("T")

log = structlog.get_logger()


class Rows(Protocol):
    """What the outbox asks of the records; see `services.messages.Messages`."""

    async def until_queued(self, seconds: float) -> None:
        """Return when there is an SMS to send, and after `seconds` at the latest."""

    async def claim(self, worker: str, most: int) -> Sequence[Claimed]:
        """SMS that are this worker's alone, marked *sending* for everybody to see before this returns."""

    async def settle(self, message: int, outcome: Ending) -> bool:
        """Note how a send ended; False where it had ended already."""

    async def sweep(self, older_than: timedelta) -> int:
        """Call *unknown* what dead workers left behind *sending*; how many there were."""


class Outbox:
    """Sends up to `parallel` SMS at a time; any number of them, in any number of processes, share the same rows."""

    def __init__(
        self,
        rows: Rows,
        provider: Provider,
        *,
        worker: str,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        chance: Callable[[], float] = random.random,
        parallel: int = 16,
        idle: float = 1.0,
        grace: float = 15.0,
    ) -> None:
        """`idle` seconds between looks at what other processes queued; `grace` seconds for what is in the air at a stop.

        `grace` is to be longer than the provider's own deadline. `chance` is at least 0 and below 1.
        """
        self._rows = rows
        self._provider = provider
        self._worker = worker
        self._clock = clock
        self._chance = chance
        self._parallel = parallel
        self._idle = idle
        self._grace = grace
        self._tasks: set[asyncio.Task[None]] = set()
        self._in_the_air = 0
        self._more_wait = False
        self._stopping = False
        self._doubting = False
        self._stir = asyncio.Event()
        self._next_sweep = self._next_look = datetime.min.replace(tzinfo=UTC)
        self.held = ""
        """Why nothing is sent before a person has mended something; empty while all is well."""

    async def run(self) -> None:
        """Send what is queued until `stop`; then, or when cancelled, finish what is in the air and claim nothing more."""
        ticking = asyncio.create_task(self._tick())
        try:
            while not self._stopping:
                self._stir.clear()
                self._sweep_in_time()
                await self._fill()
                await self._rest()
        finally:
            ticking.cancel()
            await self._land()

    def stop(self) -> None:
        """Have `run` come to its end."""
        self._stopping = True
        self._stir.set()

    async def _tick(self) -> None:
        while True:
            await self._rows.until_queued(self._idle)
            self._stir.set()

    async def _fill(self) -> None:
        """Claim for the free places: in a task of its own, for what a cancelled claim has claimed would be lost."""
        if places := self._places():
            await asyncio.wait({self._start(self._claim(places))})

    async def _rest(self) -> None:
        """Until something is queued, a place is free for what waits, or it is time to look."""
        if not (self._more_wait and self._places()):
            await self._stir.wait()

    def _places(self) -> int:
        """How many may be sent now besides those in the air: none while held, one while that is to be found out."""
        if self._clock() < self._next_look:
            return 0
        return max(0, (1 if self._doubting else self._parallel) - self._in_the_air)

    async def _claim(self, most: int) -> None:
        self._more_wait = False
        claimed = await _tried(self._rows.claim(self._worker, most), "no sms could be claimed") or ()
        self._more_wait = len(claimed) == most
        for sms in claimed:
            self._in_the_air += 1
            self._start(self._deliver(sms))

    async def _deliver(self, sms: Claimed) -> None:
        try:
            outcome = await self._send(sms)
            self._heed(outcome)
            await self._settle(sms, ending(outcome, sms.attempts, self._clock(), self._chance()))
        finally:
            self._in_the_air -= 1

    async def _send(self, sms: Claimed) -> Outcome:
        """A provider promises to raise nothing; of one that does, and of one cut short, nobody knows what it sent."""
        try:
            sent = await _tried(self._provider.send(sms.to, sms.text), "sms provider raised", message=sms.id)
        except asyncio.CancelledError:
            return Unclear("CutShort")
        return sent or Unclear("ProviderRaised")

    def _heed(self, outcome: Outcome) -> None:
        """One SMS held may be about its own network; when the next is held too, none will pass: stop, and say so."""
        match outcome:
            case Held(reason):
                if self._doubting:
                    self._hold(reason)
                self._doubting = True
            case Accepted() | Refused():
                self._doubting = False
                self._release()

    def _hold(self, reason: str) -> None:
        self._next_look = self._clock() + HOLD
        if reason != self.held:
            log.critical("sms are held", provider=self._provider.name, reason=reason)
        self.held = reason

    def _release(self) -> None:
        if self.held:
            self._next_look = self._clock()
            log.warning("sms are held no more", provider=self._provider.name, reason=self.held)
        self.held = ""

    async def _settle(self, sms: Claimed, ended: Ending) -> None:
        """Note it, however long the database is away; at the last it stays *sending*, for the sweeper to call unknown."""
        facts = {"message": sms.id, "kind": sms.kind, "attempts": sms.attempts, "reason": ended.error}
        for wait in (*SETTLING, 0):
            settled = await _tried(self._rows.settle(sms.id, ended), "the end of an sms could not be noted", **facts)
            if settled is not None:
                said = log.info if ended.status == "sent" else log.warning
                said("sms", status=ended.status, noted=settled, **facts)
                return
            await asyncio.sleep(wait)

    def _sweep_in_time(self) -> None:
        if self._clock() >= self._next_sweep:
            self._next_sweep = self._clock() + SWEEPS
            self._start(self._sweep())

    async def _sweep(self) -> None:
        if swept := await _tried(self._rows.sweep(ABANDONED), "abandoned sms could not be looked for"):
            log.error("sms were left unsettled by a worker that is gone", count=swept)

    async def _land(self) -> None:
        """Give what is in the air its time; cut short what takes longer, which is time enough to note that it was."""
        await self._ended_within(self._grace)
        for task in self._tasks:
            task.cancel()
        await self._ended_within(sum(SETTLING))
        if self._tasks:
            log.error("sms were left unsettled at a stop", count=len(self._tasks))

    async def _ended_within(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while self._tasks and (left := until - loop.time()) > 0:
            await asyncio.wait(self._tasks, timeout=left)

    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._more_wait:
            self._stir.set()


@asynccontextmanager
async def at_work(outbox: Outbox) -> AsyncIterator[Outbox]:
    """The outbox running inside, and come to its end in good order afterwards."""
    running = asyncio.create_task(outbox.run())
    try:
        yield outbox
    finally:
        outbox.stop()
        await running


def ending(outcome: Outcome, attempts: int, now: datetime, chance: float) -> Ending:
    """What is noted of a send that ended like this at the `attempts`-th try."""
    match outcome:
        case Accepted(provider_id, cost):
            return Ending("sent", provider_id=provider_id, cost=cost)
        case Refused(reason):
            return Ending("failed", error=reason)
        case Unclear(reason):
            return Ending("unknown", error=reason)
        case Held(reason):
            return Ending("queued", error=reason, due=now + HOLD * min(attempts, MOST_HOLDS))
        case Retry(reason, _, tries) if tries is not None and attempts >= tries:
            return Ending("failed", error=reason)
        case Retry(reason, due, _):
            return Ending("queued", error=reason, due=due or now + wait_after(attempts, chance))


def wait_after(attempts: int, chance: float) -> timedelta:
    """Twice as long after each try, up to an hour; less up to a half by chance, that not all come back at once."""
    longest = min(FIRST_WAIT * 2.0 ** min(attempts - 1, 16), LONGEST_WAIT)
    return timedelta(seconds=longest * (1 - chance / 2))


async def _tried(asked: Awaitable[T], complaint: str, **facts: object) -> T | None:
    """What was asked for; None, and a line in the log, where it failed: one failure must not stop all other SMS.

    The line says which error and where, and not its text, which may quote a number or a message.
    """
    try:
        return await asked
    except Exception as error:  # noqa: BLE001 - whatever it is
        failure = error
    last = traceback.extract_tb(failure.__traceback__)[-1]
    log.error(complaint, error=type(failure).__name__, at=f"{Path(last.filename).name}:{last.lineno}", **facts)
    return None
