"""What `server.py check` tells editors beside problems: files that belong to no language, texts that stand in, free numbers."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from config.settings import Settings
from core.errors import Problem, display_path
from core.languages import (
    COMPLETE_LANGUAGES,
    DEFAULT_LANGUAGE,
    LANGUAGES,
    LANGUAGES_FOLDER,
    LATIN_SUFFIX,
    LOCALE_CODES,
    Language,
    language_of_locale,
)
from core.toml_source import find_line, index_key_lines, parse_toml, read_utf8
from menus.rendering.localization import LOCALES_FOLDER, Locale
from menus.rendering.paging import MAX_OPTIONS
from menus.rendering.shared_texts import resolve_shared_texts
from menus.validation.translations import texts_by_key
from services.catalogue.models import Catalogue
from sms.keywords.vocabulary import WORDS_FOLDER as KEYWORDS_FOLDER
from web.simulator.words_loader import WORDS_FOLDER as SIMULATOR_FOLDER

FIRST_NOTES: Final = 3
"""How many of the texts that a locale lacks are named; `check --verbose` names all."""
NUMBERS_PER_SECTOR: Final = 100
"""A sector's services have numbers in one hundred, as the catalogue's have."""


def find_language_file_problems() -> Iterator[Problem]:
    """Each file of texts whose language has no file in `languages/`, or is not said to be written in Latin letters there."""
    codes = {language.code: language for language in LANGUAGES}
    for folder in (LOCALES_FOLDER, KEYWORDS_FOLDER, SIMULATOR_FOLDER):
        for path in sorted(folder.glob("*.toml")):
            code = path.stem.removesuffix(LATIN_SUFFIX)
            if code not in codes:
                problem = f"there is no language {code!r}"
                yield Problem(display_path(path), 0, "", problem, f"add {_language_path(code)}, or remove this file")
            elif path.stem != code and not codes[code].has_latin_locale:
                problem = f"{codes[code].name} has no texts in Latin letters"
                yield Problem(
                    display_path(path), 0, "", problem, f"write latin_locale = true in {_language_path(code)}"
                )


def list_notes(
    settings: Settings, catalogue: Catalogue, locales: Mapping[str, Locale], folders: Iterable[Path], *, verbose: bool
) -> Iterator[str]:
    """What an editor should know although nothing is wrong. `folders` are those of the catalogue and of the centres."""
    yield from _language_notes(settings)
    yield from _untranslated_notes(locales, verbose=verbose)
    yield from _missing_text_notes(folders, verbose=verbose)
    yield from _nameless_field_notes(catalogue, verbose=verbose)
    yield from _free_number_notes(settings, catalogue)


def _language_path(code: str) -> str:
    return display_path(LANGUAGES_FOLDER / f"{code}.toml")


def _language_notes(settings: Settings) -> Iterator[str]:
    for language in LANGUAGES:
        if language.code not in settings.languages.offered:
            yield f"{language.name} ({language.code}) has its files, but callers cannot choose it: add it to languages.offered"
        elif not language.is_latin and not language.has_latin_locale:
            yield _latin_note(settings, language)
        if not (SIMULATOR_FOLDER / f"{language.code}.toml").exists():
            path = display_path(SIMULATOR_FOLDER / f"{language.code}.toml")
            yield f"The demo phone's page is in English for {language.name}: {path} is missing"


def _latin_note(settings: Settings, language: Language) -> str:
    networks = [code for code, network in settings.ussd.networks.items() if not network.unicode]
    screens = (
        "all but those with unicode = true" if not networks else f"{', '.join(networks)} and all without unicode = true"
    )
    return (
        f"{language.name} has no texts in Latin letters: on networks without Unicode ({screens}) its callers read English; "
        f"write {display_path(LOCALES_FOLDER / f'{language.latin_locale}.toml')}"
    )


def _untranslated_notes(locales: Mapping[str, Locale], *, verbose: bool) -> Iterator[str]:
    """The texts of the menus that a language, which is not complete, lacks: callers read the English ones."""
    for code, locale in locales.items():
        if not language_of_locale(code).complete:
            lacks = [
                ".".join(key) for key in texts_by_key(locale) if key not in locale.written and key[0] != "languages"
            ]
            inherited = {".".join(key) for key in _own_keys(locale)}
            missing = [key for key in lacks if key not in inherited]
            if missing:
                shown = missing if verbose else missing[:FIRST_NOTES]
                more = "" if len(shown) == len(missing) else ", …"
                yield f"{_locale_name(code)} lacks {len(missing)} texts; callers read the English ones: {', '.join(shown)}{more}"


def _own_keys(locale: Locale) -> Iterator[tuple[str, ...]]:
    """The keys that `like` gives the locale's screens."""
    source = read_utf8(LOCALES_FOLDER / f"{locale.code}.toml")
    tables = resolve_shared_texts(parse_toml(source, locale.code)).tables
    return ((name, key) for name, table in tables.items() for key in table)


def _missing_text_notes(folders: Iterable[Path], *, verbose: bool) -> Iterator[str]:
    """The names that each locale lacks, and which text stands in."""
    missing: dict[str, list[str]] = {code: [] for code in LOCALE_CODES if code not in COMPLETE_LANGUAGES}
    for path in [path for folder in folders for path in sorted(folder.glob("*.toml"))]:
        source = read_utf8(path)
        lines = index_key_lines(source)
        for key_path, texts in _iterate_texts((), parse_toml(source, display_path(path))):
            for code in missing.keys() - texts.keys():
                place = f"{display_path(path)}:{find_line(key_path, lines)}: {'.'.join(key_path)}"
                missing[code].append(place)
    for code, places in missing.items():
        if places:
            shown = places if verbose else places[:FIRST_NOTES]
            rest = "" if len(shown) == len(places) else f"\n  … and {len(places) - len(shown)} more: check --verbose"
            yield (
                f"{_locale_name(code)} lacks {len(places)} names; callers read the English ones:"
                + "".join(f"\n  {place}" for place in shown)
                + rest
            )


def _locale_name(code: str) -> str:
    name = language_of_locale(code).name
    return f"{name} in Latin letters ({code})" if code.endswith(LATIN_SUFFIX) else f"{name} ({code})"


def _iterate_texts(
    path: tuple[str, ...], table: Mapping[str, Any]
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """Every text in several languages, with its place."""
    if isinstance(table.get(DEFAULT_LANGUAGE), str):
        yield path, table
        return
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _iterate_texts((*path, key), value)


def _nameless_field_notes(catalogue: Catalogue, *, verbose: bool) -> Iterator[str]:
    """The fields of forms without a short name: a citizen's own data shows the whole question beside the answer."""
    nameless = [
        f"{service.code}.fields.{field.name}"
        for service in catalogue.services.values()
        for field in service.fields
        if not field.names
    ]
    if nameless:
        shown = nameless if verbose else nameless[:FIRST_NOTES]
        more = "" if len(shown) == len(nameless) else ", …"
        yield f"{len(nameless)} fields have no short name (names), citizens' data shows the question: {', '.join(shown)}{more}"


def _free_number_notes(settings: Settings, catalogue: Catalogue) -> Iterator[str]:
    """The next free number of each sector's services, and of the main menu."""
    taken = {service.number for service in catalogue.services.values()}
    of_sector: dict[str, list[int]] = {code: [] for code in catalogue.sectors}
    for service in catalogue.services.values():
        of_sector[service.sector].append(service.number)
    free = (f"{code} {find_free_number(numbers, taken)}" for code, numbers in of_sector.items())
    yield f"Next free service numbers: {', '.join(free)}; a new sector {find_free_number((), taken)}"
    keys = [str(key) for key in range(1, MAX_OPTIONS + 1) if str(key) not in settings.menu.main]
    yield f"Next free key of the main menu: {keys[0] if keys else 'none'}"


def find_free_number(numbers: Iterable[int], taken: Iterable[int]) -> int:
    """The next number after those of a sector that no service has; for a sector without services, the next hundred's first."""
    taken = set(taken)
    number = max(numbers, default=(max(taken, default=0) // NUMBERS_PER_SECTOR + 1) * NUMBERS_PER_SECTOR) + 1
    while number in taken:
        number += 1
    return number
