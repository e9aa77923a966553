"""Metrics read as text, and the conditions that somebody must look after."""

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from core.alarms import ALARMS, Alarm, find_active_alarms
from core.metric_samples import MetricSamples, estimate_quantile

TEXT = """\
# HELP ekdial_sms_held 1 while no SMS is sent.
# TYPE ekdial_sms_held gauge
ekdial_sms_held{provider="africastalking"} 1
ekdial_sms_held{provider="smpp"} 0
# TYPE ekdial_messages gauge
ekdial_messages{stage="queued"} 3
ekdial_messages{stage="unknown"} 2
# TYPE ekdial_deliveries_oldest_seconds gauge
ekdial_deliveries_oldest_seconds{department="dncc",state="due"} 4000
ekdial_deliveries_oldest_seconds{department="dncc",state="sending"} 5000
ekdial_deliveries_oldest_seconds{department="epfo",state="due"} 3600
# TYPE ekdial_department_answers gauge
ekdial_department_answers{department="dncc"} 0
ekdial_department_answers{department="epfo"} 1
# TYPE ekdial_sms_sends counter
ekdial_sms_sends_total{provider="smpp",kind="code",outcome="sent"} 5
ekdial_sms_sends_total{provider="smpp",kind="code",outcome="failed"} 1
"""


def test_samples_are_summed_by_their_labels():
    samples = MetricSamples(TEXT)
    assert samples.sum("ekdial_messages") == 5
    assert samples.sum("ekdial_messages", stage="queued") == 3
    assert samples.sum_by("ekdial_sms_sends_total", "outcome", provider="smpp") == {"sent": 5, "failed": 1}
    assert "ekdial_sms_sends_total" in samples
    assert samples.sum("ekdial_nothing") == 0
    assert "ekdial_nothing" not in samples


def test_alarms_say_what_has_them_and_the_critical_ones_come_first():
    found = [(one.alarm.name, one.subject, one.value) for one in find_active_alarms(MetricSamples(TEXT))]
    assert found == [
        ("sms_held", "africastalking", 1),
        ("sms_unknown", "", 2),
        ("department_silent", "dncc", 0),
        ("deliveries_late", "dncc", 5000),
    ]


def test_a_gateway_without_metrics_has_no_alarm():
    assert find_active_alarms(MetricSamples("")) == []


def test_a_limit_itself_is_no_alarm():
    at_limit = Alarm("late", "ekdial_messages", 3, "warning", labels={"stage": "queued"})
    assert find_active_alarms(MetricSamples(TEXT), [at_limit]) == []


def test_names_of_alarms_are_unique():
    assert len({alarm.name for alarm in ALARMS}) == len(ALARMS)


def build_histogram(*counts):
    bounds = ("0.01", "0.1", "+Inf")
    lines = [f'hop_bucket{{le="{bound}"}} {count}' for bound, count in zip(bounds, counts, strict=True)]
    return MetricSamples("\n".join(["# TYPE hop histogram", *lines, f"hop_count {counts[-1]}", "hop_sum 1"]) + "\n")


@pytest.mark.parametrize(
    ("quantile", "older", "newer", "bound"),
    [
        (0.5, (0, 0, 0), (60, 90, 100), 0.01),
        (0.95, (0, 0, 0), (60, 95, 100), 0.1),
        (0.95, (0, 0, 0), (60, 70, 100), 0.1),
        (0.5, (60, 90, 100), (60, 100, 110), 0.1),
        (0.5, (60, 90, 100), (60, 90, 100), None),
    ],
)
def test_a_quantile_is_of_what_was_observed_in_between(quantile, older, newer, bound):
    assert estimate_quantile("hop", quantile, build_histogram(*newer), build_histogram(*older)) == bound


def test_samples_are_read_as_the_library_reads_them():
    registry = CollectorRegistry()
    sends = Counter("sends", "Attempts.", ["provider", "outcome"], registry=registry)
    sends.labels('a "quoted" \\ name\nof two lines', "sent").inc(3)
    Gauge("waiting", "Rows, {so many}.", registry=registry).set(2.5)
    Histogram("seconds", "Duration.", ["channel"], registry=registry).labels("ussd").observe(0.3)
    text = generate_latest(registry).decode()
    samples = MetricSamples(text)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            assert (sample.labels, sample.value) in list(samples.find(sample.name)), sample
