"""Locales: text templates read from a locale file, and the formatters of their placeholders.

A placeholder names a fact and its formatter: `{date:date}`, `{fee:money}`, `{number:tracking}`. A formatter is built in,
or a table of the locale's `[terms]` (`{status:status}`), or a lookup of names given from outside (`{service:service}`).
"""

import re
import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Final, TypeAlias

from babel.dates import format_date
from babel.numbers import format_decimal

from core import pin_policy
from core.currencies import CURRENCIES, Currency, split_amount
from core.errors import Finding, KeyPath, Problem, ValidationFailedError
from core.languages import (
    DEFAULT_LANGUAGE,
    LANGUAGE_CODES,
    LANGUAGES,
    LATIN_LOCALES,
    LATIN_SUFFIX,
    LOCALE_CODES,
    Language,
    formats_of_locale,
    language_of_locale,
    localize_digits,
)
from core.toml_source import find_line, index_key_lines, parse_toml, read_utf8
from menus.rendering.clock_times import CLOCK_TERMS, find_clock_problems, format_clock_time
from menus.rendering.shared_texts import resolve_shared_texts

LANGUAGE_SCREENS: Final = frozenset({"languages", "change_language"})
"""Screens with the languages as options."""
RESERVED_TABLES = ("common", "refused", "sms", "mail", "terms")
LOCALES_FOLDER = Path(__file__).parents[1] / "locales"

Formatter: TypeAlias = Callable[[Any], str]
NameLookups: TypeAlias = Mapping[str, Callable[[str, str], str]]
"""Formatter name (`service`) to a function that returns the name of a code in a language."""

CONSTANTS: Mapping[str, int] = {"pin_min": pin_policy.MIN_DIGITS, "pin_max": pin_policy.MAX_DIGITS}
"""Placeholders that every text may use, and their values; loading the locale replaces them."""
_match_constant = re.compile(rf"\{{(?P<name>{'|'.join(CONSTANTS)})(?::(?P<way>text|count))?\}}")

_LAKH_LOCALE = "en_IN"  # 12,34,567


TemplatePart: TypeAlias = tuple[str, str, str]
"""Literal text, a fact's name and its formatter; the name is empty at the end of a line."""


@dataclass(frozen=True, slots=True)
class Template:
    """A text with placeholders, parsed once, line by line."""

    source: str
    lines: tuple[tuple[TemplatePart, ...], ...]

    @property
    def placeholders(self) -> frozenset[tuple[str, str]]:
        """The facts of the text and their formatters."""
        if "{" not in self.source:
            return frozenset()
        return frozenset((name, formatter) for line in self.lines for _, name, formatter in line if name)

    def render(self, facts: Mapping[str, Any], formatters: Mapping[str, Formatter]) -> str:
        """The text with its facts. A line of which all facts are empty is omitted, a blank line is not."""
        if "{" not in self.source:
            return self.source
        rendered = [_render_line(line, facts, formatters) for line in self.lines]
        return "\n".join([line for line in rendered if line is not None])


def _render_line(
    line: tuple[TemplatePart, ...], facts: Mapping[str, Any], formatters: Mapping[str, Formatter]
) -> str | None:
    rendered, has_content = "", not line or not line[0][1]
    for text, name, formatter in line:
        fact = formatters[formatter](facts.get(name)) if name else ""
        rendered += text + fact
        has_content = has_content or fact != ""
    return rendered.rstrip() if has_content else None


@dataclass(frozen=True, slots=True)
class ScreenTexts:
    """The text of a screen, the text of a row of its list, and the labels of its options."""

    text: Template
    row: Template | None
    options: Mapping[str, Template]

    @property
    def is_static(self) -> bool:
        """Whether the text has no placeholders."""
        return not any(template.placeholders for template in (self.text, *self.options.values()))


@dataclass(frozen=True, slots=True)
class Locale:
    """Every text of one locale."""

    code: str
    screens: Mapping[str, ScreenTexts]
    common: Mapping[str, str]
    validation_messages: Mapping[str, Template]
    sms: Mapping[str, Template]
    mail: Mapping[str, Template]
    terms: Mapping[str, Mapping[str, str]]
    formatters: Mapping[str, Formatter]
    written: Mapping[KeyPath, str] = field(default_factory=dict)
    """Each text as the file has it, with its references, by its key; without the texts that `like` gives a screen."""

    def render(self, template: Template, facts: Mapping[str, Any]) -> str:
        """The template with facts in this language."""
        return template.render(facts, self.formatters)


def load_locale(locale_code: str, source: str, name_lookups: NameLookups) -> Locale:
    """The locale of this code from its TOML source.

    Raises:
        ValidationFailedError: the source is not TOML, or a table has the wrong structure.
    """
    shared = resolve_shared_texts(parse_toml(source, locale_path(locale_code)))
    tables = shared.tables
    findings = shared.findings or list(_structure_findings(tables))
    problems = [_problem_at(locale_code, source, finding) for finding in findings]
    if problems:
        raise ValidationFailedError(problems)
    for name in tables.keys() & LANGUAGE_SCREENS:
        tables[name] |= _language_names(locale_code)
    reserved = {key: tables.pop(key, {}) for key in RESERVED_TABLES}
    formatters = _build_formatters(locale_code, reserved["terms"], name_lookups)

    def parse(table: Mapping[str, str]) -> dict[str, Template]:
        return {key: parse_template(_insert_constants(text, formatters)) for key, text in table.items()}

    return Locale(
        code=locale_code,
        screens={name: _build_screen_texts(parse(table)) for name, table in tables.items()},
        common=reserved["common"],
        validation_messages=parse(reserved["refused"]),
        sms=parse(reserved["sms"]),
        mail=parse(reserved["mail"]),
        terms=reserved["terms"],
        formatters=formatters,
        written=shared.written,
    )


def load_locales(name_lookups: NameLookups, folder: Path = LOCALES_FOLDER) -> Mapping[str, Locale]:
    """All locales of a folder, by code.

    Raises:
        ValidationFailedError: lists every problem of every file.
    """
    locales: dict[str, Locale] = {}
    problems: list[Problem] = []
    for form in LOCALE_CODES:
        try:
            locales[form] = load_locale(form, read_utf8(folder / f"{form}.toml"), name_lookups)
        except ValidationFailedError as broken:
            problems.extend(broken.problems)
    if problems:
        raise ValidationFailedError(problems)
    english = locales[DEFAULT_LANGUAGE]
    return {
        form: locale if language_of_locale(form).complete else _fill_from(english, locale)
        for form, locale in locales.items()
    }


def _fill_from(english: Locale, locale: Locale) -> Locale:
    """The locale of a language that is not complete: English stands in for each text that it lacks."""
    terms: dict[str, Mapping[str, str]] = {
        kind: {**table, **locale.terms.get(kind, {})} for kind, table in english.terms.items()
    }
    if CLOCK_TERMS in locale.terms:  # each language divides the day in its own way
        terms[CLOCK_TERMS] = locale.terms[CLOCK_TERMS]
    missing = {
        kind: partial(_format_clock if kind == CLOCK_TERMS else _format_term, table, locale.code)
        for kind, table in terms.items()
    }
    return replace(
        locale,
        screens={name: _fill_screen(screen, locale.screens.get(name)) for name, screen in english.screens.items()},
        common={**english.common, **locale.common},
        validation_messages={**english.validation_messages, **locale.validation_messages},
        sms={**english.sms, **locale.sms},
        mail={**english.mail, **locale.mail},
        terms=terms,
        formatters={**locale.formatters, **missing},
    )


def _fill_screen(english: ScreenTexts, own: ScreenTexts | None) -> ScreenTexts:
    if own is None:
        return english
    return ScreenTexts(own.text, own.row or english.row, {**english.options, **own.options})


def _language_names(locale_code: str) -> Mapping[str, str]:
    """The options of the language screen: they are the same in every locale of one script."""
    in_latin = locale_code in LATIN_LOCALES
    return {language.code: language.latin_name if in_latin else language.own_name for language in LANGUAGES}


def with_names(locales: Mapping[str, Locale], name_lookups: NameLookups) -> Mapping[str, Locale]:
    """The same locales with the names of another catalogue."""
    return {
        form: replace(locale, formatters=_build_formatters(form, locale.terms, name_lookups))
        for form, locale in locales.items()
    }


def build_screen_locales(locales: Mapping[str, Locale]) -> Mapping[str, Locale]:
    """The locales by what a screen can display: `bn` with Unicode, `bn_Latn` without; likewise for the other languages.

    With Unicode, the language screen shows each language's name in its own script.
    """
    names = {language.code: parse_template(language.own_name) for language in LANGUAGES}
    return {
        **locales,
        **{code: _with_language_names(locales[code], names) for code in LANGUAGE_CODES},
        **{language.code + LATIN_SUFFIX: find_latin_texts(locales, language) for language in LANGUAGES},
    }


def find_latin_texts(locales: Mapping[str, Locale], language: Language) -> Locale:
    """The texts of a language in Latin letters; English where it has none."""
    return locales.get(language.latin_locale, locales[DEFAULT_LANGUAGE])


def _with_language_names(locale: Locale, names: Mapping[str, Template]) -> Locale:
    named = {
        name: replace(locale.screens[name], options={**locale.screens[name].options, **names})
        for name in LANGUAGE_SCREENS
        if name in locale.screens
    }
    return replace(locale, screens={**locale.screens, **named})


def parse_template(source: str) -> Template:
    """Parse a text with placeholders.

    Raises:
        ValueError: a placeholder is neither `{name}` nor `{name:formatter}`.
    """
    lines_of_it = source.strip("\n").split("\n")
    return Template(source.strip("\n"), tuple(tuple(_parts(line)) for line in lines_of_it))


def _parts(line: str) -> Iterator[TemplatePart]:
    for text, name, formatter, conversion in string.Formatter().parse(line):
        if name is not None and (conversion or not name.isidentifier() or (formatter and not formatter.isidentifier())):
            raise ValueError(line)
        yield text, name or "", formatter or "text"


def locale_path(locale_code: str) -> str:
    """The path of a locale file, relative to the repository."""
    return f"menus/locales/{locale_code}.toml"


def _problem_at(locale_code: str, source: str, finding: Finding) -> Problem:
    line = find_line(finding.key_path, index_key_lines(source))
    return Problem(locale_path(locale_code), line, ".".join(finding.key_path), finding.problem, finding.fix)


def _structure_findings(tables: Mapping[str, Any]) -> Iterator[Finding]:
    """Problems in the structure of a locale's tables."""
    for name, table in tables.items():
        if not isinstance(table, dict):
            yield Finding((name,), "this is not a table", f"put it under a header such as [{name}]")
        elif name == "terms":
            yield from (finding for kind, terms in table.items() for finding in _term_findings(kind, terms))
        else:
            yield from _text_findings((name,), table)
            if name not in RESERVED_TABLES and "text" not in table:
                yield Finding((name,), "this screen has no text", 'give it text = "…"')


def _term_findings(kind: str, terms: Any) -> Iterator[Finding]:
    if isinstance(terms, dict):
        yield from _text_findings(("terms", kind), terms)
        if kind == CLOCK_TERMS:
            yield from (Finding(("terms", kind, key), *rest) for key, *rest in find_clock_problems(terms))
    else:
        yield Finding(("terms", kind), "this is not a table", f"put it under a header such as [terms.{kind}]")


def _text_findings(key_path: tuple[str, ...], table: Mapping[str, Any]) -> Iterator[Finding]:
    for key, text in table.items():
        if not isinstance(text, str):
            yield Finding((*key_path, key), "this is not text", "put it in quotes")
            continue
        try:
            parse_template(text)
        except ValueError:
            yield Finding((*key_path, key), "a placeholder cannot be read", "write each as {name} or {name:formatter}")


def _build_screen_texts(templates: Mapping[str, Template]) -> ScreenTexts:
    options = {key: template for key, template in templates.items() if key not in {"text", "row"}}
    return ScreenTexts(templates["text"], templates.get("row"), options)


def _insert_constants(text: str, formatters: Mapping[str, Formatter]) -> str:
    """The text with the placeholders of CONSTANTS replaced, so that a screen without other placeholders stays static."""
    return _match_constant.sub(lambda match: formatters[match["way"] or "text"](CONSTANTS[match["name"]]), text)


def _build_formatters(
    locale_code: str, terms: Mapping[str, Mapping[str, str]], name_lookups: NameLookups
) -> Mapping[str, Formatter]:
    formatters: dict[str, Formatter] = {
        "text": lambda fact: "" if fact is None else str(fact),
        "date": lambda fact: _format_date(fact, locale_code) if fact else "",
        "money": lambda fact: _format_money(fact, locale_code) if fact else "",
        "count": lambda fact: "" if fact is None else localize_digits(str(fact), locale_code),
        "tracking": lambda fact: " ".join((fact[:4], fact[4:8], fact[8:])) if fact else "",
        "list": lambda fact: ", ".join(
            one if isinstance(one, str) else _text_in_locale(one, locale_code) for one in fact or ()
        ),
        "texts": lambda fact: _text_in_locale(fact, locale_code) if fact else "",
    }
    for kind, table in terms.items():
        formatters[kind] = partial(_format_clock if kind == CLOCK_TERMS else _format_term, table, locale_code)
    for kind, name in name_lookups.items():
        formatters[kind] = partial(_format_name, name, locale_code)
    return formatters


def _text_in_locale(texts: Mapping[str, str], locale_code: str) -> str:
    """The text of this locale, or of the same language in its other script, or in English."""
    language = language_of_locale(locale_code)
    codes = (locale_code, language.code, language.latin_locale, DEFAULT_LANGUAGE)
    return next(filter(None, map(texts.get, codes)), "")


def _format_term(table: Mapping[str, str], locale_code: str, fact: Any) -> str:
    """A term by its key, or several in a row; a number without a term of its own gets the term `many`."""
    if fact is None:
        return ""
    if isinstance(fact, list | tuple):
        return ", ".join(_format_term(table, locale_code, one) for one in fact)
    text = table.get(str(fact), table.get("many", "") if isinstance(fact, int) else "")
    return text.replace("{n}", localize_digits(str(fact), locale_code))


def _format_clock(table: Mapping[str, str], locale_code: str, fact: Any) -> str:
    return localize_digits(format_clock_time(table, fact), locale_code) if fact else ""


def _format_name(name: Callable[[str, str], str], locale_code: str, fact: Any) -> str:
    return name(fact, locale_code) if fact else ""


def _format_money(fact: Any, locale_code: str) -> str:
    minor, code = fact
    currency = CURRENCIES.get(code)
    units, decimals = split_amount(minor, code)
    in_lakhs = language_of_locale(locale_code).groups_in_lakhs or (currency is not None and currency.groups_in_lakhs)
    amount = format_decimal(units, locale=_LAKH_LOCALE if in_lakhs else "en") + (f".{decimals}" if decimals else "")
    sign = _currency_sign(currency, locale_code) if currency else f"{code} "
    return ("-" if minor < 0 else "") + sign + localize_digits(amount, locale_code)


def _currency_sign(currency: Currency, locale_code: str) -> str:
    return currency.sign if formats_of_locale(locale_code).is_latin else currency.own_sign


@lru_cache(maxsize=4096)
def _format_date(day: str | date, locale_code: str) -> str:
    when = date.fromisoformat(day) if isinstance(day, str) else day
    formats = formats_of_locale(locale_code)
    return localize_digits(format_date(when, formats.date_pattern, formats.code), locale_code)
