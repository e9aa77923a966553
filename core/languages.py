"""The languages of the gateway: one row a language. Menus, settings, the catalogue, the API and SMS keywords follow it.

A locale is a language in one script. Its code is that of the language, such as `bn`, for the language's own script, and
`bn_Latn` for the same language in Latin letters, which phones without Unicode can show.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import regex

LATIN: Final = "Latin"
ASCII_DIGITS: Final = "0123456789"
LATIN_SUFFIX: Final = "_Latn"


@dataclass(frozen=True, slots=True)
class Language:
    """A language, and how numbers, dates and amounts are written in it.

    `name` is its English name, `own_name` and `latin_name` are shown to callers, with and without Unicode.
    `script` is the Unicode name of its script. `date_pattern` is a CLDR pattern. `digits` are ten characters, 0 first.
    `currency_signs` contains the sign of each currency, with a space where one follows it.
    """

    code: str
    name: str
    own_name: str
    latin_name: str
    script: str = LATIN
    date_pattern: str = "d MMM y"
    digits: str = ASCII_DIGITS
    currency_signs: Mapping[str, str] = field(default_factory=lambda: {"BDT": "Tk ", "INR": "Rs ", "KES": "KSh "})
    groups_in_lakhs: bool = False  # 12,34,567 in every currency; else only amounts in BDT and INR

    @property
    def is_latin(self) -> bool:
        """Whether its own script is Latin."""
        return self.script == LATIN

    def is_used_in(self, text: str) -> bool:
        """Whether `text` contains a character of the language's script."""
        return regex.search(rf"\p{{{self.script}}}", text) is not None

    @property
    def latin_locale(self) -> str:
        """The locale with its texts in Latin letters."""
        return self.code if self.is_latin else self.code + LATIN_SUFFIX


_SIGNS: Final = {"BDT": "৳", "INR": "₹", "KES": "KSh "}

# To add a language, see docs/how-to/add-a-language.md. Where two languages share a script, the first row is recognised.
LANGUAGES: Final = (
    Language("en", "English", "English", "English"),
    Language(
        "bn",
        "Bengali",
        "বাংলা",
        "Bangla",
        "Bengali",
        date_pattern="d MMMM y",
        digits="০১২৩৪৫৬৭৮৯",
        currency_signs=_SIGNS,
        groups_in_lakhs=True,
    ),
    Language(
        "hi",
        "Hindi",
        "हिन्दी",
        "Hindi",
        "Devanagari",
        date_pattern="d MMMM y",
        currency_signs=_SIGNS,
        groups_in_lakhs=True,
    ),
)

DEFAULT_LANGUAGE: Final = LANGUAGES[0].code
LANGUAGE_CODES: Final = tuple(language.code for language in LANGUAGES)
LOCALE_CODES: Final = (
    *LANGUAGE_CODES,
    *(language.latin_locale for language in LANGUAGES if not language.is_latin),
)
LATIN_LOCALES: Final = frozenset(language.latin_locale for language in LANGUAGES)
"""The locales in Latin letters, which are limited to the GSM-7 alphabet."""

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
_SCRIPT_SEARCHES: Final = tuple(
    (language.code, regex.compile(rf"\p{{{language.script}}}").search)
    for language in LANGUAGES
    if not language.is_latin
)


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


def language_by_script(text: str) -> str:
    """The code of the first language whose script `text` contains; empty where no script but Latin tells a language."""
    return next((code for code, search in _SCRIPT_SEARCHES if search(text)), "")
