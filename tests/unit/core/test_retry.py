"""Back-off and the Retry-After header."""

from datetime import UTC, datetime, timedelta

import pytest

from core.retry import Backoff, parse_retry_after

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_a_delay_doubles_up_to_its_maximum():
    backoff = Backoff(2.0, 3600.0)
    assert [backoff.delay(attempts).total_seconds() for attempts in (1, 2, 3, 11, 12, 400)] == [
        2,
        4,
        8,
        2048,
        3600,
        3600,
    ]


def test_a_random_fraction_shortens_a_delay_by_up_to_a_half():
    assert [Backoff(2.0).delay(1, fraction).total_seconds() for fraction in (0.0, 0.5, 1.0)] == [2, 1.5, 1]


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("30", timedelta(seconds=30)),
        ("999999", timedelta(hours=1)),
        ("Sat, 21 Nov 2026 12:00:30 GMT", timedelta(seconds=30)),
        ("Sat, 21 Nov 2026 12:00:30", timedelta(seconds=30)),
        ("Sat, 21 Nov 2026 11:59:00 GMT", None),
        ("0", None),
        ("", None),
        ("soon", None),
        ("1234567", None),
        ("٣٠", None),
        ("Sat, 99 Nov 2026 12:00:30 GMT", None),
    ],
)
def test_a_retry_after_header_is_read_as_seconds_or_a_date(header, wait):
    assert parse_retry_after(header, NOW) == wait
