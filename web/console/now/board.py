"""What happens now, computed once for everybody who looks: rates over the last minute, queues, providers, departments, alarms."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Final, NamedTuple

from core.alarms import ActiveAlarm, find_active_alarms
from core.metric_samples import MetricSamples, estimate_quantile

LOOK_INTERVAL: Final = 2.0
"""Seconds for which what was computed is shown to everybody."""
WINDOW: Final = 60.0
"""Seconds over which rates are computed."""
HOPS: Final = "ekdial_hops_total"
HOP_SECONDS: Final = "ekdial_hop_seconds"
MENU_CHANNELS: Final = ("ussd", "kaios")
"""Where a request is a key press: its caller waits for the next screen."""
UNANSWERED: Final = ("failed", "shed")
TYPICAL: Final = 0.5
SLOW: Final = 0.95

RenderMetrics = Callable[[], Awaitable[bytes]]
"""The metrics of all workers in Prometheus' text format."""


@dataclass(frozen=True, slots=True)
class Rates:
    """What happened in the window: key presses a second, other things a minute, and seconds that a key press took.

    `typical_seconds` and `slow_seconds` are the bounds below which half and 95 % of them were; None where there was none.
    """

    key_presses: float
    failed: float
    sms_in: float
    sms_out: float
    missed_calls: float
    typical_seconds: float | None
    slow_seconds: float | None


@dataclass(frozen=True, slots=True)
class ProviderState:
    """A provider of SMS: whether its account holds all SMS up, and what it took and refused a minute; None until it is known."""

    name: str
    is_held: bool
    taken: float | None
    not_taken: float | None


@dataclass(frozen=True, slots=True)
class DepartmentState:
    """A department with a system of its own: whether that answers, and what waits for it, the oldest for so many seconds."""

    code: str
    answers: bool
    waiting: int
    oldest_seconds: float


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What happens now. `rates` is None until two looks are far enough apart; `live_sessions` where nobody counts them."""

    number: int
    rates: Rates | None
    live_sessions: int | None
    in_flight: int
    queue: Mapping[str, int]
    oldest_due_seconds: float
    providers: Sequence[ProviderState]
    departments: Sequence[DepartmentState]
    alarms: Sequence[ActiveAlarm]


class _Look(NamedTuple):
    time: float
    samples: MetricSamples


class NowBoard:
    """Computes what happens now, at most once in LOOK_INTERVAL, and only while somebody looks."""

    def __init__(
        self,
        render_metrics: RenderMetrics,
        providers: Sequence[str],
        departments: Callable[[], Sequence[str]],
        *,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """`providers` of SMS by name; `departments` gives the codes of those with a system of their own."""
        self._render_metrics = render_metrics
        self._providers = providers
        self._departments = departments
        self._clock = clock
        self._looks: deque[_Look] = deque()
        self._snapshot: Snapshot | None = None
        self._lock = asyncio.Lock()

    async def look(self) -> Snapshot:
        """What happens now."""
        async with self._lock:
            now = self._clock()
            if self._snapshot is None or now - self._looks[-1].time >= LOOK_INTERVAL:
                samples = MetricSamples((await self._render_metrics()).decode())
                self._remember(_Look(now, samples))
                self._snapshot = self._build_snapshot()
            return self._snapshot

    def _remember(self, look: _Look) -> None:
        """Keep the looks of the window: after a while in which nobody looked, that is this one alone."""
        self._looks.append(look)
        while look.time - self._looks[0].time > WINDOW:
            self._looks.popleft()

    def _build_snapshot(self) -> Snapshot:
        newest, number = self._looks[-1].samples, self._snapshot.number + 1 if self._snapshot else 1
        sessions = newest.sum("ekdial_live_sessions") if "ekdial_live_sessions" in newest else None
        return Snapshot(
            number=number,
            rates=self._compute_rates(),
            live_sessions=None if sessions is None else int(sessions),
            in_flight=int(newest.sum("ekdial_ussd_in_flight")),
            queue={stage: int(count) for stage, count in newest.sum_by("ekdial_messages", "stage").items()},
            oldest_due_seconds=newest.sum("ekdial_messages_oldest_due_seconds"),
            providers=[self._describe_provider(name) for name in self._providers],
            departments=[_describe_department(newest, code) for code in self._departments()],
            alarms=find_active_alarms(newest),
        )

    @property
    def _seconds(self) -> float:
        """The seconds between the first and the last look; 0 where there is one."""
        return self._looks[-1].time - self._looks[0].time

    def _count(self, name: str, **labels: str) -> float:
        """By how much a counter has grown since the first look."""
        return max(0.0, self._looks[-1].samples.sum(name, **labels) - self._looks[0].samples.sum(name, **labels))

    def _count_a_minute(self, name: str, **labels: str) -> float:
        return self._count(name, **labels) * 60 / self._seconds

    def _compute_rates(self) -> Rates | None:
        if not self._seconds:
            return None
        older, newer = self._looks[0].samples, self._looks[-1].samples
        return Rates(
            key_presses=sum(self._count(HOPS, channel=channel) for channel in MENU_CHANNELS) / self._seconds,
            failed=sum(
                self._count_a_minute(HOPS, channel=channel, outcome=outcome)
                for channel in MENU_CHANNELS
                for outcome in UNANSWERED
            ),
            sms_in=self._count_a_minute(HOPS, channel="sms"),
            sms_out=self._count_a_minute("ekdial_sms_sends_total", outcome="sent"),
            missed_calls=self._count_a_minute(HOPS, channel="voice"),
            typical_seconds=estimate_quantile(HOP_SECONDS, TYPICAL, newer, older, channel="ussd"),
            slow_seconds=estimate_quantile(HOP_SECONDS, SLOW, newer, older, channel="ussd"),
        )

    def _describe_provider(self, name: str) -> ProviderState:
        newest = self._looks[-1].samples
        is_held = newest.sum("ekdial_sms_held", provider=name) > 0
        if not self._seconds:
            return ProviderState(name, is_held, None, None)
        tried = self._count_a_minute("ekdial_sms_sends_total", provider=name)
        taken = self._count_a_minute("ekdial_sms_sends_total", provider=name, outcome="sent")
        return ProviderState(name, is_held, taken, max(0.0, tried - taken))


def _describe_department(samples: MetricSamples, code: str) -> DepartmentState:
    ages = [sample.value for sample in samples.find("ekdial_deliveries_oldest_seconds", department=code)]
    answers = [sample.value for sample in samples.find("ekdial_department_answers", department=code)]
    waiting = int(samples.sum("ekdial_deliveries", department=code))
    return DepartmentState(code, all(answers), waiting, max(ages, default=0.0))
