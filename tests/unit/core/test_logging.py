"""The log: what strangers cause often, what libraries log, and errors without a traceback."""

import logging

import pytest
from structlog.testing import capture_logs

from core.logging import MAX_THROTTLED_KEYS, LibraryLogHandler, LogThrottle, error_facts


class ManualMonotonic:
    """Seconds that a test moves."""

    now = 0.0

    def __call__(self):
        return self.now


def test_an_event_is_logged_a_few_times_and_then_counted():
    monotonic = ManualMonotonic()
    throttle = LogThrottle(lines=2, window=60, monotonic=monotonic)
    assert [throttle.admit("a") for _ in range(5)] == [{}, {}, None, None, None]
    assert throttle.admit("b") == {}, "each key has its own lines"
    monotonic.now = 60.0
    assert [throttle.admit("a") for _ in range(3)] == [{"left_out": 3}, {}, None]


def test_the_keys_of_a_throttle_are_limited():
    throttle = LogThrottle(lines=1)
    for number in range(3 * MAX_THROTTLED_KEYS):
        throttle.admit(str(number))
    assert len(throttle._states) <= MAX_THROTTLED_KEYS


@pytest.fixture
def library():
    """A library whose messages the handler logs."""
    logger, handler = logging.getLogger("tests.library"), LibraryLogHandler()
    logger.addHandler(handler)
    logger.propagate = False
    yield logger
    logger.removeHandler(handler)
    logger.propagate = True


def test_of_a_message_of_a_library_only_kind_and_place_are_logged(library):
    with capture_logs() as logs:
        library.error("Bad status line %r", "POST /ussd?token=secret")
        try:
            int("+254700000001 x")
        except ValueError:
            library.exception("Task exception was never retrieved: ValueError('+254700000001')")
        library.warning("slow: %s", "4821")
    assert [(line["event"], line["logger"]) for line in logs] == [
        ("library_error", "tests.library"),
        ("library_error", "tests.library"),
        ("library_warning", "tests.library"),
    ]
    assert (logs[1]["error"], logs[1]["at"].partition(":")[0]) == ("ValueError", "test_logging.py")
    for secret in ("secret", "254700000001", "4821"):
        assert secret not in str(logs)


def test_an_error_that_was_never_raised_has_no_place():
    assert error_facts(ValueError("x")) == {"error": "ValueError", "at": ""}
