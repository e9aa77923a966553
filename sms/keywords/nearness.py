"""Which keyword a misspelt word was meant to be: by how it sounds, and how many slips of a finger lie between.

How many may lie between was chosen over the misspellings and the ordinary sentences in `tests/sms/misspelt.py`;
`python -m bench.keywords` prints how many of the ones are told right, and of the others taken for a keyword.
"""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple, TypeAlias

import regex
from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from sms.keywords.vocabulary import NAMES, Vocabulary, Word, known, script_of

SLIPS = ((4, 0), (7, 1))
"""A word of fewer sounds than the first number may have so many slips at most, a longer one `MOST_SLIPS`."""
MOST_SLIPS = 2
LONG = 6  # sounds of a word that is known by its sound although there is a slip in it
SHORTEST, LONGEST = 3, 24  # characters of what is looked into
CODE = 3  # letters that a code of a language has at most, too few to be misspelt

Spelt: TypeAlias = tuple[tuple[regex.Pattern[str], str], ...]


class Near(NamedTuple):
    """A word that may have been meant, and how many slips lie between it and what was written.

    It is `close` where it sounds the same or, being long, nearly so: then what follows may be a sentence.
    """

    slips: int
    word: Word
    close: bool


def nearest(written: str) -> list[Near]:
    """The words that one word, or several without the blanks between, may be a misspelling of; best first."""
    if not SHORTEST <= len(written) <= LONGEST:
        return []
    sounding = sounds(written)
    most = next((slips for length, slips in SLIPS if len(sounding) < length), MOST_SLIPS)
    words = heard()[script_of(written)]
    found = extract(sounding, words.keys(), scorer=OSA.distance, score_cutoff=most, limit=None)
    near = [
        Near(int(slips), word, close=slips == 0 or (slips == 1 and max(len(sounding), len(sound)) >= LONG))
        for sound, slips, _ in found
        for word in words[sound]
    ]
    return sorted(near, key=lambda it: (it.slips, OSA.distance(written, it.word.written.casefold())))


def sounds(key: str) -> str:
    """A word's one form with letters that are heard, or mistaken, alike made one; `obhijog` and `ovijog` are the same."""
    for pattern, same in SAME[script_of(key)]:
        key = pattern.sub(same, key)
    return key


@cache
def heard() -> Mapping[str, Mapping[str, tuple[Word, ...]]]:
    """The keywords and what languages are called, by script and sound."""
    by_script: dict[str, dict[str, tuple[Word, ...]]] = {"en": {}, "bn": {}, "hi": {}}
    for key, word in _each(known()):
        words, sound = by_script[script_of(key)], sounds(key.replace(" ", ""))
        words[sound] = (*words.get(sound, ()), word)
    return by_script


def _each(vocabulary: Vocabulary) -> list[tuple[str, Word]]:
    """Every word that may be suggested; what languages are called is suggested for `lang`."""
    keywords = [(key, word) for key, word in vocabulary.words.items() if word.table in NAMES and not word.near]
    return keywords + [
        (key, word._replace(table="lang")) for key, word in vocabulary.languages.items() if len(key) > CODE
    ]


def _spelt(pairs: Mapping[str, str]) -> Spelt:
    return tuple((regex.compile(pattern), same) for pattern, same in pairs.items())


SAME: Mapping[str, Spelt] = {
    "en": _spelt(
        {
            "tion|shon": "sn",
            "ph": "f",
            "cs|z": "s",
            "ck|q": "k",
            "c(?=[eiy])": "s",
            "c(?!h)": "k",
            "x": "ks",
            "[vw]": "b",
            "(?<=[bcdgjkst])h": "",
            "ee|y": "i",
            "e$": "",
            "oo": "u",
            "[ao]+": "a",
            r"(\w)\1+": r"\1",
        }
    ),
    "bn": _spelt(
        {
            "ী": "ি",
            "ূ": "ু",
            "ঈ": "ই",
            "ঊ": "উ",
            "[ষস]": "শ",
            "ণ": "ন",
            "য": "জ",
            "ঙ্?": "ং",
            "ৎ": "ত",
            "[\\u09CDঃ]": "",
        }
    ),
    "hi": _spelt(
        {
            "ी": "ि",
            "ू": "ु",
            "ई": "इ",
            "ऊ": "उ",
            "[षश]": "स",
            "[णंञ]": "न",
            "ै": "े",
            "ऐ": "ए",
            "[ौॉ]": "ो",
            "व": "ब",
            "[\\u094Dः]": "",
        }
    ),
}
"""By script: what is replaced, in this order, before two words are compared."""
