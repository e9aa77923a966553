"""Prometheus metrics of USSD requests."""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from sessions.path_turns import HANDLED_AS
from ussd.admission import Admission

BUCKET_BOUNDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class UssdMetrics(Collector):
    """USSD requests by outcome and by duration.

    The counts are plain numbers until they are collected. The library's own metrics take a lock for each count, which
    one event loop does not need.
    """

    def __init__(self, registry: CollectorRegistry, admission: Admission) -> None:
        self._admission = admission
        self._kind_counts = dict.fromkeys(HANDLED_AS, 0)
        self._bucket_counts = [0] * (len(BUCKET_BOUNDS) + 1)
        self._total_seconds = 0.0
        registry.register(self)
        self.call_ends = Counter(
            "ekdial_ussd_calls_ended", "USSD calls ended, by the provider's status.", ["status"], registry=registry
        )

    def count_request(self, kind: str) -> None:
        """Count one request by its outcome alone, where it did no work whose duration tells something."""
        self._kind_counts[kind] += 1

    def record_request(self, kind: str, seconds: float) -> None:
        """Count one request: its outcome, one of HANDLED_AS, and its duration in seconds."""
        self._kind_counts[kind] += 1
        self._bucket_counts[bisect_left(BUCKET_BOUNDS, seconds)] += 1
        self._total_seconds += seconds

    def collect(self) -> Iterator[Metric]:
        """The metrics, with cumulative buckets."""
        hops = CounterMetricFamily("ekdial_ussd_hops", "USSD requests by outcome.", labels=["as"])
        for kind, count in self._kind_counts.items():
            hops.add_metric([kind], count)
        yield hops
        yield from self._collect_admission()
        within = zip((*map(str, BUCKET_BOUNDS), "+Inf"), accumulate(self._bucket_counts), strict=True)
        what = "Seconds from a USSD webhook to its reply."
        yield HistogramMetricFamily(
            "ekdial_ussd_hop_seconds", what, buckets=list(within), sum_value=self._total_seconds
        )

    def _collect_admission(self) -> Iterator[Metric]:
        admission = self._admission
        shed = CounterMetricFamily(
            "ekdial_ussd_shed", "USSD requests refused because of too many, by reason.", labels=["call", "reason"]
        )
        for call, counts in (("start", admission.refused_starts), ("under_way", admission.refused_inputs)):
            for reason, count in counts.items():
                shed.add_metric([call, reason], count)
        yield shed
        yield GaugeMetricFamily("ekdial_ussd_in_flight", "USSD requests in work.", admission.in_flight)
        yield GaugeMetricFamily(
            "ekdial_ussd_start_limit", "Requests in work from which on new calls are refused.", admission.start_limit
        )
        yield GaugeMetricFamily(
            "ekdial_event_loop_delay_seconds", "How late the event loop was at the last look.", admission.loop_delay
        )
