"""The couriers of one process, at work: stirred when something is due, and looked after."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final, Protocol

import structlog

from services.departments.courier import Courier, tried
from services.departments.deliveries import Depth
from services.departments.looking import Looking

IDLE: Final = 1.0  # seconds between looks at what other processes queued, and at what falls due
LOOKED_AFTER: Final = 15.0  # seconds between looks at what was left lying, at statuses, and at how many there are
ABANDONED: Final = timedelta(minutes=2)  # more than a request and its settling can take

log = structlog.get_logger()


class Rows(Protocol):
    """What all couriers share; see `services.departments.deliveries.Deliveries`."""

    async def until_queued(self, seconds: float) -> None:
        """Return when this process has queued something, and after `seconds` at the latest."""

    async def due(self) -> Collection[str]:
        """The departments for which something is due."""

    async def sweep(self, older_than: timedelta) -> int:
        """Queue again what dead workers left; how many there were."""

    async def depth(self) -> Sequence[Depth]:
        """How many stand where."""


class Couriers:
    """A courier for each connected department; and who asks those for statuses that do not tell them."""

    def __init__(
        self,
        rows: Rows,
        couriers: Sequence[Courier],
        looking: Sequence[Looking] = (),
        *,
        idle: float = IDLE,
        looked_after: float = LOOKED_AFTER,
    ) -> None:
        self._rows = rows
        self._couriers: Mapping[str, Courier] = {courier.line.code: courier for courier in couriers}
        self._looking = looking
        self._idle = idle
        self._looked_after = looked_after
        self._orphaned: frozenset[str] = frozenset()
        self.depth: Sequence[Depth] = ()
        """How many stood where when it was last counted."""

    @property
    def each(self) -> Collection[Courier]:
        """All of them."""
        return self._couriers.values()

    async def run(self) -> None:
        """Until cancelled; then what is on its way is finished."""
        async with asyncio.TaskGroup() as group:
            for courier in self.each:
                group.create_task(courier.run())
            for looking in self._looking:
                group.create_task(self._look(looking))
            group.create_task(self._watch())
            group.create_task(self._look_after())

    async def _watch(self) -> None:
        """Stir those for whom something is due."""
        while True:
            for code in await tried(self._rows.due(), "what is due for departments could not be found") or ():
                self._couriers[code].stir()
            await self._rows.until_queued(self._idle)

    async def _look_after(self) -> None:
        while True:
            if swept := await tried(self._rows.sweep(ABANDONED), "abandoned deliveries could not be looked for"):
                log.error("deliveries were left by a worker that is gone, and are sent again", count=swept)
            self.depth = await tried(self._rows.depth(), "deliveries could not be counted") or self.depth
            self._tell_orphaned(frozenset(one.department for one in self.depth) - self._couriers.keys())
            await asyncio.sleep(self._looked_after)

    def _tell_orphaned(self, codes: frozenset[str]) -> None:
        if codes and codes != self._orphaned:
            log.critical("applications wait for departments that are not connected", departments=sorted(codes))
        self._orphaned = codes

    async def _look(self, looking: Looking) -> None:
        while True:
            if not await looking.look():
                await asyncio.sleep(self._looked_after)


@asynccontextmanager
async def at_work(couriers: Couriers) -> AsyncIterator[Couriers]:
    """The couriers at work inside, and come to their end in good order afterwards."""
    running = asyncio.create_task(couriers.run())
    try:
        yield couriers
    finally:
        running.cancel()
        await asyncio.wait({running})
