"""The languages of the gateway, one file a language in `languages/`. Menus, settings, the catalogue, the API and SMS follow it.

A locale is a language in one script. Its code is that of the language, such as `bn`, for the language's own script, and
`bn_Latn` for the same language in Latin letters, which phones without Unicode can show.
"""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import regex

from core.errors import ValidationFailedError
from core.language_files import ASCII_DIGITS, LANGUAGES_FOLDER, LATIN, LATIN_SUFFIX, Language, load_languages

EXIT_ERROR: Final = 2

__all__ = ["LANGUAGES_FOLDER", "LATIN", "LATIN_SUFFIX", "Language"]


def _load_or_exit() -> tuple[Language, ...]:
    """The languages.

    Raises:
        SystemExit: a file has a mistake. No module works without the languages, so the program ends with a line for each.
    """
    try:
        return load_languages(LANGUAGES_FOLDER)
    except ValidationFailedError as broken:
        sys.stderr.write(f"{broken}\n")
        raise SystemExit(EXIT_ERROR) from None


LANGUAGES: Final = _load_or_exit()
"""In the order of their files' `order`; the first is the default, whose texts stand in for those that another language lacks."""

DEFAULT_LANGUAGE: Final = LANGUAGES[0].code
LANGUAGE_CODES: Final = tuple(language.code for language in LANGUAGES)
LOCALE_CODES: Final = (
    *LANGUAGE_CODES,
    *(language.latin_locale for language in LANGUAGES if not language.is_latin and language.has_latin_locale),
)
"""The locales that have texts. A language may lack the locale in Latin letters; screens without Unicode then show English."""
LATIN_LOCALES: Final = frozenset(language.latin_locale for language in LANGUAGES)
"""The locales in Latin letters, which are limited to the GSM-7 alphabet."""
COMPLETE_LANGUAGES: Final = tuple(language.code for language in LANGUAGES if language.complete)
"""The languages in which every text of the menus and every name of the catalogue must be written."""

if TYPE_CHECKING:
    LanguageCode: TypeAlias = str
    LocaleCode: TypeAlias = str
else:  # pydantic reads the allowed codes
    LanguageCode = Literal[LANGUAGE_CODES]
    LocaleCode = Literal[LOCALE_CODES]

_BY_LOCALE: Final = {
    **{language.code: language for language in LANGUAGES},
    **{language.latin_locale: language for language in LANGUAGES},
}

_DIGITS: Final = {
    language.code: str.maketrans(ASCII_DIGITS, language.digits)
    for language in LANGUAGES
    if language.digits != ASCII_DIGITS
}

SCRIPTS: Final = tuple(dict.fromkeys(language.script for language in LANGUAGES if not language.is_latin))
"""The scripts of the languages, without the Latin one."""
_SCRIPT_SEARCHES: Final = tuple((script, regex.compile(rf"\p{{{script}}}").search) for script in SCRIPTS)
_LANGUAGES_BY_SCRIPT: Final = {
    script: tuple(language for language in LANGUAGES if language.script == script) for script in SCRIPTS
}
_find_words: Callable[[str], list[str]] = regex.compile(r"[\p{L}\p{M}]+").findall


def language_of_locale(locale_code: str) -> Language:
    """The language of a locale: that of `bn` and of `bn_Latn` is Bengali.

    Raises:
        KeyError: there is no such locale.
    """
    return _BY_LOCALE[locale_code]


def formats_of_locale(locale_code: str) -> Language:
    """The language whose dates, amounts and digits a locale uses: its own, or the default language in Latin letters.

    Raises:
        KeyError: there is no such locale.
    """
    language = language_of_locale(locale_code)
    return language if language.code == locale_code else LANGUAGES[0]


def localize_digits(text: str, locale_code: str) -> str:
    """A text with the digits of the locale. Digits that somebody types back are always 0-9."""
    digits = _DIGITS.get(locale_code)
    return text.translate(digits) if digits else text


def find_script(text: str) -> str:
    """The first script of a language that `text` contains; empty where it has no script but Latin."""
    return next((script for script, search in _SCRIPT_SEARCHES if search(text)), "")


def language_by_script(text: str, preferred: str = "") -> str:
    """The code of the language that `text` is written in, by its script; empty where no script but Latin tells a language.

    Of several languages with that script, the one whose telling words the text contains most of; where none or several do,
    the `preferred` language, such as that of the writer's country, else the first of them.
    """
    script = find_script(text)
    if not script:
        return ""
    languages = _LANGUAGES_BY_SCRIPT[script]
    return languages[0].code if len(languages) == 1 else choose_language(languages, text, preferred)


def choose_language(languages: tuple[Language, ...], text: str, preferred: str = "") -> str:
    """The code of the one of these languages, which share a script, whose telling words `text` contains most of."""
    words = set(_find_words(text))
    counts = {language.code: len(words & language.telling_words) for language in languages}
    best = [code for code, count in counts.items() if count == max(counts.values())]
    return preferred if preferred in best else best[0]
