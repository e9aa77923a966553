"""What of a text's writing makes no difference to what is asked: its words and numbers, each in one form.

All of it is bounded: a text is looked through once, `MOST` words of it are taken, and no more than `LONGEST` characters
of a word: to put a long row of accents into order takes the square of its length.
"""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple
from unicodedata import digit, normalize

import regex

MOST = 64
LONGEST = 48

_token = regex.compile(
    r"(?P<digits>\p{Nd}[\p{Nd}\p{Cf}\uFE0F\u20E3]*) | (?P<word>[\p{L}\p{M}\p{Cf}]+|(?<!\w)\+\p{Nd}+) | (?P<line>\r\n|[\n\r\u2028\u2029])",
    regex.VERBOSE,
).finditer
_unseen = regex.compile(r"[\u0300-\u036F\u093C\u09BC\u0981\uFE00-\uFE0F\p{Cf}\p{Me}]")
_ALIKE = str.maketrans({"ৰ": "র", "ৱ": "ব", "ँ": "ं"})
_PUT_TOGETHER = {"ব\u09bc": "র", "অা": "আ", "अा": "आ", "अो": "ओ", "अौ": "औ", "एे": "ऐ"}
"""Letters that keypads make of two others, which no normalisation form knows for the same."""
_together = regex.compile("|".join(_PUT_TOGETHER)).sub
_BIJOY = str.maketrans("অইঈউঊঋএঐওঔকখগঘঙচছজঝঞটঠডঢণত", "abcdefghijklmnopqrstuvwxyz")
_LIKE_DIGITS = str.maketrans("oil", "011")


class Token(NamedTuple):
    """A word in its one form, or a number in 0-9: where it stands in the text, and on which line, from 0."""

    key: str
    start: int
    end: int
    line: int
    is_number: bool


def tokens(text: str) -> tuple[Token, ...]:
    """The first words and numbers of a text, what stands between them left out; a + before a number makes it a word."""
    return tuple(islice(_tokens(text), MOST))


def _tokens(text: str) -> Iterator[Token]:
    line = 0
    for found in _token(text):
        kind, written = str(found.lastgroup), found[0]
        if kind == "line":
            line += 1
        elif key := digits(written) if kind == "digits" else key_of(written):
            yield Token(key, found.start(), found.end(), line, kind == "digits")


def digits(written: str) -> str:
    """The digits of whatever script in it as 0-9, and nothing else of it."""
    return "".join(str(value) for value in (digit(character, -1) for character in written) if value >= 0)


def key_of(word: str) -> str:
    """The one form of a word: case, accents, nuktas, invisible characters and forms of one letter make no difference."""
    if len(word) > LONGEST:
        return word[:LONGEST]
    apart = normalize("NFD", normalize("NFKC", word).casefold())
    whole = _together(lambda found: _PUT_TOGETHER[found[0]], apart)
    return normalize("NFC", _unseen.sub("", whole).translate(_ALIKE))


def as_digits(key: str) -> str:
    """A word of letters that are mistaken for digits as those digits (`Ol` is 01); empty where it has any other."""
    return key.translate(_LIKE_DIGITS) if key and not key.strip("oil") else ""


def from_bijoy(key: str) -> str:
    """What was typed as Latin capitals and made Bengali on the way, as those letters.

    Converters from the Bijoy layout do so to the capitals of a text that was never in it: SSC arrives as ঝঝঈ.
    """
    return key.translate(_BIJOY)
