"""The worker that takes messages out of the records, sends them and notes how each ended: lost never, sent twice never."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeVar

import structlog

from failures import told
from services.messages import Claimed, Depth, Ended, Ending, Kind, Medium
from sms.provider import Accepted, Held, Outcome, Provider, Refused, Retry, Unclear
from sms.throttle import Throttle

FIRST_WAIT, LONGEST_WAIT = 2.0, 3600.0  # seconds before a second try, and before any later one
HOLD = timedelta(minutes=1)  # between two looks whether an account or a configuration was mended
MOST_HOLDS = 10  # a message that was held so often, or oftener, looks only every tenth minute
ABANDONED = timedelta(minutes=5)  # far more than a send and its settling can take
SWEEPS = timedelta(minutes=1)
COUNTS = timedelta(seconds=15)  # as often as Prometheus asks
MOST_UNSETTLED = (
    4  # times as many as are in the air may wait for their ends to be noted: as many a crash leaves unknown
)
SETTLING = (0.1, 0.5, 1.0, 2.0, 4.0)  # seconds between tries to note an end while the database is away

T = TypeVar("T")

log = structlog.get_logger()


class Rows(Protocol):
    """What the outbox asks of the records; see `services.messages.Messages`."""

    async def until_queued(self, seconds: float, medium: Medium) -> None:
        """Return when there is a message to send, and after `seconds` at the latest."""

    async def claim(self, worker: str, most: int, medium: Medium, segments: int | None) -> Sequence[Claimed]:
        """Messages that are this worker's alone, marked *sending* for everybody to see before this returns."""

    async def settle(self, message: int, ending: Ending) -> bool:
        """Note how a send ended; False where it had ended already."""

    async def sweep(self, older_than: timedelta) -> int:
        """Call *unknown* what dead workers left behind *sending*; how many there were."""

    async def depth(self) -> Depth:
        """How many stand where."""


class Meters(Protocol):
    """Who counts; see `sms.meters.Meters`."""

    def ended(self, kind: Kind, ended: Ended, segments: int) -> None:
        """One try to send ended like this."""

    def stand(self, depth: Depth) -> None:
        """So many stand where."""

    def held(self, held: bool) -> None:
        """Whether nothing goes out."""


class Outbox:
    """Sends up to `parallel` messages at a time; any number of them, in any number of processes, share the same rows."""

    def __init__(
        self,
        rows: Rows,
        provider: Provider,
        *,
        worker: str,
        medium: Medium = "sms",
        throttle: Throttle | None = None,
        meters: Meters | None = None,
        spelled: Callable[[str], str] = str,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        chance: Callable[[], float] = random.random,
        parallel: int = 16,
        idle: float = 1.0,
        grace: float = 15.0,
    ) -> None:
        """`idle` seconds between looks at what other processes queued; `grace` seconds for what is in the air at a stop.

        `grace` is to be longer than the provider's own deadline. `spelled` is the last hand on a text before it is sent.
        `chance` is at least 0 and below 1.
        """
        self._rows = rows
        self._provider = provider
        self._worker = worker
        self._medium = medium
        self._throttle = throttle or Throttle(0)
        self._meters = meters
        self._spelled = spelled
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
        self._pauses = 0
        self._alarmed = ""
        self._stir = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._next_sweep = self._next_count = self._next_look = datetime.min.replace(tzinfo=UTC)
        self.held = ""
        """Why nothing is sent before a person has mended something; empty while all is well."""

    async def run(self) -> None:
        """Send what is queued until `stop`; then, or when cancelled, finish what is in the air and claim nothing more."""
        ticking = asyncio.create_task(self._tick())
        try:
            while not self._stopping:
                self._stir.clear()
                self._look_after_in_time()
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
            await self._rows.until_queued(self._idle, self._medium)
            self._stir.set()

    async def _fill(self) -> None:
        """Claim for the free places: in a task of its own, for what a cancelled claim has claimed would be lost."""
        if places := self._places():
            await asyncio.wait({self._start(self._claim(places))})
        else:
            self._more_wait = True  # for all that is known: nobody has looked

    async def _rest(self) -> None:
        """Until something is queued, a place is free for what waits, or it is time to look."""
        if not (self._more_wait and self._places()):
            await self._stir.wait()

    def _places(self) -> int:
        """How many may be sent now besides those in the air: none while held, one while that is to be found out."""
        if self._clock() < self._next_look or self._throttled():
            return 0
        if len(self._tasks) >= self._parallel * MOST_UNSETTLED:
            return 0
        return max(0, (1 if self._doubting else self._parallel) - self._in_the_air)

    def _throttled(self) -> bool:
        """Whether no segment may be sent now; the outbox is then stirred as soon as one may."""
        if self._throttle.left() != 0:
            return False
        if self._timer:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(self._throttle.wait(), self._stir.set)
        return True

    async def _claim(self, most: int) -> None:
        self._more_wait = False
        asked = self._rows.claim(self._worker, most, self._medium, self._throttle.left())
        claimed = await _tried(asked, "no message could be claimed") or ()
        self._throttle.take(sum(message.segments for message in claimed))
        self._more_wait = len(claimed) == most or (bool(claimed) and self._throttle.left() == 0)
        for message in claimed:
            self._in_the_air += 1
            self._start(self._deliver(message))

    async def _deliver(self, message: Claimed) -> None:
        """Send it and note how that ended; the next may be sent while that is noted."""
        try:
            outcome = await self._send(message)
        finally:
            self._in_the_air -= 1
        self._heed(outcome)
        self._stir_for_more()
        await self._settle(message, ending(outcome, message, self._clock(), self._chance()))

    async def _send(self, message: Claimed) -> Outcome:
        """A provider promises to raise nothing; of one that does, and of one cut short, nobody knows what it sent."""
        try:
            sending = self._provider.send(message.to, self._spelled(message.text))
            sent = await _tried(sending, "provider raised", message=message.id)
        except asyncio.CancelledError:
            return Unclear("CutShort")
        return sent or Unclear("ProviderRaised")

    def _heed(self, outcome: Outcome) -> None:
        """One message held may be about its own network; when the next is held too, none will pass: stop, and say so."""
        match outcome:
            case Held(reason):
                if self._doubting:
                    self._hold(reason)
                self._doubting = True
            case Retry(due=due, everybody=True):
                self._pause(due)
            case Unclear(reason, alarm=True):
                self._alarm(reason)
            case Accepted() | Refused():
                self._doubting = False
                self._release()

    def _pause(self, due: datetime | None) -> None:
        """Send nothing for a while; what was in the air meanwhile and is told the same makes it no longer."""
        now = self._clock()
        if now >= self._next_look:
            self._pauses += 1
            self._next_look = due or now + wait_after(self._pauses, self._chance())
            log.warning("messages pause", provider=self._provider.name, until=self._next_look.isoformat())

    def _alarm(self, reason: str) -> None:
        if reason != self._alarmed:
            log.critical("provider holds messages", provider=self._provider.name, reason=reason)
        self._alarmed = reason

    def _hold(self, reason: str) -> None:
        self._next_look = self._clock() + HOLD
        if reason != self.held:
            log.critical("messages are held", provider=self._provider.name, reason=reason)
        self.held = reason
        self._tell_held()

    def _release(self) -> None:
        self._pauses, self._alarmed = 0, ""
        if self.held:
            self._next_look = self._clock()
            log.warning("messages are held no more", provider=self._provider.name, reason=self.held)
            self.held = ""
            self._tell_held()

    def _tell_held(self) -> None:
        if self._meters:
            self._meters.held(bool(self.held))

    async def _settle(self, message: Claimed, ended: Ending) -> None:
        """Note it, however long the database is away; at the last it stays *sending*, for the sweeper to call unknown."""
        if self._meters:
            self._meters.ended(message.kind, ended.status, message.segments)
        facts = {"message": message.id, "kind": message.kind, "attempts": message.attempts, "reason": ended.error}
        for wait in (*SETTLING, 0):
            settled = await _tried(
                self._rows.settle(message.id, ended), "the end of a message could not be noted", **facts
            )
            if settled is not None:
                said = log.info if ended.status == "sent" else log.warning
                said("message", medium=self._medium, status=ended.status, noted=settled, **facts)
                return
            await asyncio.sleep(wait)

    def _look_after_in_time(self) -> None:
        now = self._clock()
        if now >= self._next_sweep:
            self._next_sweep = now + SWEEPS
            self._start(self._sweep())
        if self._meters and now >= self._next_count:
            self._next_count = now + COUNTS
            self._start(self._count(self._meters))

    async def _sweep(self) -> None:
        if swept := await _tried(self._rows.sweep(ABANDONED), "abandoned messages could not be looked for"):
            log.error("messages were left unsettled by a worker that is gone", count=swept)

    async def _count(self, meters: Meters) -> None:
        if depth := await _tried(self._rows.depth(), "messages could not be counted"):
            meters.stand(depth)

    async def _land(self) -> None:
        """Give what is in the air its time; cut short what takes longer, which is time enough to note that it was."""
        await self._ended_within(self._grace)
        for task in self._tasks:
            task.cancel()
        await self._ended_within(sum(SETTLING))
        if self._tasks:
            log.error("messages were left unsettled at a stop", count=len(self._tasks))

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
        self._stir_for_more()

    def _stir_for_more(self) -> None:
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


def ending(outcome: Outcome, message: Claimed, now: datetime, chance: float) -> Ending:
    """What is noted of a try that ended like this. One that was held counts for none of those a message may have."""
    match outcome:
        case Accepted(provider_id, cost):
            return Ending("sent", provider_id=provider_id, cost=cost)
        case Refused(reason):
            return Ending("failed", error=reason)
        case Unclear(reason):
            return Ending("unknown", error=reason)
        case Held(reason):
            return Ending("queued", error=reason, due=now + HOLD * min(message.holds + 1, MOST_HOLDS), held=True)
        case Retry(reason, tries=tries) if tries is not None and message.attempts >= tries:
            return Ending("failed", error=reason)
        case Retry(reason, due):
            return Ending("queued", error=reason, due=due or now + wait_after(message.attempts, chance))


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
        failure = told(error)
    log.error(complaint, **failure, **facts)
    return None
