"""Phone numbers: parse them, and read country, calling code and time zone from them.

An MSISDN is a number in E.164 form, `+8801711000001`. A country is its ISO 3166 code of two letters, `BD`. No other module
imports `phonenumbers`.
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, Literal, TypeAlias
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_geographical_number, time_zones_for_number

from core.typed_input import normalize_input, remove_invisible
from core.typed_numbers import read_digits

Problem: TypeAlias = Literal["not_a_phone", "not_a_mobile", "own_number", "not_served"]

DETACHED_PREFIX: Final = "#"

VISIBLE_DIGITS: Final = 3
"""Digits of a number that a masked one shows."""

MIN_TYPED_DIGITS, MAX_TYPED_DIGITS = 5, 20

MIN_DIGITS_WITHOUT_PLUS: Final = 11
"""National numbers have at most ten digits, or begin with 0 or 1."""

_MAX_SPELLED_LENGTH: Final = 40  # characters of a number with separators
_match_spelled_number: Final = re.compile(
    r"""[\s"'<\[(]*(?P<plus>\+|%2B|00)?(?P<number>[\s(]*[1-9][0-9\s().-]{5,})[\s"'>\])]*""", re.IGNORECASE
).fullmatch
_MOBILE_TYPES: Final = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})
_CACHE_SIZE: Final = 10_000  # MSISDNs


class PhoneNumberError(ValueError):
    """A typed number that is not accepted; `problem` says why. The message does not contain the number."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


def is_country(code: str) -> bool:
    """Whether numbers of a country with this code exist."""
    return code in phonenumbers.SUPPORTED_REGIONS


@lru_cache(maxsize=_CACHE_SIZE)
def find_country(msisdn: str) -> str:
    """The country of a number; empty where the text is no number. A satellite phone belongs to `001`."""
    parsed = _parse(msisdn)
    return (phonenumbers.region_code_for_number(parsed) or "") if parsed else ""


def find_calling_code(msisdn: str) -> str:
    """The digits of the calling code, such as `880`; empty where the text is no number."""
    parsed = _parse(msisdn)
    return str(parsed.country_code) if parsed else ""


def find_country_code(country: str) -> str:
    """The digits of the calling code of a country, such as `880` of `BD`."""
    return str(phonenumbers.country_code_for_region(country))


def is_possible(text: str) -> bool:
    """Whether the text, with a plus, has a known calling code and a possible length."""
    parsed = _parse(text)
    return parsed is not None and phonenumbers.is_possible_number(parsed)


def is_e164(text: str) -> bool:
    """Whether the text is an MSISDN: `+`, calling code and a national number of a possible length, and nothing else.

    *Possible*, not *valid*: a range newer than the installed numbering plans must still receive SMS.
    """
    parsed = _parse(text)
    return parsed is not None and _to_e164(parsed) == text and phonenumbers.is_possible_number(parsed)


def detached_number(account: int) -> str:
    """The text in the place of the MSISDN of an account that has none any more; account 0: of nobody's account."""
    return f"{DETACHED_PREFIX}{account}"


def is_detached(number: str) -> bool:
    """Whether the text stands in the place of an MSISDN that was taken away: nobody can be reached by it."""
    return number.startswith(DETACHED_PREFIX)


def mask_number(number: str) -> str:
    """The last digits of an MSISDN, enough to tell two apart: `…001`; `none` where it was taken away."""
    return "none" if is_detached(number) else f"…{number[-VISIBLE_DIGITS:]}"


def attached_or_none(number: str) -> str | None:
    """The MSISDN; None where it was taken away."""
    return None if is_detached(number) else number


def normalize_typed_number(text: str) -> str:
    """The digits of a typed number, after its plus if it has one; empty where it may not be a number.

    Whatever separates digits is left out. So is the zero of +880 (0) 1711, which is dialled without the calling code only.
    """
    international, plus, rest = normalize_input(text).rpartition("+")
    digits = read_digits(rest.replace("(0)", "") if plus else rest)
    is_number = MIN_TYPED_DIGITS <= len(digits) <= MAX_TYPED_DIGITS and not any(map(str.isalnum, international))
    return plus + digits if is_number else ""


def parse_msisdn(text: str, country: str = "") -> str:
    """The MSISDN of a typed number; without a plus, the number is one of `country`.

    Raises:
        PhoneNumberError: `not_a_phone`.
    """
    parsed = _parse(normalize_typed_number(text), country)
    if parsed is None or not phonenumbers.is_valid_number(parsed):
        raise PhoneNumberError("not_a_phone")
    return _to_e164(parsed)


def parse_mobile(text: str, countries: Sequence[str]) -> str:
    """The MSISDN of a typed mobile number: without a plus, of the first of `countries` that has such a number.

    Raises:
        PhoneNumberError: the text is no mobile number, or of another country.
    """
    typed = normalize_typed_number(text)
    candidates = [parsed for country in countries if (parsed := _parse(typed, country)) is not None]
    mobiles = [
        one
        for one in candidates
        if phonenumbers.is_valid_number(one) and phonenumbers.number_type(one) in _MOBILE_TYPES
    ]
    if not mobiles:
        raise PhoneNumberError("not_a_mobile" if candidates else "not_a_phone")
    served = [one for one in mobiles if phonenumbers.region_code_for_number(one) in countries]
    if not served:
        raise PhoneNumberError("not_served")
    return _to_e164(served[0])


def find_msisdn(text: str) -> str:
    """The MSISDN that a machine spelled in another way than E.164; empty for any other text.

    Accepted are invisible characters, blanks, quotes and brackets around it; blanks, brackets, dots and hyphens in it; for the
    plus a blank before it (a `+` that was not percent-encoded), `%2B` (one that was encoded twice), `00` or nothing. Without
    any sign of a plus it must be a valid number of MIN_DIGITS_WITHOUT_PLUS digits or more: a shorter one can be a short code,
    or the national form of a number of another country.
    """
    visible = remove_invisible(text)
    match = _match_spelled_number(visible) if len(visible) <= _MAX_SPELLED_LENGTH else None
    if match is None:
        return ""
    parsed = _parse(f"+{match['number']}")
    if parsed is None:
        return ""
    if match["plus"] or visible[0].isspace():
        return _to_e164(parsed) if phonenumbers.is_possible_number(parsed) else ""
    msisdn = _to_e164(parsed)
    return msisdn if len(msisdn) > MIN_DIGITS_WITHOUT_PLUS and phonenumbers.is_valid_number(parsed) else ""


def parse_other_msisdn(
    text: str, own_msisdn: str, is_supported: Callable[[str], bool], *, mobile_only: bool = False
) -> str:
    """The MSISDN of another person as the owner of `own_msisdn` types it: in the national form of their country, or with +.

    `mobile_only` refuses fixed lines, which receive no SMS.

    Raises:
        PhoneNumberError: the text is no number, a fixed line's, the owner's own, or of a country that is not served.
    """
    parsed = _parse(normalize_typed_number(text), find_country(own_msisdn))
    if parsed is None:
        raise PhoneNumberError("not_a_phone")
    if mobile_only:
        if not phonenumbers.is_valid_number(parsed) or phonenumbers.number_type(parsed) not in _MOBILE_TYPES:
            raise PhoneNumberError("not_a_mobile")
    elif not phonenumbers.is_valid_number(parsed):
        raise PhoneNumberError("not_a_phone")
    msisdn = _to_e164(parsed)
    if msisdn == own_msisdn:
        raise PhoneNumberError("own_number")
    if not is_supported(msisdn):
        raise PhoneNumberError("not_served")
    return msisdn


def build_supported_number_check(countries: Sequence[str]) -> Callable[[str], bool]:
    """A predicate: whether an MSISDN belongs to one of these countries.

    Most countries have a calling code to themselves: a prefix decides. Only where countries share one, as the USA and
    Canada do, the whole number is parsed, which takes a hundred times as long.
    """
    codes = {country: phonenumbers.country_code_for_region(country) for country in countries}
    unshared = tuple(f"+{code}" for code in codes.values() if len(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]) == 1)

    return lambda msisdn: msisdn.startswith(unshared) or find_country(msisdn) in codes


def local_time(moment: datetime, msisdn: str) -> datetime | None:
    """The moment on the clock where the number is at home; None where that is unknown or the country has several times."""
    times = {local.utcoffset(): local for local in map(moment.astimezone, _time_zones(msisdn))}
    return next(iter(times.values())) if len(times) == 1 else None


def sole_time_zone(country: str) -> str:
    """The name of a country's time zone; empty where it has several or shares its calling code."""
    code = phonenumbers.country_code_for_region(country)
    is_unshared = len(phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(code, ())) == 1
    zones = time_zones_for_geographical_number(PhoneNumber(country_code=code))
    return str(zones[0]) if is_unshared and len(zones) == 1 and zones[0] != UNKNOWN_TIMEZONE else ""


def format_gmt_offset(moment: datetime) -> str:
    """The offset of an aware moment: `GMT+4`, `GMT+5:30`."""
    offset = moment.utcoffset() or timedelta()
    hours, minutes = divmod(abs(offset) // timedelta(minutes=1), 60)
    return f"GMT{'-' if offset < timedelta() else '+'}{hours}" + (f":{minutes:02}" if minutes else "")


@lru_cache(maxsize=_CACHE_SIZE)
def _time_zones(msisdn: str) -> Sequence[ZoneInfo]:
    """The zone of a number, or all zones of its country; none where they are unknown."""
    parsed = _parse(msisdn)
    names = time_zones_for_number(parsed) if parsed else ()
    return tuple(ZoneInfo(name) for name in names if name != UNKNOWN_TIMEZONE)


def _parse(text: str, country: str = "") -> PhoneNumber | None:
    try:
        return phonenumbers.parse(text, country or None)
    except phonenumbers.NumberParseException:
        return None


def _to_e164(parsed: PhoneNumber) -> str:
    return phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
