"""Read the files of `languages/`: how each language is named and written. Every mistake is reported with file and line."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import regex

from core.errors import Finding, Problem, ValidationFailedError, display_path
from core.toml_source import find_line, index_key_lines, parse_toml, read_utf8

LATIN: Final = "Latin"
ASCII_DIGITS: Final = "0123456789"
LATIN_SUFFIX: Final = "_Latn"
LANGUAGES_FOLDER: Final = Path(__file__).parents[1] / "languages"
MANY: Final = 100
"""The `order` of a language that gives none."""


@dataclass(frozen=True, slots=True)
class Language:
    """A language, and how numbers, dates and amounts are written in it.

    `name` is its English name, `own_name` and `latin_name` are shown to callers, with and without Unicode.
    `script` is the Unicode name of its script. `date_pattern` is a CLDR pattern. `digits` are ten characters, 0 first.
    `countries` have this language unless the settings say otherwise. `browser_tag` is its BCP 47 tag with a country.
    `complete`: every text of the menus and every name of the catalogue must be written in it; else English stands in. `has_latin_locale`: it has texts in Latin letters.
    `telling_words` tell it from other languages in the same script. `sound_rules` are patterns and replacements of letters
    that sound alike. `option_words` are words around the number of an option (`around`), and for `yes` and `no`.
    """

    code: str
    name: str
    own_name: str
    latin_name: str
    script: str = LATIN
    order: int = MANY
    browser_tag: str = ""
    date_pattern: str = "d MMM y"
    digits: str = ASCII_DIGITS
    groups_in_lakhs: bool = False  # 12,34,567 in every currency
    countries: tuple[str, ...] = ()
    complete: bool = False
    has_latin_locale: bool = False
    telling_words: frozenset[str] = frozenset()
    amount_words: tuple[str, ...] = ()
    sound_rules: tuple[tuple[str, str], ...] = ()
    option_words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

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


def load_languages(folder: Path) -> tuple[Language, ...]:
    """The languages of a folder's files, in their order.

    Raises:
        ValidationFailedError: lists every problem of every file.
    """
    languages: list[Language] = []
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            languages.append(_load_language(path))
        except ValidationFailedError as broken:
            problems += broken.problems
    if not problems and not languages:
        problems.append(Problem(display_path(folder), 0, "", "has no language", "put a file such as en.toml there"))
    if problems:
        raise ValidationFailedError(problems)
    return tuple(sorted(languages, key=lambda language: (language.order, language.code)))


def _load_language(path: Path) -> Language:
    source = read_utf8(path)
    table = parse_toml(source, display_path(path))
    findings = list(_find_mistakes(path.stem, table))
    if findings:
        lines = index_key_lines(source)
        raise ValidationFailedError(
            Problem(display_path(path), find_line(it.key_path, lines), ".".join(it.key_path), it.problem, it.fix)
            for it in findings
        )
    return Language(path.stem, **{_ATTRIBUTES.get(key, key): _RULES[key].read(value) for key, value in table.items()})


@dataclass(frozen=True, slots=True)
class _Rule:
    """What the value of a key must be, its fix, and how it is read."""

    is_valid: Callable[[Any], bool]
    fix: str
    read: Callable[[Any], Any] = lambda value: value


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value.strip() != ""


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_words(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_script(value: Any) -> bool:
    try:
        return _is_text(value) and regex.compile(rf"\p{{{value}}}") is not None
    except regex.error:
        return False


def _is_digits(value: Any) -> bool:
    return isinstance(value, str) and value.isdecimal() and [int(digit) for digit in value] == list(range(10))


def _is_sound_rules(value: Any) -> bool:
    try:
        return all(regex.compile(pattern) is not None and isinstance(sound, str) for pattern, sound in value)
    except (regex.error, TypeError, ValueError):
        return False


def _is_option_words(value: Any) -> bool:
    return isinstance(value, dict) and set(value) <= {"around", "yes", "no"} and all(map(_is_words, value.values()))


_RULES: Final[Mapping[str, _Rule]] = {
    "order": _Rule(lambda value: isinstance(value, int), "write a whole number, such as 4"),
    "name": _Rule(_is_text, 'write its English name, such as "Nepali"'),
    "own_name": _Rule(_is_text, "write its name in its own script"),
    "latin_name": _Rule(_is_text, "write its name in Latin letters"),
    "script": _Rule(_is_script, 'write the Unicode name of its script, such as "Devanagari"'),
    "browser_tag": _Rule(_is_text, 'write its tag with a country, such as "ne-NP"'),
    "date_pattern": _Rule(_is_text, 'write a CLDR pattern, such as "d MMMM y"'),
    "digits": _Rule(_is_digits, "write its ten digits from 0 to 9"),
    "groups_in_lakhs": _Rule(_is_flag, "write true or false"),
    "countries": _Rule(_is_words, 'write a list of countries, such as ["NP"]', tuple),
    "complete": _Rule(_is_flag, "write true or false"),
    "latin_locale": _Rule(_is_flag, "write true if menus/locales has its texts in Latin letters"),
    "telling_words": _Rule(_is_words, 'write a list of words, such as ["…"]', frozenset),
    "amount_words": _Rule(_is_words, 'write a list of words, such as ["…"]', tuple),
    "sound_rules": _Rule(
        _is_sound_rules,
        "write each as [pattern, replacement]",
        lambda pairs: tuple((pattern, sound) for pattern, sound in pairs),
    ),
    "option_words": _Rule(
        _is_option_words,
        "write lists of words: around, yes, no",
        lambda lists: {name: tuple(words) for name, words in lists.items()},
    ),
}
_ATTRIBUTES: Final = {"latin_locale": "has_latin_locale"}
_REQUIRED_KEYS: Final = ("name", "own_name", "latin_name")


def _find_mistakes(code: str, table: Mapping[str, Any]) -> Iterator[Finding]:
    if not regex.fullmatch("[a-z]{2,3}", code):
        yield Finding((), f"{code!r} is not the code of a language", "call the file by two letters, such as ne.toml")
    for key in _REQUIRED_KEYS:
        if key not in table:
            yield Finding((key,), "this key is missing", _RULES[key].fix)
    for key, value in table.items():
        if key not in _RULES:
            yield Finding((key,), "there is no such key", f"choose from {', '.join(_RULES)}")
        elif not _RULES[key].is_valid(value):
            yield Finding((key,), "this value cannot be used", _RULES[key].fix)
