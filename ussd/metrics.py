"""Prometheus metrics of USSD requests."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from core.hop_metrics import HopCounts, HopMetrics
from sessions.path_turns import HANDLED_AS
from ussd.admission import Admission
from ussd.provider import CHANNEL


class UssdMetrics(Collector):
    """The hops of each provider, what admission refuses, and how calls end."""

    def __init__(self, registry: CollectorRegistry, admission: Admission, hops: HopMetrics) -> None:
        self._admission = admission
        self._hops = hops
        registry.register(self)
        self.call_ends = Counter(
            "ekdial_ussd_calls_ended", "USSD calls ended, by the provider's status.", ["status"], registry=registry
        )

    def open_hops(self, provider: str) -> HopCounts:
        """The counts of a provider's requests, by outcomes that are those of HANDLED_AS."""
        return self._hops.open(CHANNEL, provider, HANDLED_AS)

    def collect(self) -> Iterator[Metric]:
        """The metrics of admission."""
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
