"""Run jobs periodically in the background, each with a deadline; a failure is logged and the job runs again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

import structlog

from core.logging import error_facts
from core.timeouts import Timeout

CANCEL_INTERVAL: Final = 5.0  # seconds until a task that goes on is cancelled again

log = structlog.get_logger()


class PeriodicJob(NamedTuple):
    """A job, the log event of its failure, and its deadline in seconds."""

    run: Callable[[], Awaitable[object]]
    failure_event: str
    timeout: float = 30.0

    async def run_once(self) -> None:
        """Run the job; log its failure instead of raising it."""
        try:
            async with Timeout(self.timeout):
                await self.run()
        except Exception as error:  # noqa: BLE001 - the other jobs must go on
            log.error(self.failure_event, **error_facts(error))


@asynccontextmanager
async def background(work: Coroutine[None, None, None]) -> AsyncIterator[asyncio.Task[None]]:
    """Run a coroutine while the block lasts, then cancel it."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        await cancel_and_wait(task)


async def cancel_and_wait(task: asyncio.Task[Any]) -> None:
    """Cancel a task until it has ended: a library that it awaits can lose a cancellation, and the task would go on.

    Raises:
        Exception: the error that ended the task.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=CANCEL_INTERVAL)
    if not task.cancelled() and (error := task.exception()):
        raise error


@asynccontextmanager
async def run_periodically(interval: float, *jobs: PeriodicJob, initial_delay: float = 0.0) -> AsyncIterator[None]:
    """Run the jobs in their order while the block lasts: after `initial_delay` seconds, then with pauses of `interval`."""
    async with background(_run_forever(interval, jobs, initial_delay)):
        yield


async def _run_forever(interval: float, jobs: tuple[PeriodicJob, ...], initial_delay: float) -> None:
    await asyncio.sleep(initial_delay)
    while True:
        for job in jobs:
            await job.run_once()
        await asyncio.sleep(interval)
