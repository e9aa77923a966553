"""The languages that are offered, the local time and the time zone of numbers and departments, from the settings."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from config.settings import LanguageSettings, Settings
from core.languages import language_of_locale
from core.phone_numbers import find_country_code, format_gmt_offset, local_time, sole_time_zone
from menus.rendering.localization import Locale, find_latin_texts
from services.catalogue.current import CurrentCatalogue
from services.citizens.contacts import build_default_language


def build_default_language_lookup(settings: Settings) -> Callable[[str], str]:
    """A function from an MSISDN to the language of its country, where that is offered, else to the default language."""
    return build_default_language(offered_by_country(settings.languages), settings.languages.default)


def offered_by_country(languages: LanguageSettings) -> Mapping[str, str]:
    """The language of each country whose language is offered: `BD` to `bn`."""
    return {country: one for country, one in languages.by_country.items() if one in languages.offered}


def build_languages_by_prefix(settings: Settings) -> Mapping[str, str]:
    """Offered languages by the beginning of a number, such as `+880`. Countries that share a calling code have the first's."""
    by_prefix: dict[str, str] = {}
    for country, language in offered_by_country(settings.languages).items():
        by_prefix.setdefault(f"+{find_country_code(country)}", language)
    return by_prefix


def replace_not_offered(locales: Mapping[str, Locale], languages: LanguageSettings) -> Mapping[str, Locale]:
    """The locales to write in: a language that is not offered is replaced by the default language in the same letters.

    So nobody is written to in it, also not a person who chose it while it was offered.
    """

    def find_spoken(code: str) -> Locale:
        language = language_of_locale(code)
        if language.code in languages.offered:
            return locales[code]
        default = language_of_locale(languages.default)
        return locales[default.code] if code == language.code else find_latin_texts(locales, default)

    return {code: find_spoken(code) for code in locales}


def build_time_formatter(settings: Settings) -> Callable[[datetime, str], str]:
    """A function that formats a moment as the local time of an MSISDN, such as `14:05`, for the formatter `clock` of locales.

    A time in another zone than the gateway's names its offset: `12:05 (GMT+4)`. Where the zone of the MSISDN is unknown,
    the time is the gateway's and names its offset as well: `14:05 (GMT+6)`.
    """
    home_zone = ZoneInfo(settings.countries.time_zone)

    def format_time(moment: datetime, msisdn: str) -> str:
        known, home = local_time(moment, msisdn), moment.astimezone(home_zone)
        local = known or home
        if known and local.utcoffset() == home.utcoffset():
            return f"{local:%H:%M}"
        return f"{local:%H:%M} ({format_gmt_offset(local)})"

    return format_time


def build_local_clock(settings: Settings) -> Callable[[datetime, str], datetime]:
    """A function that converts a moment to the local time of an MSISDN; to the gateway's where the zone is unknown."""
    home_zone = ZoneInfo(settings.countries.time_zone)
    return lambda moment, msisdn: local_time(moment, msisdn) or moment.astimezone(home_zone)


def build_department_zones(settings: Settings, current_catalogue: CurrentCatalogue) -> Callable[[str], ZoneInfo]:
    """A function from a department's code to its time zone, which is that of its country.

    `countries.time_zones` sets the zone of a country with several. Where it does not, and where the catalogue has no such
    department, the zone is the gateway's.
    """
    home_zone, zone_names = settings.countries.time_zone, settings.countries.time_zones

    @lru_cache
    def zone_of_country(country: str) -> ZoneInfo:
        return ZoneInfo(zone_names.get(country) or sole_time_zone(country) or home_zone)

    def zone_of_department(code: str) -> ZoneInfo:
        department = current_catalogue.catalogue.departments.get(code)
        return zone_of_country(department.country) if department else ZoneInfo(home_zone)

    return zone_of_department


def build_calendar(settings: Settings) -> Callable[[], date]:
    """A function that returns today's date in the gateway's time zone, in which dates are promised."""
    zone = ZoneInfo(settings.countries.time_zone)
    return lambda: datetime.now(zone).date()
