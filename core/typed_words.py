"""Compare words that people type: without differences of case, accents, nuktas and variants of a letter.

The work is bounded: sorting the accents of one long word takes time proportional to the square of its length.
"""

from typing import Final
from unicodedata import normalize

import regex

MAX_WORD_LENGTH: Final = 48
MAX_PHRASE_LENGTH: Final = 160

_ignored_marks = regex.compile(r"[\u0300-\u036F\u093C\u09BC\u0981\uFE00-\uFE0F\p{Cf}\p{Me}]")
_EQUIVALENT_LETTERS = str.maketrans({"ৰ": "র", "ৱ": "ব", "ँ": "ं"})
# Keypads compose these letters of two others; no Unicode normalization form treats both spellings alike.
_COMPOSED_LETTERS = {"ব\u09bc": "র", "অা": "আ", "अा": "आ", "अो": "ओ", "अौ": "औ", "एे": "ऐ"}
_find_composed = regex.compile("|".join(_COMPOSED_LETTERS))
_find_words = regex.compile(r"[\p{L}\p{M}\p{Nd}\p{Cf}]+").findall


def normalize_word(word: str) -> str:
    """The word without differences of case, accents, nuktas, invisible characters and variants of a letter."""
    if len(word) > MAX_WORD_LENGTH:
        return word[:MAX_WORD_LENGTH]
    decomposed = normalize("NFD", normalize("NFKC", word).casefold())
    composed = _find_composed.sub(lambda match: _COMPOSED_LETTERS[match[0]], decomposed)
    return normalize("NFC", _ignored_marks.sub("", composed).translate(_EQUIVALENT_LETTERS))


def split_words(text: str) -> list[str]:
    """The normalized words and numbers of the first MAX_PHRASE_LENGTH characters, without the signs between them."""
    return [word for word in map(normalize_word, _find_words(text[:MAX_PHRASE_LENGTH])) if word]
