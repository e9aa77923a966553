"""The throttle of a sender, in segments a second: networks count, and charge, by the segment."""

import math
import time
from collections.abc import Callable
from typing import Final

ROUNDING_TOLERANCE: Final = 1e-6  # segments that the sum of many small refills may lack


class Throttle:
    """The segments that may be sent now, refilled over time.

    The bucket holds about a quarter of a second, so that a pause is not followed by a burst. A message longer than the
    rest of the bucket is sent, and later messages wait.
    """

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`rate` is in segments a second; 0 means no limit."""
        self._rate = rate
        self._capacity = 1 + rate / 4
        self._available = self._capacity
        self._clock = clock
        self._updated_at = clock()

    def available(self) -> int | None:
        """Return how many segments may be sent now; None for no limit."""
        if not self._rate:
            return None
        now = self._clock()
        self._available = min(self._capacity, self._available + (now - self._updated_at) * self._rate)
        self._updated_at = now
        return max(0, math.floor(self._available + ROUNDING_TOLERANCE))

    def consume(self, segments: int) -> None:
        """Take segments that are sent now."""
        self._available -= segments

    def seconds_until_available(self) -> float:
        """Return the seconds until at least one segment is available."""
        return max(0.0, 1.0 - self._available) / self._rate if self._rate else 0.0
