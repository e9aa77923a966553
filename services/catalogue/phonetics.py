"""Words in any script: normalised, in Latin letters, by sound, and as keypad digits.

The phonetic key of a word is its consonants: জন্ম, जन्म, "jonmo" and "janam" have the same, and so have লাইসেন্স, "licence"
and "lisens". It is not a transliteration, and is never shown.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import regex
from anyascii import anyascii

MIN_SOUND_LENGTH: Final = 3  # consonants; with fewer, too many words sound alike
MAX_CACHED_CHARACTERS: Final = 10_000  # distinct characters in the cache: more than all names have
KEYPAD: Final = str.maketrans("abcdefghijklmnopqrstuvwxyz", "22233344455566677778889999")
"""The keypad digit of each letter."""

_join_abbreviation: Final = regex.compile(
    r"(?<![\p{L}\p{M}\p{N}])(?:\p{L}\p{M}*+\.)++(?:\p{L}\p{M}*+)?(?![\p{L}\p{M}\p{N}])"
).sub
_NASALS: Final = str.maketrans(dict.fromkeys("ংঁंँ", "n"))
_SOUND_RULES: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(spelling), sounds)
    for spelling, sounds in (
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
"""Spellings that sound alike, applied in this order."""


class _CharacterCache(dict[int, str]):
    """Caches what each character becomes in a word: a letter, a digit 0-9, a space, or nothing if it is invisible."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        category = unicodedata.category(character)
        normalized = character if category[0] in "LMN" else "" if category == "Cf" else " "
        normalized = str(unicodedata.decimal(character)) if character.isdecimal() else normalized
        if len(self) < MAX_CACHED_CHARACTERS:
            self[code] = normalized
        return normalized


_CHARACTERS: Final = _CharacterCache()


def split_words(text: str) -> Sequence[str]:
    """The words of a text: case-folded, without punctuation, characters normalised (NFKC), digits as 0-9.

    An abbreviation with dots, such as P.A.N., is one word.
    """
    text = _join_abbreviation(lambda match: match[0].replace(".", ""), text) if "." in text else text
    return unicodedata.normalize("NFKC", text).casefold().translate(_CHARACTERS).split()


@lru_cache(maxsize=4096)
def to_latin(word: str) -> str:
    """A word in Latin letters, roughly as it is read."""
    if word.isascii():
        return word
    # anyascii writes c where people write ch.
    return anyascii(word.translate(_NASALS)).casefold().replace("c", "ch")


@lru_cache(maxsize=4096)
def phonetic_key(word: str) -> str:
    """The phonetic key of a word; empty for a number, and where the key would be too short to be useful."""
    if word.isdigit():
        return ""
    sounds = to_latin(word)
    for spelling, replacement in _SOUND_RULES:
        sounds = spelling.sub(replacement, sounds)
    return sounds if len(sounds) >= MIN_SOUND_LENGTH else ""


def keypad_digits(word: str) -> str:
    """The keypad digits of a word; empty if it is not in Latin letters."""
    return word.translate(KEYPAD) if word.isascii() else ""
