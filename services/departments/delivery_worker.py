"""Delivers the applications of one department to its system, each as often as it takes."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

import structlog

from core.claim_worker import ClaimWorker, result_or_log
from core.logging import error_facts
from core.retry import Backoff
from core.types import UtcClock, utc_now
from services.departments.base import AccessDeniedError, TemporaryError
from services.departments.circuit_breaker import DepartmentCircuit
from services.departments.deliveries import DeliveryRepository
from services.departments.models import Accepted, ClaimedDelivery, DeliveryResult, Rejected, RetryLater

BACKOFF: Final = Backoff(initial=2.0, maximum=3600.0)
SUSPENDED_WAIT: Final = timedelta(minutes=10)  # between attempts while a person has to fix the connection

RESULT_NAMES: Final = {Accepted: "accepted", Rejected: "rejected", RetryLater: "retry_later"}

log = structlog.get_logger()


class DeliveryWorker(ClaimWorker[ClaimedDelivery, DeliveryResult]):
    """The worker of one department in one process. Any number of processes share the same deliveries."""

    claim_failed_event = "delivery_claim_failed"
    record_failed_event = "delivery_result_not_recorded"

    def __init__(
        self,
        circuit: DepartmentCircuit,
        deliveries: DeliveryRepository,
        *,
        worker: str,
        concurrency: int,
        grace_period: float,
        clock: UtcClock = utc_now,
        random_fraction: Callable[[], float] = random.random,
    ) -> None:
        """`grace_period` is the time in seconds that deliveries in flight get at a stop; later ones are sent again."""
        super().__init__()
        self.circuit = circuit
        self.result_counts: Counter[str] = Counter()
        """Attempts by result: `accepted`, `rejected`, `retry_later`."""
        self._deliveries = deliveries
        self._worker = worker
        self._concurrency = concurrency
        self._grace_period = grace_period
        self._clock = clock
        self._random_fraction = random_fraction
        self._recoveries_seen = circuit.recoveries
        circuit.wake = self.wake

    def wake(self) -> None:
        """Look for deliveries; some may be due."""
        self.has_more = True
        self.wakeup.set()

    async def run(self) -> None:
        """Deliver until cancelled; then finish the deliveries in flight and claim nothing more."""
        await self._retry_now()  # a restart may have fixed what was wrong
        await super().run()

    def free_slots(self) -> int:
        """Return how many deliveries may start: 0 while the system is down or paused, 1 right after it came back."""
        if not self.circuit.is_available or self.circuit.is_paused:
            return 0
        return max(0, (1 if self.circuit.half_open else self._concurrency) - self.in_flight)

    async def may_claim(self) -> bool:
        """Return whether deliveries may be due and the system is available. If it came back, retries are due at once."""
        available = await self.circuit.check_available()
        if self.circuit.recoveries != self._recoveries_seen:
            self._recoveries_seen = self.circuit.recoveries
            await self._retry_now()
        return available and self.has_more

    async def claim(self, limit: int) -> Sequence[ClaimedDelivery]:
        """Claim at most `limit` deliveries of the department."""
        return await self._deliveries.claim(self.circuit.code, self._worker, limit)

    async def process(self, item: ClaimedDelivery) -> DeliveryResult:
        """Submit an application, or an answer of its applicant, to the department's system."""
        department = self.circuit.department
        try:
            request = department.send_answer(item.answer) if item.answer else department.submit(item.application)
            return await self.circuit.call(request)
        except TemporaryError as error:
            return self._retry_later(item, error)
        except Exception as error:  # noqa: BLE001 - a fault of ours must not stop the other deliveries
            log.error("connector_failed", department=self.circuit.code, delivery=item.id, **error_facts(error))
            return self._retry_later(item, TemporaryError(type(error).__name__))

    async def record(self, item: ClaimedDelivery, result: DeliveryResult) -> bool:
        """Record the result of an attempt; False where the delivery had a result before."""
        return await self._deliveries.record_result(item, result)

    async def record_result(self, item: ClaimedDelivery, result: DeliveryResult) -> None:
        """Count and record a result; one that cannot be recorded is sent again under the same idempotency key."""
        self.result_counts[RESULT_NAMES[type(result)]] += 1
        recoveries = self.circuit.recoveries
        self.wakeup.set()
        await super().record_result(item, result)
        if self.circuit.recoveries != recoveries:  # the system came back meanwhile, so this retry is due as well
            await self._retry_now()
            self.wakeup.set()

    async def finish(self) -> None:
        """Give deliveries in flight the grace period, and cancel the rest; those are sent again later."""
        await self.tasks.finish(self._grace_period)

    def item_facts(self, item: ClaimedDelivery) -> dict[str, object]:
        """Return the department, the delivery and its attempts."""
        return {"department": self.circuit.code, "delivery": item.id, "attempts": item.attempt}

    def log_result(self, item: ClaimedDelivery, result: DeliveryResult, *, recorded: bool) -> None:
        """Log an accepted or rejected application; retries are not logged."""
        facts = {**self.item_facts(item), "recorded": recorded}
        if isinstance(result, Rejected):
            log.critical("application_rejected_by_department", reason=result.reason, action_required=True, **facts)
        elif isinstance(result, Accepted):
            log.info("application_delivered", **facts)

    async def _retry_now(self) -> None:
        self.has_more = True
        await result_or_log(self._deliveries.retry_now(self.circuit.code), "delivery_retry_not_advanced")

    def _retry_later(self, claimed: ClaimedDelivery, error: TemporaryError) -> RetryLater:
        denied = isinstance(error, AccessDeniedError)
        backoff = SUSPENDED_WAIT if denied else BACKOFF.delay(claimed.attempt, self._random_fraction())
        return RetryLater(error.reason, self._clock() + (error.retry_after or backoff), suspended=denied)
