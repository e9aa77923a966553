"""Split an SMS into words and numbers, each in a normalized form.

The work is bounded: at most MAX_TOKENS tokens of a text, and MAX_WORD_LENGTH characters of a word. Sorting the accents of
one long word takes time proportional to the square of its length.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple
from unicodedata import normalize

import regex

from core.typed_input import extract_digits

MAX_TOKENS: Final = 64
MAX_WORD_LENGTH: Final = 48

_find_tokens = regex.compile(
    r"(?P<digits>\p{Nd}[\p{Nd}\p{Cf}\uFE0F\u20E3]*) | (?P<word>[\p{L}\p{M}\p{Cf}]+|(?<!\w)\+\p{Nd}+) | (?P<line>\r\n|[\n\r\u2028\u2029])",
    regex.VERBOSE,
).finditer
_ignored_marks = regex.compile(r"[\u0300-\u036F\u093C\u09BC\u0981\uFE00-\uFE0F\p{Cf}\p{Me}]")
_EQUIVALENT_LETTERS = str.maketrans({"ৰ": "র", "ৱ": "ব", "ँ": "ं"})
# Keypads compose these letters of two others; no Unicode normalization form treats both spellings alike.
_COMPOSED_LETTERS = {"ব\u09bc": "র", "অা": "আ", "अा": "आ", "अो": "ओ", "अौ": "औ", "एे": "ऐ"}
_find_composed = regex.compile("|".join(_COMPOSED_LETTERS))
_BIJOY = str.maketrans("অইঈউঊঋএঐওঔকখগঘঙচছজঝঞটঠডঢণত", "abcdefghijklmnopqrstuvwxyz")
_LOOKALIKE_DIGITS = str.maketrans("oil", "011")


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


def normalize_word(word: str) -> str:
    """The word without differences of case, accents, nuktas, invisible characters and variants of a letter."""
    if len(word) > MAX_WORD_LENGTH:
        return word[:MAX_WORD_LENGTH]
    decomposed = normalize("NFD", normalize("NFKC", word).casefold())
    composed = _find_composed.sub(lambda match: _COMPOSED_LETTERS[match[0]], decomposed)
    return normalize("NFC", _ignored_marks.sub("", composed).translate(_EQUIVALENT_LETTERS))


def read_lookalike_digits(key: str) -> str:
    """The digits that the letters of a word look like (`Ol` is 01); empty where a letter looks like none."""
    return key.translate(_LOOKALIKE_DIGITS) if key and not key.strip("oil") else ""


def undo_bijoy(key: str) -> str:
    """The Latin letters that a converter from the Bijoy keyboard layout turned into Bengali: SSC arrives as ঝঝঈ."""
    return key.translate(_BIJOY)
