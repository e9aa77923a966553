"""Takes one department's applications to its system: so many at a time, each as often as it takes."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final, Protocol, TypeVar

import structlog

from failures import told
from services.departments.deliveries import Claimed, Ended, Later
from services.departments.line import Line
from services.departments.port import Barred, NotNow, Refused, Taken
from services.given import Clock, utc_now

FIRST_WAIT, LONGEST_WAIT = 2.0, 3600.0  # seconds before a second try, and before any later one
HELD: Final = timedelta(minutes=10)  # between two tries while a person has to mend how it is connected
SETTLING: Final = (0.1, 0.5, 2.0)  # seconds between tries to note an end while the database is away

T = TypeVar("T")

log = structlog.get_logger()


class Rows(Protocol):
    """What a courier asks of the records; see `services.departments.deliveries.Deliveries`."""

    async def claim(self, department: str, worker: str, most: int) -> Sequence[Claimed]:
        """Those that are this worker's alone now."""

    async def settle(self, claimed: Claimed, ended: Ended) -> bool:
        """Note how a try ended; False where that had been settled already."""

    async def hasten(self, department: str) -> None:
        """Make due now what waits for a later try."""


class Courier:
    """One department's, in one process; any number of processes share the same rows."""

    def __init__(
        self,
        line: Line,
        rows: Rows,
        *,
        worker: str,
        parallel: int,
        grace: float,
        clock: Clock = utc_now,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`grace` seconds for what is on its way at a stop; what takes longer is sent again."""
        self.line = line
        self.tries: Counter[str] = Counter()
        """Tries by how they ended: `Taken`, `Refused`, `Later`."""
        self._rows = rows
        self._worker = worker
        self._parallel = parallel
        self._grace = grace
        self._clock = clock
        self._chance = chance
        self._tasks: set[asyncio.Task[None]] = set()
        self._on_the_way = 0
        self._more_wait = False
        self._recovered = line.recovered
        self._stir = asyncio.Event()
        line.stir = self.stir

    def stir(self) -> None:
        """Something may be due."""
        self._more_wait = True
        self._stir.set()

    async def run(self) -> None:
        """Deliver what is due until cancelled; then finish what is on its way and claim nothing more."""
        try:
            await self._hasten()  # whatever was wrong may have been mended before this start
            while True:
                self._stir.clear()
                await self._work()
                await self._stir.wait()
        finally:
            await self._land()

    async def _work(self) -> None:
        """Claim for the free places, in a task of its own: what a cancelled claim has claimed would lie for minutes."""
        if not await self._is_there():
            return
        if self._more_wait and (places := self._places()):
            await asyncio.wait({self._start(self._claim(places))})

    async def _is_there(self) -> bool:
        """Whether the system may be asked; when it has come back, what waits for later is due at once."""
        there = await self.line.is_there()
        if self.line.recovered != self._recovered:
            self._recovered = self.line.recovered
            await self._hasten()
        return there

    async def _hasten(self) -> None:
        self._more_wait = True
        await tried(self._rows.hasten(self.line.code), "deliveries could not be made due")

    def _places(self) -> int:
        """How many may go now: none where it wants to be left alone, one where it is to be seen whether it takes any."""
        if self.line.resting:
            return 0
        return max(0, (1 if self.line.doubtful else self._parallel) - self._on_the_way)

    async def _claim(self, most: int) -> None:
        claimed = await tried(
            self._rows.claim(self.line.code, self._worker, most), "no application could be claimed for a department"
        )
        self._more_wait = claimed is not None and len(claimed) == most
        for one in claimed or ():
            self._on_the_way += 1
            self._start(self._deliver(one))

    async def _deliver(self, claimed: Claimed) -> None:
        """Hand it in and note how that ended; the next goes while that is noted."""
        try:
            ended = await self._handed_in(claimed)
        finally:
            self._on_the_way -= 1
        self.tries[type(ended).__name__] += 1
        recovered = self.line.recovered
        self._stir.set()
        await self._settle(claimed, ended)
        if self.line.recovered != recovered:  # it came back while that was noted: what is to wait need not
            await self._hasten()
            self._stir.set()

    async def _handed_in(self, claimed: Claimed) -> Ended:
        try:
            return await self.line.ask(self.line.department.submit(claimed.application))
        except NotNow as failed:
            return self._later(claimed, failed)
        except Exception as error:  # noqa: BLE001 - a fault of ours must not stop the others
            log.error("a connector failed", department=self.line.code, delivery=claimed.id, **told(error))
            return self._later(claimed, NotNow(type(error).__name__))

    def _later(self, claimed: Claimed, failed: NotNow) -> Later:
        barred = isinstance(failed, Barred)
        wait = failed.wait or (HELD if barred else wait_after(claimed.attempt, self._chance()))
        return Later(failed.reason, self._clock() + wait, held=barred)

    async def _settle(self, claimed: Claimed, ended: Ended) -> None:
        """Note it; where that cannot be done it stays *sending*, and is sent again under the same key."""
        for wait in (*SETTLING, 0.0):
            noted = await tried(self._rows.settle(claimed, ended), "the end of a delivery could not be noted")
            if noted is not None:
                self._tell(claimed, ended)
                return
            await asyncio.sleep(wait)

    def _tell(self, claimed: Claimed, ended: Ended) -> None:
        facts = {"department": self.line.code, "delivery": claimed.id, "attempts": claimed.attempt}
        if isinstance(ended, Refused):
            log.critical("a department refuses an application: a person has to look", reason=ended.reason, **facts)
        elif isinstance(ended, Taken):
            log.info("application delivered", **facts)

    async def _land(self) -> None:
        """Give what is on its way its time; what is cut short then stays *sending*, and is sent again."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._grace):
                while self._tasks:
                    await asyncio.wait(self._tasks)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def wait_after(attempts: int, chance: float) -> timedelta:
    """Twice as long after each try, up to an hour; less up to a half by chance, that not all come back at once."""
    longest = min(FIRST_WAIT * 2.0 ** min(attempts - 1, 16), LONGEST_WAIT)
    return timedelta(seconds=longest * (1 - chance / 2))


async def tried(asked: Awaitable[T], complaint: str) -> T | None:
    """What was asked for; None, and a line in the log, where it failed: the others go on."""
    try:
        return await asked
    except Exception as error:  # noqa: BLE001 - whatever it is
        log.error(complaint, **told(error))
        return None
