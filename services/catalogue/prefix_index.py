"""A sorted index of texts: exact matches and prefix matches by binary search."""

from bisect import bisect_left
from collections.abc import Iterable
from typing import Final

CACHE_THRESHOLD: Final = 500  # positions; a result with at least as many is cached
_LAST_CHARACTER: Final = chr(0x10FFFF)


class PrefixIndex:
    """Pairs of a text and a position; a search returns positions."""

    def __init__(self, pairs: Iterable[tuple[str, int]]) -> None:
        ordered = sorted(set(pairs))
        self._texts = [text for text, _ in ordered]
        self._positions = [position for _, position in ordered]
        self._cache: dict[tuple[str, str], frozenset[int]] = {}

    def exact_matches(self, text: str) -> frozenset[int]:
        """The positions of exactly this text."""
        return self._positions_between(text, text + "\0")

    def prefix_matches(self, text: str) -> frozenset[int]:
        """The positions of texts that begin with this text."""
        return self._positions_between(text, text + _LAST_CHARACTER)

    def _positions_between(self, first: str, last: str) -> frozenset[int]:
        if (cached := self._cache.get((first, last))) is not None:
            return cached
        begin = bisect_left(self._texts, first)
        places = frozenset(self._positions[begin : bisect_left(self._texts, last, lo=begin)])
        if len(places) >= CACHE_THRESHOLD:
            self._cache[first, last] = places
        return places
