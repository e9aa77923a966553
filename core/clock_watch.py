"""Notice that the wall clock of this machine was set, or that the machine was suspended.

Leases and due times are wall-clock times in the database, because all processes read them. After a jump they are wrong: what a
live worker holds looks abandoned, or what is due looks early. A process that has just seen a jump therefore recovers nothing for
as long as a lease lasts, and after a jump back it makes due what was queued at a time that is still to come.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import structlog

from core.types import UtcClock, utc_now

MIN_JUMP: Final = timedelta(seconds=30)
"""Less is no jump: clocks of machines differ, and are corrected, by seconds."""
FUTURE_MARGIN: Final = timedelta(minutes=1)
"""A row that was changed later than this from now was changed before a jump back; clocks of other machines are nearer."""

log = structlog.get_logger()


class ClockWatch:
    """Compares the wall clock with the monotonic one each time it is asked."""

    def __init__(self, *, clock: UtcClock = utc_now, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._monotonic = monotonic
        self._difference = self._measure()
        self._last_jump: float | None = None
        self._is_set_back = True  # by an earlier process, for all we know

    def is_steady(self, for_at_least: timedelta) -> bool:
        """Whether the clock has not jumped for so long, as far as this process has seen."""
        self._look()
        return self._last_jump is None or self._monotonic() - self._last_jump >= for_at_least.total_seconds()

    def take_jump_back(self) -> bool:
        """Whether the clock was set back since the last call; True at the first call, because nobody knows."""
        self._look()
        was_set_back, self._is_set_back = self._is_set_back, False
        return was_set_back

    def _look(self) -> None:
        difference = self._measure()
        jump = timedelta(seconds=difference - self._difference)
        if abs(jump) < MIN_JUMP:
            return
        log.warning("clock_jumped", seconds=round(jump.total_seconds()))
        self._difference, self._last_jump = difference, self._monotonic()
        self._is_set_back = self._is_set_back or jump < timedelta()

    def _measure(self) -> float:
        return self._clock().timestamp() - self._monotonic()
