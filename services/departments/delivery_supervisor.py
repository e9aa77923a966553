"""Runs the delivery workers and status pollers of one process, and recovers abandoned deliveries."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Final

import structlog

from core.claim_worker import result_or_log
from core.clock_watch import ClockWatch
from services.departments.deliveries import DeliveryRepository
from services.departments.delivery_worker import DeliveryWorker
from services.departments.models import DeliveryDepth
from services.departments.status_polling import StatusPoller

POLL_INTERVAL: Final = 1.0  # seconds between looks for deliveries that other processes queued or that fell due
MAINTENANCE_INTERVAL: Final = 15.0  # seconds between recoveries, counts and status polls
ABANDONED_AFTER: Final = timedelta(minutes=2)  # longer than a request and recording its result can take

log = structlog.get_logger()


class DeliverySupervisor:
    """One delivery worker for each connected department, and one poller for each that sends no events."""

    depth: Sequence[DeliveryDepth]
    """The number of deliveries in each state at the last count."""

    def __init__(
        self,
        deliveries: DeliveryRepository,
        workers: Sequence[DeliveryWorker],
        pollers: Sequence[StatusPoller] = (),
        *,
        poll_interval: float = POLL_INTERVAL,
        maintenance_interval: float = MAINTENANCE_INTERVAL,
        clock_watch: ClockWatch | None = None,
    ) -> None:
        self._deliveries = deliveries
        self._workers: Mapping[str, DeliveryWorker] = {worker.circuit.code: worker for worker in workers}
        self._pollers = pollers
        self._poll_interval = poll_interval
        self._maintenance_interval = maintenance_interval
        self._clock_watch = clock_watch or ClockWatch()
        self._unconnected: frozenset[str] = frozenset()
        self.depth = ()

    @property
    def workers(self) -> Collection[DeliveryWorker]:
        """The workers of all connected departments."""
        return self._workers.values()

    async def run(self) -> None:
        """Run until cancelled; then the workers finish the deliveries in flight."""
        async with asyncio.TaskGroup() as group:
            for worker in self.workers:
                group.create_task(worker.run())
            for poller in self._pollers:
                group.create_task(self._poll(poller))
            group.create_task(self._wake_due())
            group.create_task(self._maintain())

    async def _wake_due(self) -> None:
        while True:
            due = await result_or_log(self._deliveries.departments_due(), "due_deliveries_query_failed")
            for code in due or ():
                self._workers[code].wake()
            await self._deliveries.wait_for_queued(self._poll_interval)

    async def _maintain(self) -> None:
        while True:
            await self._recover()
            self.depth = await result_or_log(self._deliveries.depth(), "delivery_count_failed") or self.depth
            self._log_unconnected(frozenset(one.department for one in self.depth) - self._workers.keys())
            await asyncio.sleep(self._maintenance_interval)

    async def _recover(self) -> None:
        if self._clock_watch.take_jump_back() and (
            count := await result_or_log(self._deliveries.make_future_due(), "deliveries_not_made_due")
        ):
            log.warning("deliveries_of_the_future_made_due", count=count)
        if not self._clock_watch.is_steady(ABANDONED_AFTER):
            return
        recovering = self._deliveries.recover_abandoned(ABANDONED_AFTER)
        if count := await result_or_log(recovering, "delivery_recovery_failed"):
            log.error("abandoned_deliveries_recovered", count=count)

    def _log_unconnected(self, codes: frozenset[str]) -> None:
        if codes and codes != self._unconnected:
            log.critical("deliveries_for_unconnected_departments", departments=sorted(codes), action_required=True)
        self._unconnected = codes

    async def _poll(self, poller: StatusPoller) -> None:
        while True:
            if not await poller.poll():
                await asyncio.sleep(self._maintenance_interval)
