"""Errors of providers in the metrics: their codes, and never what could be a number or a text."""

from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry

from services.messaging.metrics import MAX_ERROR_CODES, OutboxMetrics
from services.messaging.models import SendResult


@pytest.fixture
def registry():
    return CollectorRegistry()


def find_count(registry, error):
    return registry.get_sample_value("ekdial_sms_errors_total", {"provider": "line", "error": error})


@pytest.mark.parametrize("error", ["InsufficientBalance", "ESME_RTHROTTLED", "NoAnswerInTime", "404", "E-12.3"])
def test_a_code_is_a_label(registry, error):
    OutboxMetrics(registry).record_send("line", "pin", SendResult("failed", error=error), 1)
    assert find_count(registry, error) == 1


@pytest.mark.parametrize("error", ["+8801700000001", "to 8801700000001", "x" * 41, "line\nbreak", "আয়েশা", "482193"])
def test_what_is_no_code_is_other(registry, error):
    OutboxMetrics(registry).record_send("line", "pin", SendResult("failed", error=error), 1)
    assert find_count(registry, "other") == 1


def test_the_number_of_codes_is_limited_and_known_ones_go_on_counting(registry):
    metrics = OutboxMetrics(registry)
    for number in range(2 * MAX_ERROR_CODES):
        metrics.record_send("line", "pin", SendResult("queued", error=f"Code{number}"), 1)
    metrics.record_send("line", "pin", SendResult("queued", error="Code0"), 1)
    assert (find_count(registry, "Code0"), find_count(registry, "other")) == (2, MAX_ERROR_CODES)


def test_an_sms_that_was_sent_is_no_error_and_a_queue_has_its_age(registry):
    metrics = OutboxMetrics(registry)
    metrics.record_send("line", "pin", SendResult("sent"), 2)
    metrics.set_oldest_due("line", timedelta(minutes=2))
    assert registry.get_sample_value("ekdial_sms_segments_total", {"provider": "line", "kind": "pin"}) == 2
    assert registry.get_sample_value("ekdial_sms_oldest_due_seconds", {"provider": "line"}) == 120
