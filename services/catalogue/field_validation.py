"""Validates the answers of forms, and normalises them for storage."""

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import TypeAlias

from core.person_names import parse_person_name
from core.phone_numbers import PhoneNumberError, parse_msisdn
from core.typed_input import clean_text
from core.typed_numbers import read_date, read_digits, read_postcode, read_whole_number, remove_separators
from core.typed_options import index_labels, normalize_label, read_option_key
from core.validation import Invalid, Valid
from services.catalogue import id_schemes
from services.catalogue.models import DIGITS_SCHEME, FIRST_YEAR, LAST_YEAR, Field, FieldKind, pick_translation

DEFAULT_MAXIMUM = {"text": 160, "name": 60, "number": 10**12}
DEFAULT_MINIMUM = {"text": 1, "name": 1, "number": 1}  # 0 goes back on every screen
VISIBLE_DIGITS = 4

_match_postcode = re.compile(r"(?=.*[0-9])[0-9A-Z](?:[ -]?[0-9A-Z]){2,9}").fullmatch
_POSTCODE_PATTERNS: Mapping[str, re.Pattern[str]] = {
    "BD": re.compile("[1-9][0-9]{3}"),
    "IN": re.compile("[1-9][0-9]{5}"),
    "KE": re.compile("[0-9]{5}"),
}
"""The postcodes of the countries whose departments ask for one."""


Validator: TypeAlias = Callable[[Field, str, date], Valid | Invalid]


def validate_answer(field: Field, text: str, today: date) -> Valid | Invalid:
    """The normalised answer, or why the text is invalid.

    Text and names are normalised to NFC with single spaces, numbers to ASCII digits, dates to ISO 8601, phone numbers to
    E.164, identity numbers to their compact form, and choices to their code.
    """
    answer = clean_text(text)
    return _VALIDATORS[field.kind](field, answer, today) if answer else Invalid("empty")


def display_value(field: Field, value: str, language: str) -> str:
    """A stored value for its owner: the name of a choice, the masked form of an identity number, other values unchanged."""
    if field.kind == "identity":
        return mask_identity_number(value)
    names = dict(field.choices)
    return pick_translation(names[value], language) if value in names else value


def mask_identity_number(identity: str) -> str:
    """An identity number with only its last four characters visible; a short one is masked completely."""
    return f"XXXX {identity[-VISIBLE_DIGITS:]}" if len(identity) > 2 * VISIBLE_DIGITS else "XXXX"


def find_limits(field: Field) -> tuple[int, int]:
    """The least and the most: of the length of a text or a name, or of the value of a number."""
    least = DEFAULT_MINIMUM[field.kind] if field.least is None else field.least
    return least, DEFAULT_MAXIMUM[field.kind] if field.most is None else field.most


def find_date_bounds(field: Field, today: date) -> tuple[date, date]:
    """The first and the last day that a field for a date takes today."""
    return _earliest_date(field, today), _latest_date(field, today)


def _validate_text(field: Field, text: str, _today: date) -> Valid | Invalid:
    return _validate_length(field, text)


def _validate_name(field: Field, text: str, _today: date) -> Valid | Invalid:
    name = parse_person_name(text)
    return Invalid("not_a_name") if name is None else _validate_length(field, name)


def _validate_length(field: Field, text: str) -> Valid | Invalid:
    least, most = find_limits(field)
    if len(text) < least:
        return Invalid("too_short", {"least": least})
    return Valid(text) if len(text) <= most else Invalid("too_long", {"most": most})


def _validate_number(field: Field, text: str, _today: date) -> Valid | Invalid:
    number = read_whole_number(text)
    if isinstance(number, Invalid):
        return number
    least, most = find_limits(field)
    significant = number.value.lstrip("0") or "0"
    if len(significant) > len(str(most)) or not least <= int(significant) <= most:
        return Invalid("out_of_range", {"least": least, "most": most})
    return Valid(significant)


def _validate_date(field: Field, text: str, today: date) -> Valid | Invalid:
    day = read_date(text)
    if isinstance(day, Invalid):
        return day
    earliest, latest = find_date_bounds(field, today)
    if day < earliest:
        past = field.when == "future" and day < today
        return Invalid("date_in_past") if past else Invalid("date_too_old", {"earliest": earliest.isoformat()})
    if day > latest:
        future = field.when == "past" and day > today
        return Invalid("date_in_future") if future else Invalid("date_too_late", {"latest": latest.isoformat()})
    return Valid(day.isoformat())


def _earliest_date(field: Field, today: date) -> date:
    bounds = [date(FIRST_YEAR if field.least is None else field.least, 1, 1)]
    if field.when == "future":
        bounds.append(today)
    if field.when == "past" and field.within_days:
        bounds.append(today - timedelta(days=field.within_days))
    return max(bounds)


def _latest_date(field: Field, today: date) -> date:
    bounds = [date(LAST_YEAR if field.most is None else field.most, 12, 31)]
    if field.when == "past":
        bounds.append(today)
    if field.when == "future" and field.within_days:
        bounds.append(today + timedelta(days=field.within_days))
    return min(bounds)


def _validate_choice(field: Field, text: str, _today: date) -> Valid | Invalid:
    """The choice with this position from 1, or with this code or name in any language."""
    key = read_option_key(text)
    if key.isdecimal() and 0 < int(key) <= len(field.choices):
        return Valid(field.choices[int(key) - 1].code)
    names = index_labels((choice.code, (choice.code, *choice.names.values())) for choice in field.choices)
    code = names.get(normalize_label(text))
    return Valid(code) if code else Invalid("not_a_choice", {"most": len(field.choices)})


def _validate_identity_number(field: Field, text: str, _today: date) -> Valid | Invalid:
    """A number of digits may have letters that look like digits; one with letters is read as it was typed."""
    bare = read_digits(text) or remove_separators(text)
    if field.lengths and len(bare) not in field.lengths:
        return Invalid("wrong_length", {"lengths": " / ".join(map(str, field.lengths))})
    if field.scheme == DIGITS_SCHEME:
        return Valid(bare) if bare.isdecimal() else Invalid("not_an_identity")
    number = id_schemes.normalize_number(field.scheme, bare)
    return Valid(number) if number else Invalid("not_an_identity")


def _validate_postcode(field: Field, text: str, _today: date) -> Valid | Invalid:
    """A postcode is a text and keeps its zeros. Where a country is asked for, it has that country's digits."""
    pattern = _POSTCODE_PATTERNS.get(field.region)
    if pattern:
        postcode = read_digits(text)
        return Valid(postcode) if pattern.fullmatch(postcode) else Invalid("not_a_postcode")
    postcode = read_postcode(text)
    return Valid(postcode) if _match_postcode(postcode) else Invalid("not_a_postcode")


def _validate_phone_number(field: Field, text: str, _today: date) -> Valid | Invalid:
    try:
        return Valid(parse_msisdn(text, field.region))
    except PhoneNumberError as error:
        return Invalid(error.problem)


_VALIDATORS: Mapping[FieldKind, Validator] = {
    "text": _validate_text,
    "name": _validate_name,
    "number": _validate_number,
    "date": _validate_date,
    "choice": _validate_choice,
    "identity": _validate_identity_number,
    "phone": _validate_phone_number,
    "postcode": _validate_postcode,
}
