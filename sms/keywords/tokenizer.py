"""Split an SMS into words and numbers, each in a normalized form.

The work is bounded: at most MAX_TOKENS tokens of a text; `core.typed_words` normalizes no more than the beginning of a word.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple

import regex

from core.typed_input import extract_digits
from core.typed_words import normalize_word

MAX_TOKENS: Final = 64

_find_tokens = regex.compile(
    r"(?P<digits>\p{Nd}[\p{Nd}\p{Cf}\uFE0F\u20E3]*) | (?P<word>[\p{L}\p{M}\p{Cf}]+|(?<!\w)\+\p{Nd}+) | (?P<line>\r\n|[\n\r\u2028\u2029])",
    regex.VERBOSE,
).finditer
_BIJOY = str.maketrans("অইঈউঊঋএঐওঔকখগঘঙচছজঝঞটঠডঢণত", "abcdefghijklmnopqrstuvwxyz")


class Token(NamedTuple):
    """A word in its normalized form, or a number in the digits 0-9; its indexes in the text; its line, counted from 0."""

    key: str
    start: int
    end: int
    line: int
    is_number: bool


def tokenize(text: str) -> tuple[Token, ...]:
    """The first words and numbers of a text, without the characters between them. A number after a `+` is a word."""
    return tuple(islice(_iterate_tokens(text), MAX_TOKENS))


def _iterate_tokens(text: str) -> Iterator[Token]:
    line = 0
    for match in _find_tokens(text):
        kind, written = str(match.lastgroup), match[0]
        if kind == "line":
            line += 1
        elif key := extract_digits(written) if kind == "digits" else normalize_word(written):
            yield Token(key, match.start(), match.end(), line, kind == "digits")


def undo_bijoy(key: str) -> str:
    """The Latin letters that a converter from the Bijoy keyboard layout turned into Bengali: SSC arrives as ঝঝঈ."""
    return key.translate(_BIJOY)
