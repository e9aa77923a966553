"""What admission does to USSD requests is in the metrics."""

from prometheus_client import CollectorRegistry, generate_latest

from core.hop_metrics import HopMetrics
from ussd.admission import Admission
from ussd.metrics import UssdMetrics


def test_every_outcome_and_refusal_is_shown_from_the_beginning() -> None:
    registry = CollectorRegistry()
    hops = HopMetrics(registry)
    metrics = UssdMetrics(registry, Admission(10), hops)
    metrics.open_hops("sandbox")
    text = generate_latest(registry).decode().splitlines()
    assert 'ekdial_hops_total{channel="ussd",outcome="refused",provider="sandbox"} 0.0' in text
    assert 'ekdial_ussd_shed_total{call="start",reason="in_flight"} 0.0' in text
    assert "ekdial_ussd_in_flight 0.0" in text
