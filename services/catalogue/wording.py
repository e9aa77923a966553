"""Whether a text of the catalogue can be shown and said: its letters, its length, and what a menu would misread."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from screens.alphabet import septets

LATIN_LANGUAGES = frozenset({"en", "bn_Latn", "hi_Latn"})
_LETTERS_OF = {"bn": ("Bengali", re.compile("[\u0980-\u09ff]")), "hi": ("Hindi", re.compile("[\u0900-\u097f]"))}

Wrong: TypeAlias = tuple[str, str]
"""What is wrong with a text, and what would be right."""

_TOLD_ALREADY = re.compile(r"[{}\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Room:
    """How many characters a kind of text may have: in Latin letters, and in Bengali or Devanagari."""

    latin: int
    unicode: int

    def of(self, language: str) -> int:
        """The most characters in `language`."""
        return self.latin if language in LATIN_LANGUAGES else self.unicode


NAME = Room(60, 60)
OPTION = Room(28, 28)
LABEL = Room(70, 45)
PAPER = Room(40, 40)

_ONE_LINE = "write it on one line, with one space between words and none at the ends"
_MISREAD: tuple[tuple[Callable[[str], object], str, str], ...] = (
    (lambda text: text != " ".join(text.split()), "has spaces or line breaks that a screen would waste", _ONE_LINE),
    (re.compile(r"[\x00-\x08\x0e-\x1b\x7f]").search, "has a control character", "remove it"),
    (
        re.compile(r"(?:CON|END)\b").match,
        "begins with CON or END, which tell the network to go on or hang up",
        "begin with another word",
    ),
    (re.compile(r"\d{1,2}(?:[.):]|\s|$)").match, "begins like a menu's own number", "begin with a word"),
    (re.compile(r"[{}]").search, "has a brace, which marks a placeholder", "write the words themselves"),
)


def faults(texts: Mapping[str, Any], room: Room) -> Iterator[tuple[str, Wrong]]:
    """Every language whose text is wrong, with what is; what is not text at all is left to `written`."""
    for language, text in texts.items():
        if isinstance(text, str):
            for wrong in _wrong(language, text, room.of(language)):
                yield language, wrong


def _wrong(language: str, text: str, most: int) -> Iterator[Wrong]:
    if not text.strip():
        yield "is empty", "write the text, or leave a Latin form out"
        return
    if len(text) > most:
        yield f"has {len(text)} characters", f"write at most {most}, so that it fits a phone's screen"
    for misread, problem, right in _MISREAD:
        if misread(text):
            yield problem, right
    if language in LATIN_LANGUAGES:
        yield from _outside_gsm(text)
    elif language in _LETTERS_OF:
        yield from _other_script(language, text)


def _outside_gsm(text: str) -> Iterator[Wrong]:
    rest = _TOLD_ALREADY.sub("", text)
    if septets(rest) != len(rest):
        foreign = "".join(dict.fromkeys(character for character in rest if septets(character) != 1))
        yield f"has {foreign!r}, which is not in the GSM-7 basic alphabet", "use plain letters, digits and . , ' - ( )"


def _other_script(language: str, text: str) -> Iterator[Wrong]:
    script, letters = _LETTERS_OF[language]
    if not letters.search(text):
        yield f"has no {script} letter", f"write it in {script} script"
