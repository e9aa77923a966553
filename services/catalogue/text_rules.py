"""Rules for the texts of the catalogue: script, length, wording, and what a menu or the network would misread."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from core.gsm7 import count_septets
from core.languages import LANGUAGE_CODES, LATIN_LOCALES, Language, language_of_locale
from core.wording import find_wording_problems

TextProblem: TypeAlias = tuple[str, str]
"""A problem of a text, and its fix."""

_REPORTED_ALREADY = re.compile(r"[{}\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class TextLimit:
    """The maximum length of a kind of text: in Latin letters, and in Bengali or Devanagari."""

    latin: int
    unicode: int

    def for_language(self, language: str) -> int:
        """The maximum length in `language`."""
        return self.latin if language in LATIN_LOCALES else self.unicode


NAME_LIMIT = TextLimit(60, 60)
OPTION_LIMIT = TextLimit(28, 28)
LABEL_LIMIT = TextLimit(70, 45)
DOCUMENT_LIMIT = TextLimit(40, 40)

_ONE_LINE_FIX = "write it on one line, with one space between words and none at the ends"
_MISREAD_RULES: tuple[tuple[Callable[[str], object], str, str], ...] = (
    (lambda text: text != " ".join(text.split()), "has spaces or line breaks that a screen would waste", _ONE_LINE_FIX),
    (re.compile(r"[\x00-\x08\x0e-\x1b\x7f]").search, "has a control character", "remove it"),
    (
        re.compile(r"(?:CON|END)\b").match,
        "begins with CON or END, which tell the network to go on or hang up",
        "begin with another word",
    ),
    (re.compile(r"\d{1,2}(?:[.):]|\s|$)").match, "begins like a menu's own number", "begin with a word"),
    (re.compile(r"[{}]").search, "has a brace, which marks a placeholder", "write the words themselves"),
)


def check_texts(texts: Mapping[str, Any], limit: TextLimit) -> Iterator[tuple[str, TextProblem]]:
    """The problems of each language; values that are not text are left to `schema`."""
    for language, text in texts.items():
        if isinstance(text, str):
            for wrong in _check_text(language, text, limit.for_language(language)):
                yield language, wrong


def _check_text(language: str, text: str, max_length: int) -> Iterator[TextProblem]:
    if not text.strip():
        yield "is empty", "write the text, or leave a Latin form out"
        return
    if len(text) > max_length:
        yield f"has {len(text)} characters", f"write at most {max_length}, so that it fits a phone's screen"
    for misread, problem, right in _MISREAD_RULES:
        if misread(text):
            yield problem, right
    yield from find_wording_problems(language, text)
    if language in LATIN_LOCALES:
        yield from _check_gsm7(text)
    elif language in LANGUAGE_CODES:
        yield from _check_script(language_of_locale(language), text)


def _check_gsm7(text: str) -> Iterator[TextProblem]:
    rest = _REPORTED_ALREADY.sub("", text)
    if count_septets(rest) != len(rest):
        foreign = "".join(dict.fromkeys(character for character in rest if count_septets(character) != 1))
        yield f"has {foreign!r}, which is not in the GSM-7 basic alphabet", "use plain letters, digits and . , ' - ( )"


def _check_script(language: Language, text: str) -> Iterator[TextProblem]:
    if not language.is_used_in(text):
        yield f"has no {language.name} letter", f"write it in {language.name} script"
