"""Words as people write them in whatever script, as they sound, and as a phone's keys spell them.

What a word sounds like is its consonants: জন্ম, जन्म, "jonmo" and "janam" are one, and so are লাইসেন্স, "licence" and
"lisens". It is no transliteration of anything, and is never shown.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from anyascii import anyascii

SHORTEST_SOUND: Final = 3  # consonants, below which too many words sound alike
MOST_MET: Final = 10_000  # different characters that are kept in mind: no names have more
KEYS: Final = str.maketrans("abcdefghijklmnopqrstuvwxyz", "22233344455566677778889999")
"""The key of a phone on which each letter stands."""

_NASALS: Final = str.maketrans(dict.fromkeys("ংঁंँ", "n"))
_ALIKE: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(written), heard)
    for written, heard in (
        (r"[^a-z0-9]", ""),
        (r"^y", "j"),
        (r"ch|c(?=[eiy])", "s"),
        (r"(?<=.)h", ""),
        (r"[ckq]+", "k"),
        (r"x", "ks"),
        (r"[fp]+", "p"),
        (r"[vw]", "b"),
        (r"z", "j"),
        (r"ng", "n"),
        (r"^[aeiou]+", "A"),
        (r"[aeiouy]", ""),
        (r"(.)\1+", r"\1"),
    )
)
"""What is written differently and heard alike, in this order."""


class _Kept(dict[int, str]):
    """What each character is in a word, worked out when it is first met: a letter, a digit 0-9, or a space."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        kept = character if unicodedata.category(character)[0] in "LMN" else " "
        kept = str(unicodedata.decimal(character)) if character.isdecimal() else kept
        if len(self) < MOST_MET:
            self[code] = kept
        return kept


_KEPT: Final = _Kept()


def words_of(text: str) -> Sequence[str]:
    """Words without case and punctuation, each character in its one usual form, digits as 0-9."""
    return unicodedata.normalize("NFKC", text).casefold().translate(_KEPT).split()


@lru_cache(maxsize=4096)
def latin(word: str) -> str:
    """A word in the letters of a simple phone, about as it is read."""
    if word.isascii():
        return word
    # What anyascii writes as c is a ch: that is how people write it.
    return anyascii(word.translate(_NASALS)).casefold().replace("c", "ch")


@lru_cache(maxsize=4096)
def sound(word: str) -> str:
    """What a word sounds like; empty where that is too little to know it by, or a number."""
    if word.isdigit():
        return ""
    heard = latin(word)
    for written, alike in _ALIKE:
        heard = written.sub(alike, heard)
    return heard if len(heard) >= SHORTEST_SOUND else ""


def keyed(word: str) -> str:
    """The digits that a phone's keys spell a word with; empty where it is not in Latin letters."""
    return word.translate(KEYS) if word.isascii() else ""
