"""Parse what people type into forms: whole numbers, lines of text, days."""

from datetime import date, datetime, time, tzinfo
from typing import Final

from core.amounts import AmountError, parse_amount
from core.typed_input import to_ascii_digits
from web.console.requests import ConsoleRequest, FormError

MAX_ID_DIGITS: Final = 18
MAX_COUNT_DIGITS: Final = 6
VALID_YEARS: Final = range(2000, 2100)


def parse_id(text: str) -> int:
    """The id of a row; 0, which no row has, for a text that is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_ID_DIGITS else 0


def parse_optional_count(request: ConsoleRequest, name: str) -> int | None:
    """The whole number from 1 on in a field; None where it is empty.

    Raises:
        FormError: it is something else.
    """
    text = to_ascii_digits(request.fields.get(name, "")).strip()
    if not text:
        return None
    count = parse_id(text) if len(text) <= MAX_COUNT_DIGITS else 0
    if not count:
        raise FormError(request.translate("forms.count_wrong"), name)
    return count


def parse_money(request: ConsoleRequest, name: str) -> int | None:
    """The hundredths of the amount in a field, which may have Bengali or Hindi digits; None where it is empty.

    Raises:
        FormError: it is no amount.
    """
    text = to_ascii_digits(request.fields.get(name, "")).strip()
    try:
        return parse_amount(text) if text else None
    except AmountError:
        raise FormError(request.translate("forms.amount_wrong"), name) from None


def parse_line(request: ConsoleRequest, name: str, max_length: int, *, required: bool = False) -> str:
    """The line of text in a field, with single spaces between its words.

    Raises:
        FormError: it is longer, has characters that nobody sees, or is `required` and empty.
    """
    line = " ".join(request.fields.get(name, "").split())
    if len(line) > max_length or not line.isprintable() or (required and not line):
        raise FormError(request.translate("forms.line_wrong", most=max_length), name)
    return line


def parse_day(request: ConsoleRequest, text: str, name: str) -> date | None:
    """The day that a date field of a browser sends, such as 2026-11-21; None where it is empty.

    Raises:
        FormError: it is no day.
    """
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if day.year not in VALID_YEARS:
        raise FormError(request.translate("forms.day_wrong"), name)
    return day


def start_of_day(day: date | None, zone: tzinfo) -> datetime | None:
    """When a day begins in a time zone; None for None."""
    return None if day is None else datetime.combine(day, time(), zone)
