"""The words of `words.toml`: read once, refused where one means two things, and found by their one form."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import regex

from faults import Broken, Fault, Place, shown
from sms.keywords.spelling import tokens
from toml_lines import line_of, lines, tables_of, text_of

KEYWORDS = Path(__file__).parent / "words.toml"
WORDS = 3  # at most, in what is looked for as one

Name: TypeAlias = Literal[
    "status",
    "reg",
    "pin",
    "apply",
    "services",
    "documents",
    "complain",
    "feedback",
    "app",
    "menu",
    "lang",
    "refuse",
    "help",
    "stop",
    "start",
    "operator",
]
NAMES: tuple[Name, ...] = get_args(Name)
TABLES = (*NAMES, "greetings", "courtesies")
LANGUAGES, NOT_NAMES, NEAR = "languages", "not_names", "near"
ALL = (*TABLES, NOT_NAMES, LANGUAGES)


class Form(NamedTuple):
    """A way of writing words: of which language, in which letters, and these as a pattern."""

    language: str
    letters: str
    pattern: str


FORMS: Mapping[str, Form] = {
    "en": Form("en", "Latin letters", "[A-Za-z]+"),
    "bn": Form("bn", "Bengali letters", r"(?:(?!\p{Nd})[\p{Bengali}\u200C\u200D])+"),
    "hi": Form("hi", "Devanagari letters", r"(?:(?!\p{Nd})[\p{Devanagari}\u200C\u200D])+"),
    "bn_Latn": Form("bn", "Latin letters", "[A-Za-z]+"),
    "hi_Latn": Form("hi", "Latin letters", "[A-Za-z]+"),
}
ANY = Form("", "letters of one script", "|".join(FORMS[form].pattern for form in ("en", "bn", "hi")))
_bengali, _devanagari = (
    regex.compile(rf".*\p{{{script}}}", regex.DOTALL).match for script in ("Bengali", "Devanagari")
)


class Located(NamedTuple):
    """Something wrong at a place of the file, with the word it is about, or none."""

    place: Place
    written: str
    problem: str
    right: str


class Word(NamedTuple):
    """A word of the file: the table it is in, its language, and how it is written. `near` words are only suggested."""

    table: str
    language: str
    written: str
    near: bool = False


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words by their one form; the `table` of what a language is called is its code. No name has one of `not_names`."""

    words: Mapping[str, Word]
    languages: Mapping[str, Word]
    not_names: frozenset[str]

    def told(self, name: Name, language: str) -> str:
        """A keyword as people are told it in a language."""
        return next(it.written for it in self.words.values() if (it.table, it.language) == (name, language))


@cache
def known() -> Vocabulary:
    """The words of the gateway's own file.

    Raises:
        Broken: it cannot be used.
    """
    return load(KEYWORDS)


def load(path: Path) -> Vocabulary:
    """The words of a file.

    Raises:
        Broken: with every fault of it.
    """
    source = text_of(path)
    tables = tables_of(source, shown(path))
    found = list(_misshapen(tables)) or list(_clashes(tables))
    if found:
        raise Broken(_faults(shown(path), source, found))
    called = [Word(code, script_of(it), it) for _, code, it in _each(tables, (LANGUAGES,))]
    not_names = frozenset(phrase(it) for _, _, it in _each(tables, (NOT_NAMES,)))
    return Vocabulary(_words(tables), {phrase(it.written): it for it in called}, not_names)


def phrase(written: str) -> str:
    """The one form of up to `WORDS` words."""
    return " ".join(token.key for token in tokens(written))


def script_of(written: str) -> str:
    """The language whose script a word is in: `en` for Latin letters and for all others that no language of ours has."""
    return "bn" if _bengali(written) else "hi" if _devanagari(written) else "en"


def _words(tables: Mapping[str, Any]) -> Mapping[str, Word]:
    """What two languages write alike with Latin letters tells neither: its language is that of its script."""
    words: dict[str, Word] = {}
    for name, form, written in _each(tables, TABLES):
        key = phrase(written)
        language = "en" if key in words else FORMS[form].language if form in FORMS else script_of(written)
        words[key] = Word(name, language, words[key].written if key in words else written, near=form == NEAR)
    return words


def _clashes(tables: Mapping[str, Any]) -> Iterator[Located]:
    """Words that mean two things, or stand there twice."""
    for names in (TABLES, (NOT_NAMES,), (LANGUAGES,)):
        seen: dict[str, tuple[str, str, str]] = {}
        for name, form, written in _each(tables, names):
            means = form if name == LANGUAGES else name
            first = seen.get(key := phrase(written))
            if first is None:
                seen[key] = (means, form, written)
            elif first[0] != means:
                yield _located(name, form, written, f"means {first[0]} already", "leave it with one of them")
            elif {first[1], form} != {"bn_Latn", "hi_Latn"}:
                yield _located(name, form, written, f"is {first[2]!r} once more", "write it once")


def _each(tables: Mapping[str, Any], names: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    for name in names:
        for form, several in tables[name].items():
            for written in several:
                yield name, form, written


def _misshapen(tables: Mapping[str, Any]) -> Iterator[Located]:
    """What the tables have that nothing could be made of."""
    for name in tables:
        if name not in ALL:
            yield Located((name,), "", "no keyword is called so", f"choose from {', '.join(ALL)}")
    for name in ALL:
        yield from _table(name, tables.get(name))


def _table(name: str, table: Any) -> Iterator[Located]:
    if table is None:
        yield Located((name,), "", "this table is missing", f"write [{name}] with words in every form")
        return
    if not isinstance(table, dict):
        yield Located((name,), "", "this is not a table", f"put it under a header such as [{name}]")
        return
    forms = tuple(FORMS) if name != LANGUAGES else ("en", "bn", "hi")
    for form in forms:
        if not table.get(form):
            yield Located((name, form), "", "there are no words", 'write at least one, such as ["…"]')
    allowed = (*forms, NEAR) if name in NAMES else forms
    for form, several in table.items():
        if form not in allowed:
            yield Located((name, form), "", "no form is called so", f"choose from {', '.join(allowed)}")
        elif not isinstance(several, list) or not all(isinstance(one, str) for one in several):
            yield Located((name, form), "", "this is not a list of words", 'write it as ["…", "…"]')
        else:
            yield from _misspelt(name, form, several)


def _misspelt(name: str, form: str, several: list[str]) -> Iterator[Located]:
    _, letters, pattern = ANY if name == LANGUAGES or form == NEAR else FORMS[form]
    more, said = (
        (0, "one word") if name not in TABLES else (WORDS - 1, f"one to {WORDS} words, one blank between them,")
    )
    well = regex.compile(f"(?:{pattern})(?: (?:{pattern})){{0,{more}}}").fullmatch
    for written in several:
        if not well(written):
            yield _located(name, form, written, "cannot be used", f"write {said} in {letters}")


def _located(name: str, form: str, written: str, problem: str, right: str) -> Located:
    return Located((name, form), written, f"{written!r} {problem}", right)


def _faults(file: str, source: str, found: list[Located]) -> list[Fault]:
    at = lines(source)
    return sorted(
        Fault(file, _line(source, line_of(it.place, at), it.written), ".".join(it.place), it.problem, it.right)
        for it in found
    )


def _line(source: str, line: int, written: str) -> int:
    """The line from `line` on where a word stands in quotes; `line` itself where there is none."""
    if not written:
        return line
    below = source.split("\n")[line - 1 :]
    return next((line + more for more, text in enumerate(below) if f'"{written}"' in text), line)
