"""Requests of callers, whatever the channel: one counter by channel, provider and outcome, and one histogram of durations."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

BUCKET_BOUNDS: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the buckets of durations, in seconds."""


class HopCounts:
    """The requests of one channel by one provider. Plain numbers: one event loop needs no lock for a count."""

    __slots__ = ("bucket_counts", "outcome_counts", "total_seconds")

    def __init__(self, outcomes: Sequence[str]) -> None:
        """Every one of `outcomes` is shown from the beginning, with 0."""
        self.outcome_counts = dict.fromkeys(outcomes, 0)
        self.bucket_counts = [0] * (len(BUCKET_BOUNDS) + 1)
        self.total_seconds = 0.0

    def count(self, outcome: str) -> None:
        """Count one request by its outcome alone, where it did no work whose duration tells something."""
        self.outcome_counts[outcome] += 1

    def record(self, outcome: str, seconds: float) -> None:
        """Count one request: its outcome, and its duration in seconds."""
        self.outcome_counts[outcome] += 1
        self.bucket_counts[bisect_left(BUCKET_BOUNDS, seconds)] += 1
        self.total_seconds += seconds


class HopMetrics(Collector):
    """Exports the requests of every channel and provider of this process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._counts: dict[tuple[str, str], HopCounts] = {}
        registry.register(self)

    def open(self, channel: str, provider: str, outcomes: Sequence[str]) -> HopCounts:
        """The counts of a channel and provider, the same ones at each call."""
        key = channel, provider
        if key not in self._counts:
            self._counts[key] = HopCounts(outcomes)
        return self._counts[key]

    def collect(self) -> Iterator[Metric]:
        """The counter, and the histogram with cumulative buckets."""
        labels = ["channel", "provider"]
        hops = CounterMetricFamily(
            "ekdial_hops",
            "Requests of callers by outcome: key presses, SMS, calls, pages.",
            labels=[*labels, "outcome"],
        )
        seconds = HistogramMetricFamily(
            "ekdial_hop_seconds", "Seconds from the arrival of a request to its reply.", labels=labels
        )
        for key, counts in self._counts.items():
            for outcome, count in counts.outcome_counts.items():
                hops.add_metric([*key, outcome], count)
            within = zip((*map(str, BUCKET_BOUNDS), "+Inf"), accumulate(counts.bucket_counts), strict=True)
            seconds.add_metric([*key], buckets=list(within), sum_value=counts.total_seconds)
        yield from (hops, seconds)
