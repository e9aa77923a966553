"""What is counted of USSD hops, for Prometheus to ask."""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from sessions.exchange import TAKEN_FOR

BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Hops(Collector):
    """What is counted of hops: how many, what they were taken for, and how long they took.

    Plain numbers until somebody asks: the library's own metrics lock each of them, which one event loop need not.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._taken_for = dict.fromkeys(TAKEN_FOR, 0)
        self._within = [0] * (len(BUCKETS) + 1)
        self._seconds = 0.0
        registry.register(self)
        self.ended = Counter(
            "ekdial_ussd_calls_ended", "USSD calls ended, by the provider's status.", ["status"], registry=registry
        )

    def count(self, taken_for: str, seconds: float) -> None:
        """One more."""
        self._taken_for[taken_for] += 1
        self._within[bisect_left(BUCKETS, seconds)] += 1
        self._seconds += seconds

    def collect(self) -> Iterator[Metric]:
        """As Prometheus has them: what is within a bucket is within every larger one too."""
        hops = CounterMetricFamily("ekdial_ussd_hops", "USSD hops by what they were taken for.", labels=["as"])
        for kind, count in self._taken_for.items():
            hops.add_metric([kind], count)
        yield hops
        within = zip((*map(str, BUCKETS), "+Inf"), accumulate(self._within), strict=True)
        what = "Seconds from a USSD callback to its answer."
        yield HistogramMetricFamily("ekdial_ussd_hop_seconds", what, buckets=list(within), sum_value=self._seconds)
