"""The position of a list in an address, and the cost of an SMS."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from core.pagination import PagePosition
from web.console.cases.listing import format_position, parse_position
from web.console.cases.moving import SmsMeter


@pytest.mark.parametrize("at", [datetime(2026, 11, 21, 6, 0, 0, 123456, UTC), datetime(1970, 1, 1, tzinfo=UTC)])
def test_a_position_is_read_as_it_was_written_to_the_microsecond(at):
    position = PagePosition(at, 4711)
    assert parse_position(format_position(position)) == position


@pytest.mark.parametrize("text", ["", "1", "1-", "-1", "a-1", "1-a", "১-১", "1.5-1", "9" * 17 + "-1", "1-" + "9" * 17])
def test_what_is_no_position_is_none(text):
    assert parse_position(text) is None


@pytest.mark.parametrize(
    ("price", "currency", "segments", "cost"),
    [
        ("0", "BDT", 2, None),
        ("0.35", "BDT", 2, (70, "BDT")),
        ("0.0075", "INR", 1, (1, "INR")),
        ("1", "INR", 3, (300, "INR")),
    ],
)
def test_the_cost_of_an_sms_is_rounded_up_to_what_can_be_paid(price, currency, segments, cost):
    meter = SmsMeter(lambda text: (text, 1), Decimal(price), currency)
    assert meter.find_cost(segments) == cost
