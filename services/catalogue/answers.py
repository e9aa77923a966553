"""Whether what was typed answers a field of a form, and the canonical text that is kept of it."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TypeAlias

import phonenumbers

from services.catalogue import schemes
from services.catalogue.model import DIGITS, Field, Kind, say

MOST = {"text": 160, "name": 60, "number": 10**12}
LEAST = {"text": 1, "name": 2, "number": 0}
LAST_SHOWN = 4

_JOINERS = "\u200c\u200d"
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn")
_SEPARATOR = r" ?[-/. ] ?"
_DATES = (
    re.compile(rf"(?P<d>\d{{1,2}}){_SEPARATOR}(?P<m>\d{{1,2}}){_SEPARATOR}(?P<y>\d{{4}})"),
    re.compile(r"(?P<d>\d{2})(?P<m>\d{2})(?P<y>\d{4})"),
    re.compile(rf"(?P<y>\d{{4}}){_SEPARATOR}(?P<m>\d{{1,2}}){_SEPARATOR}(?P<d>\d{{1,2}})"),
)
_BETWEEN_DIGITS = re.compile(r"[ .,-]")
_TELEPHONE = re.compile(r"\+?[0-9 ()./-]{5,30}")
_COLON_FOR_VISARGA = re.compile("(?<=[\u0980-\u09ff]):")


@dataclass(frozen=True, slots=True)
class Accepted:
    """An answer that was understood, in the form in which it is kept."""

    value: str


@dataclass(frozen=True, slots=True)
class Refused:
    """An answer that was not; `reason` is the key of the text that says why, `facts` what that text says."""

    reason: str
    facts: Mapping[str, object] = field(default_factory=dict)


Check: TypeAlias = Callable[[Field, str, date], Accepted | Refused]


def check(field: Field, typed: str, today: date) -> Accepted | Refused:
    """What a typed answer is kept as, or why it is not.

    Kept are: text and names in NFC with single spaces, numbers in ASCII digits, dates as ISO 8601, telephone numbers
    as E.164, identity numbers in their compact form, choices by code.
    """
    answer = tidy(typed)
    return _CHECKS[field.kind](field, answer, today) if answer else Refused("empty")


def tidy(typed: str) -> str:
    """`typed` in NFC, digits of any script as ASCII, spaces single, characters that nobody sees gone."""
    seen = "".join(map(_seen, typed))
    return unicodedata.normalize("NFC", " ".join(seen.split()))


def shown(field: Field, value: str, language: str) -> str:
    """A kept value as it may be read back to its owner: a choice by name, an identity number by its last digits."""
    if field.kind == "identity":
        return last_four(value)
    names = dict(field.choices)
    return say(names[value], language) if value in names else value


def last_four(identity: str) -> str:
    """An identity number with all but its last four characters hidden, and how many they are; a short one wholly."""
    return f"XXXX {identity[-LAST_SHOWN:]}" if len(identity) > 2 * LAST_SHOWN else "XXXX"


def _seen(character: str) -> str:
    if character.isascii() and character.isprintable():
        return character
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    if character.isspace():
        return " "
    return "" if unicodedata.category(character) in _UNSEEN and character not in _JOINERS else character


def _text(field: Field, typed: str, _today: date) -> Accepted | Refused:
    return _of_length(field, typed)


def _name(field: Field, typed: str, _today: date) -> Accepted | Refused:
    name = _COLON_FOR_VISARGA.sub("\u0983", typed)  # মো: is how many type মোঃ
    if not all(map(_in_a_name, name)) or not any(map(str.isalpha, name)):
        return Refused("not_a_name")
    return _of_length(field, name)


def _in_a_name(character: str) -> bool:
    return unicodedata.category(character)[0] in "LM" or character in f" .-'’{_JOINERS}"


def _of_length(field: Field, typed: str) -> Accepted | Refused:
    least, most = _limits(field)
    if len(typed) < least:
        return Refused("too_short", {"least": least})
    return Accepted(typed) if len(typed) <= most else Refused("too_long", {"most": most})


def _number(field: Field, typed: str, _today: date) -> Accepted | Refused:
    digits = typed.replace(" ", "").replace(",", "")
    if not digits.isdecimal():
        return Refused("not_a_number")
    least, most = _limits(field)
    significant = digits.lstrip("0") or "0"
    if len(significant) > len(str(most)) or not least <= int(significant) <= most:
        return Refused("out_of_range", {"least": least, "most": most})
    return Accepted(significant)


def _limits(field: Field) -> tuple[int, int]:
    least = LEAST[field.kind] if field.least is None else field.least
    return least, MOST[field.kind] if field.most is None else field.most


def _date(field: Field, typed: str, today: date) -> Accepted | Refused:
    day = _day(typed)
    if day is None:
        return Refused("not_a_date")
    earliest, latest = _earliest(field, today), _latest(field, today)
    if day < earliest:
        past = field.when == "future" and day < today
        return Refused("date_in_past") if past else Refused("date_too_old", {"earliest": earliest.isoformat()})
    if day > latest:
        future = field.when == "past" and day > today
        return Refused("date_in_future") if future else Refused("date_too_late", {"latest": latest.isoformat()})
    return Accepted(day.isoformat())


def _day(typed: str) -> date | None:
    """Day, month and year in that order, or year first; never the month first, never a year of two digits."""
    found = next((found for form in _DATES if (found := form.fullmatch(typed))), None)
    try:
        return date(int(found["y"]), int(found["m"]), int(found["d"])) if found else None
    except ValueError:
        return None


def _earliest(field: Field, today: date) -> date:
    bounds = [date.min if field.least is None else date(field.least, 1, 1)]
    if field.when == "future":
        bounds.append(today)
    if field.when == "past" and field.within_days:
        bounds.append(today - timedelta(days=field.within_days))
    return max(bounds)


def _latest(field: Field, today: date) -> date:
    bounds = [date.max if field.most is None else date(field.most, 12, 31)]
    if field.when == "past":
        bounds.append(today)
    if field.when == "future" and field.within_days:
        bounds.append(today + timedelta(days=field.within_days))
    return min(bounds)


def _choice(field: Field, typed: str, _today: date) -> Accepted | Refused:
    """By position from 1, by code, or by name in any language."""
    wanted = typed.casefold()
    for position, choice in enumerate(field.choices, 1):
        if wanted in {str(position), choice.code, *(tidy(name).casefold() for name in choice.names.values())}:
            return Accepted(choice.code)
    return Refused("not_a_choice", {"most": len(field.choices)})


def _identity(field: Field, typed: str, _today: date) -> Accepted | Refused:
    bare = _BETWEEN_DIGITS.sub("", typed)
    if field.lengths and len(bare) not in field.lengths:
        return Refused("wrong_length", {"lengths": " / ".join(map(str, field.lengths))})
    if field.scheme == DIGITS:
        return Accepted(bare) if bare.isdecimal() else Refused("not_an_identity")
    number = schemes.compact(field.scheme, bare)
    return Accepted(number) if number else Refused("not_an_identity")


def _phone(field: Field, typed: str, _today: date) -> Accepted | Refused:
    if not _TELEPHONE.fullmatch(typed):
        return Refused("not_a_phone")
    try:
        number = phonenumbers.parse(typed, field.region or None)
    except phonenumbers.NumberParseException:
        return Refused("not_a_phone")
    if not phonenumbers.is_valid_number(number):
        return Refused("not_a_phone")
    return Accepted(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


_CHECKS: Mapping[Kind, Check] = {
    "text": _text,
    "name": _name,
    "number": _number,
    "date": _date,
    "choice": _choice,
    "identity": _identity,
    "phone": _phone,
}
