"""How many segments a sender may send a second: networks count, and charge, by the segment."""

import math
import time
from collections.abc import Callable
from typing import Final

ROUNDING: Final = 1e-6  # segments that a sum of many small refills may lack


class Throttle:
    """What may be sent now, refilled as time goes by.

    Hardly more than a quarter of a second's worth is saved up, so that after a pause no second sees much more than the
    others. A message longer than what is left goes all the same, and what follows waits for it.
    """

    def __init__(self, a_second: float, now: Callable[[], float] = time.monotonic) -> None:
        """`a_second` segments are let through each second; 0: as many as there are."""
        self._a_second = a_second
        self._most = 1 + a_second / 4
        self._left = self._most
        self._now = now
        self._since = now()

    def left(self) -> int | None:
        """How many segments may be sent now; None for any number."""
        if not self._a_second:
            return None
        now = self._now()
        self._left = min(self._most, self._left + (now - self._since) * self._a_second)
        self._since = now
        return max(0, math.floor(self._left + ROUNDING))

    def take(self, segments: int) -> None:
        """Note what is sent now."""
        self._left -= segments

    def wait(self) -> float:
        """Seconds until there is at least one segment left again."""
        return max(0.0, 1.0 - self._left) / self._a_second if self._a_second else 0.0
