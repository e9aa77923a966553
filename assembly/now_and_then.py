"""Work that is done now and then beside the routes: each time within a deadline, and logged where it fails."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

import structlog

from failures import told

log = structlog.get_logger()


class Chore(NamedTuple):
    """One thing to do, what the log says where that fails, and the seconds that it may take."""

    work: Callable[[], Awaitable[object]]
    problem: str
    within: float = 30.0

    async def tried(self) -> None:
        """Do it; where it fails that is logged, and the next time may go better."""
        try:
            async with asyncio.timeout(self.within):
                await self.work()
        except Exception as error:  # noqa: BLE001 - whatever it is, the other work goes on
            log.error(self.problem, **told(error))


@asynccontextmanager
async def beside(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Work without an end of its own, for as long as the block lasts."""
    working = asyncio.create_task(work)
    try:
        yield
    finally:
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working


@asynccontextmanager
async def now_and_then(seconds: float, *chores: Chore, first: float = 0.0) -> AsyncIterator[None]:
    """The chores in their order, after `first` seconds and then every so many, for as long as the block lasts."""
    async with beside(_for_ever(seconds, chores, first)):
        yield


async def _for_ever(seconds: float, chores: tuple[Chore, ...], first: float) -> None:
    await asyncio.sleep(first)
    while True:
        for chore in chores:
            await chore.tried()
        await asyncio.sleep(seconds)
