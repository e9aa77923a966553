"""The circuit breaker of one department's system, as one process sees it.

After three failures in a row the system is not called any more. Every half minute one health check finds out whether it
is back. Then one application goes first, and the others follow when the system has answered that one.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, TypeVar

import structlog
from circuitbreaker import CircuitBreaker

from services.departments.base import AccessDeniedError, BusyError, Department, TemporaryError, UnavailableError

MAX_FAILURES: Final = 3  # in a row
PROBE_INTERVAL: Final = 30.0  # seconds between two health checks of an unreachable system
PROBE_MARGIN: Final = 1.05  # factor after which a probe interval is certainly over

Result = TypeVar("Result")

log = structlog.get_logger()


class DepartmentCircuit:
    """The circuit of one department.

    `unreachable` is the shared set of departments whose systems do not answer. `wake` is called when the system may be
    called again.
    """

    def __init__(
        self,
        code: str,
        department: Department,
        unreachable: set[str],
        *,
        probe_interval: float = PROBE_INTERVAL,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.code = code
        self.department = department
        self.wake: Callable[[], None] = lambda: None
        self.half_open = False
        """True while the system is back and has not answered an application yet."""
        self.recoveries = 0
        """How often the system came back."""
        self._unreachable = unreachable
        self._probe_interval = probe_interval
        self._monotonic = monotonic
        self._breaker = CircuitBreaker(MAX_FAILURES, probe_interval, UnavailableError, code)
        self._not_before = -math.inf
        self._denied_reason = ""

    @property
    def is_available(self) -> bool:
        """Whether the system may be called: it is not known to be down."""
        return bool(self._breaker.closed)

    @property
    def is_paused(self) -> bool:
        """Whether the system asked not to be called for now."""
        return self._monotonic() < self._not_before

    async def call(self, request: Awaitable[Result]) -> Result:
        """Return the answer of the system, and update the circuit by it.

        Raises:
            TemporaryError: the system gave no usable answer.
        """
        try:
            with self._breaker:
                answer = await request
        except TemporaryError as error:
            self._record_failure(error)
            raise
        self._mark_reachable()
        self.half_open = False
        return answer

    async def check_available(self) -> bool:
        """Return whether the system may be called; checks its health where the probe interval is over."""
        if self.is_available or self._breaker.opened:
            return self.is_available
        try:
            with self._breaker:
                await self.department.check_health()
        except TemporaryError as error:
            self._record_failure(error)
            return False
        self._mark_reachable()
        self.half_open = True
        return True

    def _record_failure(self, error: TemporaryError) -> None:
        if error.retry_after or isinstance(error, BusyError):
            wait = error.retry_after or timedelta(seconds=self._probe_interval)
            self._not_before = self._monotonic() + wait.total_seconds()
            self._wake_in(wait.total_seconds())
        if isinstance(error, AccessDeniedError):
            self._log_access_denied(error.reason)
        if not self.is_available:
            self._mark_unreachable(error.reason)

    def _mark_unreachable(self, reason: str) -> None:
        if self.code not in self._unreachable:
            log.error("department_unreachable", department=self.code, reason=reason)
        self._unreachable.add(self.code)
        self._wake_in(self._probe_interval * PROBE_MARGIN)

    def _mark_reachable(self) -> None:
        self._log_access_denied("")
        if self.code in self._unreachable:
            self.recoveries += 1
            log.warning("department_reachable_again", department=self.code)
        self._unreachable.discard(self.code)

    def _log_access_denied(self, reason: str) -> None:
        if reason and reason != self._denied_reason:
            log.critical("department_denies_access", department=self.code, reason=reason, action_required=True)
        self._denied_reason = reason

    def _wake_in(self, seconds: float) -> None:
        asyncio.get_running_loop().call_later(seconds, self.wake)
