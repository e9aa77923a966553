"""Whose numbers are served, what is spoken to a number that nothing is known of, and what day it is where we are."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import phonenumbers

from services.registrants import by_country
from settings import Settings


def served(countries: Sequence[str]) -> Callable[[str], bool]:
    """Whether numbers of this country are served.

    Most countries have a calling code to themselves; only where several share one is the whole number looked at, which
    takes a hundred times as long.
    """
    codes = {country: phonenumbers.country_code_for_region(country) for country in countries}
    alone = tuple(f"+{code}" for code in codes.values() if len(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]) == 1)

    @lru_cache(maxsize=10_000)
    def shares_a_code(number: str) -> bool:
        try:
            return phonenumbers.region_code_for_number(phonenumbers.parse(number)) in codes
        except phonenumbers.NumberParseException:
            return False

    return lambda number: number.startswith(alone) or shares_a_code(number)


def assumed(settings: Settings) -> Callable[[str], str]:
    """The language of a number that nothing is known of: its country's, where that is offered."""
    languages = settings.languages
    offered = {country: one for country, one in languages.by_country.items() if one in languages.offered}
    return by_country(offered, languages.default)


def calendar(settings: Settings) -> Callable[[], date]:
    """What day it is where dates are promised."""
    zone = ZoneInfo(settings.countries.time_zone)
    return lambda: datetime.now(zone).date()
