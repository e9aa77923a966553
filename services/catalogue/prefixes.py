"""Texts in order, and what each stands in: all that begin with some letters are found by halving, and lie side by side."""

from bisect import bisect_left
from collections.abc import Iterable
from typing import Final

MANY: Final = 500  # places, from which on a set is kept for the next who asks
_LAST: Final = chr(0x10FFFF)


class Prefixes:
    """Pairs of a text and the number of what it stands in."""

    def __init__(self, pairs: Iterable[tuple[str, int]]) -> None:
        ordered = sorted(set(pairs))
        self._texts = [text for text, _ in ordered]
        self._places = [place for _, place in ordered]
        self._large: dict[tuple[str, str], frozenset[int]] = {}

    def equal(self, text: str) -> frozenset[int]:
        """Where exactly this text stands."""
        return self._between(text, text + "\0")

    def begun(self, text: str) -> frozenset[int]:
        """Where something stands that begins with it."""
        return self._between(text, text + _LAST)

    def _between(self, first: str, last: str) -> frozenset[int]:
        if (kept := self._large.get((first, last))) is not None:
            return kept
        begin = bisect_left(self._texts, first)
        places = frozenset(self._places[begin : bisect_left(self._texts, last, lo=begin)])
        if len(places) >= MANY:
            self._large[first, last] = places
        return places
