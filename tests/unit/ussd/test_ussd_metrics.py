"""Metrics of USSD requests have the format of the library's own metrics."""

from prometheus_client import CollectorRegistry, generate_latest

from ussd.admission import Admission
from ussd.metrics import UssdMetrics


def test_hops_are_counted_by_what_they_were_taken_for_and_by_how_long_they_took() -> None:
    registry = CollectorRegistry()
    hops = UssdMetrics(registry, Admission(10))
    for taken_for, seconds in (("answered", 0.003), ("answered", 0.005), ("repeated", 0.2), ("failed", 60.0)):
        hops.record_request(taken_for, seconds)
    text = generate_latest(registry).decode()
    for line in (
        'ekdial_ussd_hops_total{as="answered"} 2.0',
        'ekdial_ussd_hops_total{as="refused"} 0.0',
        'ekdial_ussd_hop_seconds_bucket{le="0.002"} 0.0',
        'ekdial_ussd_hop_seconds_bucket{le="0.005"} 2.0',
        'ekdial_ussd_hop_seconds_bucket{le="10.0"} 3.0',
        'ekdial_ussd_hop_seconds_bucket{le="+Inf"} 4.0',
        "ekdial_ussd_hop_seconds_count 4.0",
        "ekdial_ussd_hop_seconds_sum 60.208",
    ):
        assert line in text.splitlines()
