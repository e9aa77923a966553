"""The line to one department's system, as one process sees it: whether it is asked now, and what is told of it, once.

A circuit breaker keeps count. After three failures in a row the system is not asked any more, but every half a minute
whether it is there. When it is, one application goes first, and the others when that one was answered.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final, TypeVar

import structlog
from circuitbreaker import CircuitBreaker

from services.departments.port import Barred, Busy, Department, NotNow, Unavailable
from services.given import Clock, utc_now

FAILURES: Final = 3  # in a row
PAUSE: Final = 30.0  # seconds between two questions whether a silent one is there
LONGER: Final = 1.05  # times a pause: when it is over for certain

Answer = TypeVar("Answer")

log = structlog.get_logger()


class Line:
    """One department's. `silent` is where those are kept that do not answer, `stir` is called when it may be asked again."""

    def __init__(
        self, code: str, department: Department, silent: set[str], *, pause: float = PAUSE, clock: Clock = utc_now
    ) -> None:
        self.code = code
        self.department = department
        self.stir: Callable[[], None] = lambda: None
        self.doubtful = False
        """It is there again, and has not answered an application yet."""
        self.recovered = 0
        """How often it has come back."""
        self._silent = silent
        self._pause = pause
        self._clock = clock
        self._breaker = CircuitBreaker(FAILURES, pause, Unavailable, code)
        self._not_before: datetime | None = None
        self._barred = ""

    @property
    def answers(self) -> bool:
        """Whether it is asked: it is not known to be down."""
        return bool(self._breaker.closed)

    @property
    def resting(self) -> bool:
        """Whether it asked to be left alone for now."""
        return self._not_before is not None and self._clock() < self._not_before

    async def ask(self, asked: Awaitable[Answer]) -> Answer:
        """What it answers; the line is judged by it.

        Raises:
            NotNow: nothing came of it.
        """
        try:
            with self._breaker:
                answer = await asked
        except NotNow as failed:
            self._judge(failed)
            raise
        self._well()
        self.doubtful = False
        return answer

    async def is_there(self) -> bool:
        """Whether it may be asked. One that was silent for the length of a pause is asked just that, here."""
        if self.answers or self._breaker.opened:
            return self.answers
        try:
            with self._breaker:
                await self.department.health()
        except NotNow as failed:
            self._judge(failed)
            return False
        self._well()
        self.doubtful = True
        return True

    def _judge(self, failed: NotNow) -> None:
        if failed.wait or isinstance(failed, Busy):
            wait = failed.wait or timedelta(seconds=self._pause)
            self._not_before = self._clock() + wait
            self._stir_in(wait.total_seconds())
        if isinstance(failed, Barred):
            self._tell_barred(failed.reason)
        if not self.answers:
            self._fall_silent(failed.reason)

    def _fall_silent(self, reason: str) -> None:
        if self.code not in self._silent:
            log.error("a department's system does not answer", department=self.code, reason=reason)
        self._silent.add(self.code)
        self._stir_in(self._pause * LONGER)

    def _well(self) -> None:
        self._tell_barred("")
        if self.code in self._silent:
            self.recovered += 1
            log.warning("a department's system answers again", department=self.code)
        self._silent.discard(self.code)

    def _tell_barred(self, reason: str) -> None:
        if reason and reason != self._barred:
            log.critical("a department's system does not let us in", department=self.code, reason=reason)
        self._barred = reason

    def _stir_in(self, seconds: float) -> None:
        asyncio.get_running_loop().call_later(seconds, self.stir)
