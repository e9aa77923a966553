"""Requests of every channel have one counter and one histogram, in the format of the library's own metrics."""

from prometheus_client import CollectorRegistry, generate_latest

from core.hop_metrics import HopMetrics


def test_hops_are_counted_by_channel_provider_outcome_and_duration() -> None:
    registry = CollectorRegistry()
    metrics = HopMetrics(registry)
    ussd = metrics.open("ussd", "line", ("answered", "refused"))
    for outcome, seconds in (("answered", 0.003), ("answered", 0.005), ("answered", 0.2), ("refused", 60.0)):
        ussd.record(outcome, seconds)
    metrics.open("sms", "line", ("answer",)).count("answer")
    text = generate_latest(registry).decode().splitlines()
    assert metrics.open("ussd", "line", ()) is ussd
    for line in (
        'ekdial_hops_total{channel="ussd",outcome="answered",provider="line"} 3.0',
        'ekdial_hops_total{channel="ussd",outcome="refused",provider="line"} 1.0',
        'ekdial_hops_total{channel="sms",outcome="answer",provider="line"} 1.0',
        'ekdial_hop_seconds_bucket{channel="ussd",le="0.002",provider="line"} 0.0',
        'ekdial_hop_seconds_bucket{channel="ussd",le="0.005",provider="line"} 2.0',
        'ekdial_hop_seconds_bucket{channel="ussd",le="+Inf",provider="line"} 4.0',
        'ekdial_hop_seconds_count{channel="ussd",provider="line"} 4.0',
        'ekdial_hop_seconds_sum{channel="ussd",provider="line"} 60.208',
        'ekdial_hop_seconds_count{channel="sms",provider="line"} 0.0',
    ):
        assert line in text
