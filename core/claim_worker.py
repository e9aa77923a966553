"""Workers that claim rows, process each one and record its result, in any number of processes.

A claim is committed before anything is sent, so no two workers process the same row. A result is recorded with retries,
because the database may be away for a moment. A row whose result is never recorded stays claimed; the repository
recovers it later.

`ClaimWorker` keeps a limited number of rows in flight (the outbox, deliveries to departments). `process_batch` claims
one batch and waits for all of it (payments). Both, and the worker for inbound SMS, use `TaskSet` and `result_or_log`.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, Generic, Protocol, TypeVar

import structlog

from core.deadline import context_without_deadline
from core.logging import error_facts

RECORD_RETRY_DELAYS: Final = (0.1, 0.5, 2.0)  # seconds between attempts to record a result

T = TypeVar("T")
Item = TypeVar("Item")
Result = TypeVar("Result")

log = structlog.get_logger()


async def result_or_log(awaitable: Awaitable[T], event: str, **facts: object) -> T | None:
    """Return the awaited result, or None after logging the failure as `event`, so that other work goes on.

    The log line has the kind of error and where it was raised, never its text, which may quote a number or a message.
    """
    try:
        return await awaitable
    except Exception as error:  # noqa: BLE001 - any failure of one item must not stop the others
        failure = error_facts(error)
    log.error(event, **failure, **facts)
    return None


class TaskSet:
    """Background tasks that are finished, or cancelled, together at a stop."""

    def __init__(self, on_done: Callable[[], None] = lambda: None) -> None:
        """`on_done` is called each time a task ends."""
        self._tasks: set[asyncio.Task[Any]] = set()
        self._on_done = on_done

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start a task and keep it until it ends. It has no deadline: the request that starts it may be answered before."""
        task = asyncio.create_task(coroutine, context=context_without_deadline())
        self._tasks.add(task)
        task.add_done_callback(self._discard)
        return task

    async def finish(self, grace_period: float, cancel_period: float | None = None) -> int:
        """Wait `grace_period` seconds for all tasks, then cancel the rest and wait for those.

        The wait after cancelling is `cancel_period` seconds, or unlimited where it is None. Returns how many tasks are
        left.
        """
        await self._wait(grace_period)
        for task in self._tasks:
            task.cancel()
        if cancel_period is None:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        else:
            await self._wait(cancel_period)
        return len(self._tasks)

    async def _wait(self, seconds: float) -> None:
        """Wait until no task is left, including tasks that are started meanwhile, for at most this many seconds."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while self._tasks and (left := until - loop.time()) > 0:
            await asyncio.wait(self._tasks, timeout=left)

    def _discard(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        self._on_done()


class ClaimWorker(ABC, Generic[Item, Result]):
    """Keeps a limited number of rows in flight: claims for the free slots, processes each row in a task of its own.

    A slot is free again as soon as its row is processed; the result is recorded while the next row is processed.
    """

    record_retry_delays: Sequence[float] = RECORD_RETRY_DELAYS
    claim_failed_event = "claim_failed"
    record_failed_event = "record_result_failed"

    def __init__(self) -> None:
        self.tasks = TaskSet(self.wake_if_more)
        self.in_flight = 0
        self.has_more = False
        """Whether rows may be due that the last claim left behind."""
        self.wakeup = asyncio.Event()
        self._stopping = False

    async def run(self) -> None:
        """Work until `stop` is called or the task is cancelled; then claim nothing more and finish the rows in flight."""
        try:
            while not self._stopping:
                self.wakeup.clear()
                if await self.may_claim():
                    await self._fill_slots()
                if not (self.has_more and self.free_slots()):
                    await self.wakeup.wait()
        finally:
            await self.finish()

    def stop(self) -> None:
        """Make `run` return."""
        self._stopping = True
        self.wakeup.set()

    @abstractmethod
    def free_slots(self) -> int:
        """Return how many rows may be claimed now."""

    @abstractmethod
    async def may_claim(self) -> bool:
        """Return whether to claim now; called after each wake-up."""

    @abstractmethod
    async def claim(self, limit: int) -> Sequence[Item]:
        """Claim at most `limit` rows; the claim is committed before this returns."""

    @abstractmethod
    async def process(self, item: Item) -> Result:
        """Process one claimed row. The only exception it lets through is CancelledError."""

    @abstractmethod
    async def record(self, item: Item, result: Result) -> bool:
        """Record the result of one row; False where a result was recorded before."""

    @abstractmethod
    async def finish(self) -> None:
        """Give the rows in flight time to end, and cancel what takes longer."""

    @abstractmethod
    def item_facts(self, item: Item) -> dict[str, object]:
        """Return the facts that name one row in a log line; nothing personal."""

    @abstractmethod
    def log_result(self, item: Item, result: Result, *, recorded: bool) -> None:
        """Log a result; `recorded` is False where the row had a result before."""

    def may_have_more(self, items: Sequence[Item], limit: int) -> bool:
        """Return whether rows may be due that a claim of `limit` rows left behind."""
        return len(items) == limit

    async def record_result(self, item: Item, result: Result) -> None:
        """Record a result, with retries; where all fail the row stays claimed, and the repository recovers it."""
        for delay in (*self.record_retry_delays, 0.0):
            recorded = await result_or_log(self.record(item, result), self.record_failed_event, **self.item_facts(item))
            if recorded is not None:
                self.log_result(item, result, recorded=recorded)
                return
            await asyncio.sleep(delay)

    def wake_if_more(self) -> None:
        """Make `run` look again where rows were left behind."""
        if self.has_more:
            self.wakeup.set()

    async def _fill_slots(self) -> None:
        """Claim in a task of its own: a claim that is cancelled half-way would leave rows claimed and unprocessed."""
        if slots := self.free_slots():
            await asyncio.wait({self.tasks.start(self._claim_and_start(slots))})
        else:
            self.has_more = True  # unknown until there is a slot to claim for

    async def _claim_and_start(self, limit: int) -> None:
        self.has_more = False
        items = await result_or_log(self.claim(limit), self.claim_failed_event)
        if items is None:
            return
        self.has_more = self.may_have_more(items, limit)
        for item in items:
            self.in_flight += 1
            self.tasks.start(self._process_and_record(item))

    async def _process_and_record(self, item: Item) -> None:
        try:
            result = await self.process(item)
        finally:
            self.in_flight -= 1
        self.wake_if_more()
        await self.record_result(item, result)


async def process_batch(
    claim: Callable[[int], Awaitable[Collection[Item]]], process: Callable[[Item], Awaitable[None]], limit: int
) -> bool:
    """Claim at most `limit` rows and process them at the same time; True where there may be more."""
    items = await claim(limit)
    await asyncio.gather(*(process(item) for item in items))
    return len(items) == limit


class Worker(Protocol):
    """A worker of `running_worker`."""

    async def run(self) -> None:
        """Work until `stop` is called or the task is cancelled, then finish the rows in flight."""

    def stop(self) -> None:
        """Make `run` return."""


WorkerT = TypeVar("WorkerT", bound=Worker)


@asynccontextmanager
async def running_worker(worker: WorkerT, grace_period: float | None = None) -> AsyncIterator[WorkerT]:
    """Run a worker inside the block; afterwards stop it and wait for it.

    A worker that needs longer than `grace_period` seconds is cancelled; None sets no limit.
    """
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        if grace_period is None:
            await task
        else:
            await asyncio.wait({task}, timeout=grace_period)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
