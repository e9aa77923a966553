"""Whose numbers are served, what is spoken to one that nothing is known of, and what day and time it is where."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_geographical_number, time_zones_for_number

from services.catalogue.shelf import Shelf
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


def time_of_day(settings: Settings) -> Callable[[datetime, str], str]:
    """A moment on the clock where a number is at home, such as `14:05`.

    Where that is another time than ours, or nobody knows which of a country's times it is, it is said whose time it is:
    `12:05 (GMT+4)`, or ours, `14:05 (GMT+6)`.
    """
    ours = ZoneInfo(settings.countries.time_zone)

    def said(moment: datetime, number: str) -> str:
        known = _time_there(moment, number)
        local, here = known or moment.astimezone(ours), moment.astimezone(ours)
        if known and local.utcoffset() == here.utcoffset():
            return f"{local:%H:%M}"
        return f"{local:%H:%M} ({_gmt(local)})"

    return said


def local_time(settings: Settings) -> Callable[[datetime, str], datetime]:
    """A moment where a number is at home; where we are, if nobody knows which of a country's times that is."""
    ours = ZoneInfo(settings.countries.time_zone)
    return lambda moment, number: _time_there(moment, number) or moment.astimezone(ours)


def office_zones(settings: Settings, shelf: Shelf) -> Callable[[str], ZoneInfo]:
    """A department's code to where its days begin and end: the zone of its country.

    Of a country with several, the settings say which; where they do not, and for a department that is no more, it is ours.
    """
    ours, told = settings.countries.time_zone, settings.countries.time_zones

    @lru_cache
    def of_country(country: str) -> ZoneInfo:
        return ZoneInfo(told.get(country) or _only_zone(country) or ours)

    def of_department(code: str) -> ZoneInfo:
        department = shelf.now.departments.get(code)
        return of_country(department.country) if department else ZoneInfo(ours)

    return of_department


def _time_there(moment: datetime, number: str) -> datetime | None:
    """The one time that it is in all the zones that a number may be at home in."""
    times = {local.utcoffset(): local for local in map(moment.astimezone, _zones_of(number))}
    return next(iter(times.values())) if len(times) == 1 else None


@lru_cache(maxsize=10_000)
def _zones_of(number: str) -> Sequence[ZoneInfo]:
    """The zones that a number may be at home in: one, all those of its country, or none that is known."""
    try:
        names = time_zones_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return ()
    return tuple(ZoneInfo(name) for name in names if name != UNKNOWN_TIMEZONE)


def _only_zone(country: str) -> str:
    """The zone of a country whose calling code is that of one zone alone; empty of any other."""
    code = phonenumbers.country_code_for_region(country)
    alone = len(phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(code, ())) == 1
    zones = time_zones_for_geographical_number(phonenumbers.PhoneNumber(country_code=code))
    return str(zones[0]) if alone and len(zones) == 1 and zones[0] != UNKNOWN_TIMEZONE else ""


def _gmt(moment: datetime) -> str:
    """`GMT+4`, `GMT+5:30`."""
    ahead = moment.utcoffset() or timedelta()
    hours, rest = divmod(abs(ahead) // timedelta(minutes=1), 60)
    return f"GMT{'-' if ahead < timedelta() else '+'}{hours}" + (f":{rest:02}" if rest else "")


def calendar(settings: Settings) -> Callable[[], date]:
    """What day it is where dates are promised."""
    zone = ZoneInfo(settings.countries.time_zone)
    return lambda: datetime.now(zone).date()
