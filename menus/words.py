"""The words of one language: templates read from a locale file, and how facts are said in them.

A placeholder names a fact and how it is said: `{date:date}`, `{fee:money}`, `{number:tracking}`. A way that is not one
of the built-in ones is a table of the locale's `[terms]` (`{status:status}`) or names that are given from outside
(`{service:service}`).
"""

import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, TypeAlias

from babel.dates import format_date
from babel.numbers import format_decimal

from faults import Broken, Fault, Finding
from toml_lines import line_of, lines, tables_of, text_of

LANGUAGES = ("en", "bn", "hi")
LATIN = {"en": "en_Latn", "bn": "bn_Latn", "hi": "hi_Latn"}
FORMS = (*LANGUAGES, "bn_Latn", "hi_Latn")
RESERVED = ("common", "refused", "sms", "mail", "terms")
LOCALES = Path(__file__).parent / "locales"

Say: TypeAlias = Callable[[Any], str]
Names: TypeAlias = Mapping[str, Callable[[str, str], str]]
"""Way of saying (`service`) to a function from a code and a language to a name."""

_SIGNS = {
    "en": {"BDT": "Tk ", "INR": "Rs ", "KES": "KSh "},
    "bn": {"BDT": "৳", "INR": "₹", "KES": "KSh "},
    "hi": {"BDT": "৳", "INR": "₹", "KES": "KSh "},
}
_IN_LAKHS = "en_IN"  # 12,34,567: Bengali and Hindi group every amount so, English those of Bangladesh and India
_GROUPED = {"BDT": _IN_LAKHS, "INR": _IN_LAKHS}
_DATES = {"bn": ("d MMMM y", "bn"), "hi": ("d MMMM y", "hi")}
_BENGALI_DIGITS = str.maketrans("0123456789", "০১২৩৪৫৬৭৮৯")


Part: TypeAlias = tuple[str, str, str]
"""Literal text, then the name of a fact and the way it is said; the name is empty where the line ends first."""


@dataclass(frozen=True, slots=True)
class Template:
    """A text with placeholders, taken apart once, line by line."""

    source: str
    lines: tuple[tuple[Part, ...], ...]

    @property
    def placeholders(self) -> frozenset[tuple[str, str]]:
        """The facts it says and the ways it says them."""
        return frozenset((name, way) for line in self.lines for _, name, way in line if name)

    def said(self, facts: Mapping[str, Any], ways: Mapping[str, Say]) -> str:
        """The text with its facts; a line whose facts are all empty is left out, one that is blank is not."""
        if "{" not in self.source:
            return self.source
        said = [_line_said(line, facts, ways) for line in self.lines]
        return "\n".join([line for line in said if line is not None])


def _line_said(line: tuple[Part, ...], facts: Mapping[str, Any], ways: Mapping[str, Say]) -> str | None:
    said, told = "", not line or not line[0][1]
    for text, name, way in line:
        fact = ways[way](facts.get(name)) if name else ""
        said += text + fact
        told = told or fact != ""
    return said.rstrip() if told else None


@dataclass(frozen=True, slots=True)
class ScreenWords:
    """One screen's text, how a row of its list is said, and its options' labels."""

    text: Template
    row: Template | None
    options: Mapping[str, Template]

    @property
    def fixed(self) -> bool:
        """Whether it says no facts."""
        return not any(said.placeholders for said in (self.text, *self.options.values()))


@dataclass(frozen=True, slots=True)
class Words:
    """Everything that is said in one form of one language."""

    form: str
    screens: Mapping[str, ScreenWords]
    common: Mapping[str, str]
    refused: Mapping[str, Template]
    sms: Mapping[str, Template]
    mail: Mapping[str, Template]
    terms: Mapping[str, Mapping[str, str]]
    ways: Mapping[str, Say]

    def say(self, template: Template, facts: Mapping[str, Any]) -> str:
        """`template` with `facts` in this language."""
        return template.said(facts, self.ways)


def load(form: str, source: str, names: Names) -> Words:
    """The words of locale `form` from its TOML text.

    Raises:
        Broken: the text is not TOML, or a table is not of the form that a locale has.
    """
    tables = tables_of(source, file_of(form))
    faults = [_fault(form, source, finding) for finding in _misshapen(tables)]
    if faults:
        raise Broken(faults)
    reserved = {key: tables.pop(key, {}) for key in RESERVED}
    return Words(
        form=form,
        screens={name: _screen(table) for name, table in tables.items()},
        common=reserved["common"],
        refused={key: template(text) for key, text in reserved["refused"].items()},
        sms={key: template(text) for key, text in reserved["sms"].items()},
        mail={key: template(text) for key, text in reserved["mail"].items()},
        terms=reserved["terms"],
        ways=_ways(form, reserved["terms"], names),
    )


def load_all(names: Names, folder: Path = LOCALES) -> Mapping[str, Words]:
    """The words of every form in `folder`, by form.

    Raises:
        Broken: with every fault of every file.
    """
    spoken: dict[str, Words] = {}
    faults: list[Fault] = []
    for form in FORMS:
        try:
            spoken[form] = load(form, text_of(folder / f"{form}.toml"), names)
        except Broken as broken:
            faults.extend(broken.faults)
    if faults:
        raise Broken(faults)
    return spoken


def renamed(words: Mapping[str, Words], names: Names) -> Mapping[str, Words]:
    """The same words with other names to say: those of another catalogue."""
    return {form: replace(spoken, ways=_ways(form, spoken.terms, names)) for form, spoken in words.items()}


def for_screens(words: Mapping[str, Words]) -> Mapping[str, Words]:
    """The words by what a screen can show: `bn` where it shows Unicode, `bn_Latn` where it does not, likewise `en`, `hi`.

    Where it shows Unicode, the language screen calls each language by its own name in its own letters.
    """
    own = {language: words[language].screens["languages"].options[language] for language in LANGUAGES}
    return {
        **words,
        **{language: _calling_languages(words[language], own) for language in LANGUAGES},
        "en_Latn": words["en"],
    }


def _calling_languages(words: Words, names: Mapping[str, Template]) -> Words:
    languages = replace(words.screens["languages"], options=names)
    return replace(words, screens={**words.screens, "languages": languages})


def template(source: str) -> Template:
    """A text taken apart at its placeholders; `ValueError` where one is neither `{name}` nor `{name:way}`."""
    lines_of_it = source.strip("\n").split("\n")
    return Template(source.strip("\n"), tuple(tuple(_parts(line)) for line in lines_of_it))


def _parts(line: str) -> Iterator[Part]:
    for text, name, way, conversion in string.Formatter().parse(line):
        if name is not None and (conversion or not name.isidentifier() or (way and not way.isidentifier())):
            raise ValueError(line)
        yield text, name or "", way or "text"


def file_of(form: str) -> str:
    """The locale file of a form, as people are told of it."""
    return f"menus/locales/{form}.toml"


def _fault(form: str, source: str, finding: Finding) -> Fault:
    line = line_of(finding.place, lines(source))
    return Fault(file_of(form), line, ".".join(finding.place), finding.problem, finding.right)


def _misshapen(tables: Mapping[str, Any]) -> Iterator[Finding]:
    """What a locale's tables have that nothing could be made of."""
    for name, table in tables.items():
        if not isinstance(table, dict):
            yield Finding((name,), "this is not a table", f"put it under a header such as [{name}]")
        elif name == "terms":
            yield from (finding for kind, terms in table.items() for finding in _terms(kind, terms))
        else:
            yield from _texts((name,), table)
            if name not in RESERVED and "text" not in table:
                yield Finding((name,), "this screen has no text", 'give it text = "…"')


def _terms(kind: str, terms: Any) -> Iterator[Finding]:
    if isinstance(terms, dict):
        yield from _texts(("terms", kind), terms)
    else:
        yield Finding(("terms", kind), "this is not a table", f"put it under a header such as [terms.{kind}]")


def _texts(place: tuple[str, ...], table: Mapping[str, Any]) -> Iterator[Finding]:
    for key, text in table.items():
        if not isinstance(text, str):
            yield Finding((*place, key), "this is not text", "put it in quotes")
            continue
        try:
            template(text)
        except ValueError:
            yield Finding((*place, key), "a placeholder cannot be read", "write each as {name} or {name:way}")


def _screen(table: Mapping[str, str]) -> ScreenWords:
    options = {key: template(text) for key, text in table.items() if key not in {"text", "row"}}
    row = template(table["row"]) if "row" in table else None
    return ScreenWords(template(table["text"]), row, options)


def _ways(form: str, terms: Mapping[str, Mapping[str, str]], names: Names) -> Mapping[str, Say]:
    ways: dict[str, Say] = {
        "text": lambda fact: "" if fact is None else str(fact),
        "date": lambda fact: _date(fact, form) if fact else "",
        "money": lambda fact: _money(fact, form) if fact else "",
        "count": lambda fact: "" if fact is None else _digits(str(fact), form),
        "tracking": lambda fact: " ".join((fact[:4], fact[4:8], fact[8:])) if fact else "",
        "list": lambda fact: ", ".join(one if isinstance(one, str) else _in_form(one, form) for one in fact or ()),
        "texts": lambda fact: _in_form(fact, form) if fact else "",
    }
    for kind, table in terms.items():
        ways[kind] = partial(_term, table, form)
    for kind, name in names.items():
        ways[kind] = partial(_name, name, form)
    return ways


def _in_form(texts: Mapping[str, str], form: str) -> str:
    """The text in this form, in the language's own script where there is no Latin one, else in English."""
    return texts.get(form) or texts.get(form.removesuffix("_Latn")) or texts.get("en", "")


def _term(table: Mapping[str, str], form: str, fact: Any) -> str:
    """A term by its key; a number that has none of its own by the term `many`."""
    if fact is None:
        return ""
    said = table.get(str(fact), table.get("many", "") if isinstance(fact, int) else "")
    return said.replace("{n}", _digits(str(fact), form))


def _name(name: Callable[[str, str], str], form: str, fact: Any) -> str:
    return name(fact, form) if fact else ""


def _money(fact: Any, form: str) -> str:
    minor, currency = fact
    major, rest = divmod(abs(minor), 100)
    grouped = _GROUPED.get(currency, "en") if form == "en" else _IN_LAKHS
    amount = format_decimal(major, locale=grouped) + (f".{rest:02}" if rest else "")
    sign = _SIGNS.get(form, _SIGNS["en"]).get(currency, f"{currency} ")
    return ("-" if minor < 0 else "") + sign + _digits(amount, form)


def _digits(text: str, form: str) -> str:
    """Digits as running text has them; what is to be typed back is always said in 0-9."""
    return text.translate(_BENGALI_DIGITS) if form == "bn" else text


@lru_cache(maxsize=4096)
def _date(day: str | date, form: str) -> str:
    when = date.fromisoformat(day) if isinstance(day, str) else day
    said = format_date(when, *_DATES.get(form, ("d MMM y", "en")))
    return _digits(said, form)
