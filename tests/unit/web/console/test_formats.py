"""How the console writes times and numbers: in the words and the digits of its reader."""

from datetime import UTC, datetime

import pytest

from web.console.rendering import format_duration, format_moment, format_number

NOON = datetime(2026, 12, 1, 12, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "moment", "number", "duration"),
    [
        ("en", "1 Dec 2026, 12:05", "1,234.5", "3 minutes"),
        ("bn", "১ ডিসে ২০২৬, ১২:০৫", "১,২৩৪.৫", "৩ মিনিট"),
        ("hi", "1 दिस॰ 2026, 12:05", "1,234.5", "3 मिनट"),
    ],
)
def test_a_text_has_the_digits_of_its_language(language, moment, number, duration):
    assert format_moment(NOON, language) == moment
    assert format_number(1234.5, language) == number
    assert format_duration(180, language) == duration
