"""Which key presses are taken while there are more than can be answered in time.

A long queue helps nobody: each request in it is answered too late, after its work was done. So a key press is refused at once,
before anything is loaded for it, where too many are in work. How many are too many depends on two measurements, taken ten
times a second: how late the event loop is, and how long the fastest of the recent key presses took. Both are delays that
every key press has, which is how the CoDel algorithm tells a standing queue: a database that is slow for some keeps nobody
from walking through the menus.

Calls that begin are refused first. Calls under way have a higher limit, so that what was begun is finished.
"""

import asyncio
import math
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Final, Literal, TypeAlias, get_args

import structlog

from core.periodic import background

log = structlog.get_logger()

TICK: Final = 0.1
"""Seconds between two measurements."""
WINDOW_TICKS: Final = 3
"""Measurements whose lowest counts: a pause of the process is shorter, a standing queue longer."""
DECREASE: Final = 0.7
"""What is left of a limit after a measurement above its target."""
RECOVERY_TICKS: Final = 20
"""Measurements below the target that raise a limit from nothing to its maximum: two seconds."""
START_SHARE: Final = 0.6
"""Share of the key presses in work up to which calls may begin."""
MIN_STARTS: Final = 4
"""Key presses in work below which a call always begins: on a busy machine the event loop is late without any of our doing."""
MIN_INPUTS: Final = 16
"""Key presses in work below which a call under way always goes on."""
LOG_INTERVAL: Final = 10.0
"""Seconds between two log lines about refusals."""

Reason: TypeAlias = Literal["in_flight", "loop_delay", "duration", "database"]
"""Why a key press is refused: the maximum in work, or a limit lowered because of a late event loop or of slow replies.

`database`: it was taken, and refused before anything was recorded, because of the queue for a connection.
"""
REASONS: Final[tuple[Reason, ...]] = get_args(Reason)


@dataclass(frozen=True, slots=True)
class DelayTargets:
    """Delays in seconds that all key presses may have: of the event loop, and from arrival to reply."""

    loop_delay: float
    duration: float


START_TARGETS: Final = DelayTargets(loop_delay=0.1, duration=2.0)
"""A key press takes a dozen turns of the event loop: a turn of 0.1 s makes a reply of a second."""
INPUT_TARGETS: Final = DelayTargets(loop_delay=0.4, duration=4.0)
"""Half of the eight seconds in which a reply is expected."""


class AdaptiveLimit:
    """A number of key presses in work: lowered by a share while delays stand, raised step by step while they do not."""

    __slots__ = ("_maximum", "_minimum", "_targets", "_value", "cause", "current")

    current: int
    """The limit."""
    cause: Reason
    """What lowered it."""

    def __init__(self, *, maximum: int, minimum: int, targets: DelayTargets) -> None:
        self._maximum = maximum
        self._minimum = min(minimum, maximum)
        self._targets = targets
        self._value = float(maximum)
        self.current = maximum
        self.cause = "in_flight"

    @property
    def is_lowered(self) -> bool:
        """True while the limit is below its maximum."""
        return self.current < self._maximum

    def adjust(self, *, in_flight: int, loop_delay: float, duration: float) -> None:
        """Lower or raise the limit after a measurement. `duration` is infinite where nothing was answered."""
        if loop_delay > self._targets.loop_delay:
            self._lower(in_flight, "loop_delay")
        elif math.isfinite(duration) and duration > self._targets.duration:
            self._lower(in_flight, "duration")
        else:
            self._value = min(self._value + self._maximum / RECOVERY_TICKS, self._maximum)
            self._set_current()

    def _lower(self, in_flight: int, cause: Reason) -> None:
        self._value = max(self._minimum, min(self._value, in_flight) * DECREASE)
        self.cause = cause
        self._set_current()

    def _set_current(self) -> None:
        self.current = int(self._value)
        if not self.is_lowered:
            self.cause = "in_flight"


class Admission:
    """Counts the key presses in work, and refuses those above the limits. One a process; a key press costs two calls."""

    def __init__(self, max_in_flight: int) -> None:
        starts = max(1, int(max_in_flight * START_SHARE))
        self._starts = AdaptiveLimit(maximum=starts, minimum=MIN_STARTS, targets=START_TARGETS)
        self._inputs = AdaptiveLimit(maximum=max_in_flight, minimum=MIN_INPUTS, targets=INPUT_TARGETS)
        self._shortest = math.inf
        self._loop_delays: deque[float] = deque([0.0], maxlen=WINDOW_TICKS)
        self._durations: deque[float] = deque(maxlen=WINDOW_TICKS)
        self._refused_since_log: Counter[str] = Counter()
        self._logged_at = -math.inf
        self.in_flight = 0
        self.loop_delay = 0.0
        """How late the event loop was at the last measurement, in seconds."""
        self.refused_starts: Counter[str] = Counter(dict.fromkeys(REASONS, 0))
        self.refused_inputs: Counter[str] = Counter(dict.fromkeys(REASONS, 0))

    @property
    def is_overloaded(self) -> bool:
        """True while delays stand, and for a moment after."""
        return self._starts.is_lowered

    @property
    def start_limit(self) -> int:
        """The key presses in work from which on calls that begin are refused."""
        return self._starts.current

    def enter(self, *, starts_session: bool) -> bool:
        """Whether a key press is taken. One that is taken has to `leave`."""
        limit = self._starts if starts_session else self._inputs
        if self.in_flight < limit.current:
            self.in_flight += 1
            return True
        self.count_refusal(limit.cause, starts_session=starts_session)
        return False

    def leave(self, seconds: float) -> None:
        """End a key press that was taken, `seconds` after it arrived."""
        self.in_flight -= 1
        if seconds < self._shortest:  # noqa: PLR1730 - this runs for every key press, and min() takes longer
            self._shortest = seconds

    def count_refusal(self, reason: Reason, *, starts_session: bool) -> None:
        """Count a key press that was refused; the log has one line for many."""
        counts = self.refused_starts if starts_session else self.refused_inputs
        counts[reason] += 1
        self._refused_since_log["started" if starts_session else "under_way"] += 1

    def measure(self, loop_delay: float, now: float) -> None:
        """Adjust the limits to what was measured since the last time; `now` is in seconds of `time.monotonic`."""
        self.loop_delay = max(0.0, loop_delay)
        self._loop_delays.append(self.loop_delay)
        self._durations.append(self._shortest)
        self._shortest = math.inf
        delay, duration = min(self._loop_delays), min(self._durations)
        for limit in (self._starts, self._inputs):
            limit.adjust(in_flight=self.in_flight, loop_delay=delay, duration=duration)
        self._log_refusals(now)

    @asynccontextmanager
    async def measuring(self) -> AsyncIterator[None]:
        """Measure while the block lasts."""
        async with background(self._measure_forever()):
            yield

    async def _measure_forever(self) -> None:
        while True:
            due = monotonic() + TICK
            await asyncio.sleep(TICK)
            now = monotonic()
            self.measure(now - due, now)

    def _log_refusals(self, now: float) -> None:
        if not self._refused_since_log or now - self._logged_at < LOG_INTERVAL:
            return
        log.warning(
            "ussd_requests_shed",
            starting=self._refused_since_log["started"],
            under_way=self._refused_since_log["under_way"],
            in_flight=self.in_flight,
            start_limit=self._starts.current,
            loop_delay_ms=round(self.loop_delay * 1000),
        )
        self._refused_since_log.clear()
        self._logged_at = now
