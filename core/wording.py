"""Rules of wording for every text that people read: one word for one thing, one spelling, no danda behind a digit.

The words are in `wording.toml`.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias
from unicodedata import normalize

import regex

from core.toml_source import parse_toml, read_utf8

WORDING_FILE: Final = Path(__file__).with_suffix(".toml")
WordingProblem: TypeAlias = tuple[str, str]
"""A problem of a text, and its fix."""

_PROBLEMS: Final[Mapping[str, str]] = {
    "words": "is another word for {use!r}",
    "spellings": "is another spelling of {use!r}",
    "endings": "has an ending without its hyphen",
}
_LETTER = r"[\p{L}\p{M}\p{Nd}]"
_find_danda = regex.compile(r"\p{Nd}\s*।").search


class WordRule(NamedTuple):
    """The word to use, a pattern of those it replaces, and a pattern of the phrases in which those are right."""

    use: str
    problem: str
    refused: regex.Pattern[str]
    allowed: regex.Pattern[str] | None


def find_wording_problems(locale_code: str, text: str) -> Iterator[WordingProblem]:
    """The problems of a text in a locale. Where a number will be inserted, `text` has a digit."""
    written = normalize("NFC", text)
    if _find_danda(written):
        yield "has a danda behind a digit, which reads as one more digit", "end with another word, or write two lines"
    for rule in load_word_rules().get(locale_code, ()):
        checked = rule.allowed.sub("", written) if rule.allowed else written
        for word in dict.fromkeys(found[0] for found in rule.refused.finditer(checked)):
            yield f"{word!r} {rule.problem}", f"write {rule.use}"


@cache
def load_word_rules() -> Mapping[str, tuple[WordRule, ...]]:
    """The rules of `wording.toml` by locale.

    Raises:
        ValidationFailedError: the file cannot be read.
    """
    rules: dict[str, tuple[WordRule, ...]] = {}
    for kind, by_locale in parse_toml(read_utf8(WORDING_FILE), WORDING_FILE.name).items():
        for code, tables in by_locale.items():
            rules[code] = (*rules.get(code, ()), *(_build_rule(kind, table) for table in tables))
    return rules


def _build_rule(kind: str, table: Mapping[str, Any]) -> WordRule:
    allowed = _compile_words(table["except"]) if "except" in table else None
    return WordRule(table["use"], _PROBLEMS[kind].format(use=table["use"]), _compile_words(table["not"]), allowed)


def _compile_words(words: list[str]) -> regex.Pattern[str]:
    alternatives = "|".join(regex.escape(normalize("NFC", word)) for word in sorted(words, key=len, reverse=True))
    return regex.compile(rf"(?<!{_LETTER})(?:{alternatives})(?!{_LETTER})", regex.IGNORECASE)
