"""Finding services by what people call them, in any language and script that they have a name in.

It costs the same for ten services and ten thousand, or nearly: words are looked up, and only one that nothing begins with
is compared with all words there are.
"""

import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from rapidfuzz import fuzz, process

from services.catalogue.model import Catalogue, Texts

MOST: Final = 8  # services: more than anybody reads in one SMS
MOST_WORDS: Final = 6  # that are looked at of what was typed
ALIKE: Final = 72  # of 100: a letter or two of a word are wrong
NEAREST: Final = 3  # words that a misspelt one may be
SHORTEST: Final = 4  # letters of a word, below which everything is alike


class Search:
    """Every word of every name of every service, and which names it stands in."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._codes: list[str] = []  # by name, services in the order of their numbers
        self._names: defaultdict[str, set[int]] = defaultdict(set)
        for service in sorted(catalogue.services.values(), key=lambda service: service.number):
            self._learn(service.code, service.names)
        self._words = sorted(self._names)

    def __call__(self, typed: str) -> Sequence[str]:
        """Codes of at most MOST services that have every word typed, or its beginning, in one name."""
        words = list(islice(_words(typed), MOST_WORDS))
        if not words:
            return ()
        names = set.intersection(*(self._with(self._begun_by(word) or self._like(word)) for word in words))
        return list(dict.fromkeys(self._codes[name] for name in sorted(names)))[:MOST]

    def _learn(self, code: str, names: Texts) -> None:
        for name in names.values():
            for word in _words(name):
                self._names[word].add(len(self._codes))
            self._codes.append(code)

    def _with(self, words: Sequence[str]) -> set[int]:
        return set().union(*(self._names[word] for word in words))

    def _begun_by(self, word: str) -> Sequence[str]:
        first = bisect_left(self._words, word)
        return self._words[first : bisect_left(self._words, word + chr(0x10FFFF), lo=first)]

    def _like(self, word: str) -> Sequence[str]:
        if len(word) < SHORTEST:
            return ()
        near = process.extract(word, self._words, scorer=fuzz.ratio, score_cutoff=ALIKE, limit=NEAREST)
        return [known for known, _, _ in near]


def _words(text: str) -> Iterator[str]:
    """Words without case and punctuation, each character in its one usual form."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    kept = (character if unicodedata.category(character)[0] in "LMN" else " " for character in folded)
    yield from "".join(kept).split()
