"""Searches things by name: in any script, by the beginning of words, misspelt, by sound, or by keypad digits.

A search costs about the same for ten services and ten thousand: words are looked up in indexes, and only a word without a
match is compared with words of similar length.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from itertools import chain, islice
from typing import Final, NamedTuple

from rapidfuzz import fuzz, process

from core.types import Translations
from services.catalogue.phonetics import keypad_digits, phonetic_key, split_words, to_latin
from services.catalogue.prefix_index import CACHE_THRESHOLD, PrefixIndex

MAX_RESULTS: Final = 8  # more than anyone reads in one SMS
MAX_WORDS: Final = 8  # words of a query that are used
MAX_NAME_WORDS, MIN_NAME_LENGTH = (
    5,
    3,
)  # words, and letters of a word, of a text that is a name without anybody asking for one
MIN_KEYPAD_DIGITS: Final = 2  # digits that count as keypad input
MIN_SIMILARITY: Final = 72  # of 100; allows one or two wrong letters in a word
MAX_SIMILAR_WORDS: Final = 3  # similar words for one misspelt word
MIN_FUZZY_LENGTH: Final = 4  # letters; shorter words are too similar to each other
# A word in more than a tenth of all things, and in more than five, says little about any of them.
COMMON_FRACTION, MIN_COMMON = 10, 5
MAX_LENGTH_DIFFERENCE: Final = 2  # letters between similar words

_EMPTY: Final[frozenset[int]] = frozenset()


class SearchResult(NamedTuple):
    """The codes of the results, best first, and whether there are more than MAX_RESULTS."""

    codes: Sequence[str]
    has_more: bool = False


class NameSearch:
    """Indexes of the names of a number of things, given as pairs of a code and its names."""

    def __init__(self, named: Iterable[tuple[str, Translations]]) -> None:
        things = list(named)
        self._codes = [code for code, _ in things]
        self._positions = {code: position for position, code in enumerate(self._codes)}
        self._common_threshold = max(len(things) // COMMON_FRACTION, MIN_COMMON)
        names = [(position, split_words(name)) for position, (_, texts) in enumerate(things) for name in texts.values()]
        positions_by_word = _positions_by_word(names)
        self._full_names = PrefixIndex((" ".join(words), position) for position, words in names)
        self._words = PrefixIndex(_expand_forms(positions_by_word, lambda word: {word, to_latin(word)}))
        self._phonetic_words = PrefixIndex(_expand_forms(positions_by_word, lambda word: {phonetic_key(word)} - {""}))
        self._keypad_words = PrefixIndex(_expand_forms(positions_by_word, lambda word: {keypad_digits(word)} - {""}))
        self._keypad_names = PrefixIndex(
            (keys, position) for position, words in names for keys in _keypad_suffixes(words)
        )
        self._words_by_length = _group_by_length(positions_by_word)

    def __call__(self, query: str, preferred: Sequence[str] = ()) -> SearchResult:
        """The best results for `query`; equally good ones in the order of `preferred`, then in the order of the index."""
        words = split_words(query)[:MAX_WORDS]
        if not words:
            return SearchResult([])
        positions: dict[int, None] = {}
        for found in self._match_keypad(words) if _is_keypad_input(words) else self._match_words(words):
            positions.update(dict.fromkeys(self._select_best(found, positions, preferred)))
            if len(positions) > MAX_RESULTS:
                break
        return SearchResult(
            [self._codes[position] for position in islice(positions, MAX_RESULTS)], len(positions) > MAX_RESULTS
        )

    def is_name(self, text: str, *, by_sound: bool = True) -> bool:
        """Whether a text of few words has only words of names, and one that few things have: `birth certificate`.

        With `by_sound` a word of several may be alike in sound (`jonmo sonod`); one alone counts only as it is written.
        """
        words = split_words(text)
        if not words or len(words) > MAX_NAME_WORDS or _is_keypad_input(words):
            return False
        named = [self._words.exact_matches(word) for word in words]
        if by_sound and len(words) > 1:
            named = _pairwise_union(named, map(self._match_sound, words))
        return min(map(len, named)) > 0 and any(
            len(positions) <= self._common_threshold and len(word) >= MIN_NAME_LENGTH
            for word, positions in zip(words, named, strict=True)
        )

    def _match_words(self, words: Sequence[str]) -> Iterable[frozenset[int]]:
        """Full names, then names with every word or its beginning; without those, by sound; without those, similar spellings."""
        whole, by_beginning = (
            [self._words.exact_matches(word) for word in words],
            [self._words.prefix_matches(word) for word in words],
        )
        yield self._full_names.exact_matches(" ".join(words))
        yield _intersection(whole)
        yield _intersection(by_beginning)
        if not _intersection(by_beginning):
            by_sound = [self._match_sound(word) for word in words]
            yield _intersection(_pairwise_union(whole, by_sound))
            yield _intersection(by_beginning := _pairwise_union(by_beginning, by_sound))
        if not _intersection(by_beginning):
            near = [positions for positions in map(self._or_similar, by_beginning, words) if positions]
            near = [positions for positions in near if len(positions) < self._common_threshold] or near
            yield (_intersection(near) or _most_frequent(near)) if near else _EMPTY

    def _match_keypad(self, groups: Sequence[str]) -> Iterable[frozenset[int]]:
        """Names with a word on these keys, then names that begin with them; 0 is the key for a space."""
        if len(groups) == 1:
            yield self._keypad_words.exact_matches(groups[0])
            yield self._keypad_names.prefix_matches(groups[0])
            groups = groups[0].split("0")
        if len(groups) > 1 and all(len(group) >= MIN_KEYPAD_DIGITS for group in groups):
            yield _intersection(self._keypad_names.prefix_matches(group) for group in groups)

    def _match_sound(self, word: str) -> frozenset[int]:
        key = phonetic_key(word)
        return self._phonetic_words.exact_matches(key) if key else _EMPTY

    def _or_similar(self, positions: frozenset[int], word: str) -> frozenset[int]:
        """The positions of a word, or of similar words if it has none."""
        if positions or len(word) < MIN_FUZZY_LENGTH:
            return positions
        known = self._words_by_length.get((word.isascii(), len(word)), ())
        near = process.extract(word, known, scorer=fuzz.ratio, score_cutoff=MIN_SIMILARITY, limit=MAX_SIMILAR_WORDS)
        return frozenset().union(*(self._words.exact_matches(other) for other, _, _ in near))

    def _select_best(self, found: frozenset[int], known: Container[int], preferred: Sequence[str]) -> Iterable[int]:
        """At most MAX_RESULTS + 1 of the results that are not known yet, in order; it stops early for a large set."""
        ahead = (self._positions.get(code, -1) for code in preferred) if found else ()
        in_order = range(len(self._codes)) if len(found) >= CACHE_THRESHOLD else sorted(found)
        best = (position for position in chain(ahead, in_order) if position in found and position not in known)
        return islice(dict.fromkeys(islice(best, 2 * (MAX_RESULTS + 1))), MAX_RESULTS + 1)


def _is_keypad_input(words: Sequence[str]) -> bool:
    digits = "".join(words)
    return digits.isascii() and digits.isdigit() and len(digits) >= MIN_KEYPAD_DIGITS


def _keypad_suffixes(words: Sequence[str]) -> Iterable[str]:
    """The keypad digits of a name, from each of its words on, without separators."""
    keys = [keypad_digits(word) for word in words]
    return ("".join(keys[begin:]) for begin in range(len(keys)) if keys[begin])


def _positions_by_word(names: Iterable[tuple[int, Sequence[str]]]) -> Mapping[str, set[int]]:
    """The positions of each word."""
    positions_by_word: defaultdict[str, set[int]] = defaultdict(set)
    for position, words in names:
        for word in words:
            positions_by_word[word].add(position)
    return positions_by_word


def _expand_forms(
    positions_by_word: Mapping[str, set[int]], forms: Callable[[str], set[str]]
) -> Iterable[tuple[str, int]]:
    """The forms of each word with the positions of the word."""
    return (
        (form, position)
        for word, positions in positions_by_word.items()
        for form in forms(word)
        for position in positions
    )


def _group_by_length(words: Iterable[str]) -> Mapping[tuple[bool, int], Sequence[str]]:
    """The words that a misspelt word of this script and length is compared with.

    Numbers are left out: another number is not a misspelling.
    """
    lengths: defaultdict[tuple[bool, int], list[str]] = defaultdict(list)
    for word in sorted(words):
        if not word.isdigit():
            for length in range(len(word) - MAX_LENGTH_DIFFERENCE, len(word) + MAX_LENGTH_DIFFERENCE + 1):
                lengths[word.isascii(), length].append(word)
    return lengths


def _pairwise_union(
    first_sets: Iterable[frozenset[int]], second_sets: Iterable[frozenset[int]]
) -> list[frozenset[int]]:
    return [one | other for one, other in zip(first_sets, second_sets, strict=True)]


def _intersection(sets: Iterable[frozenset[int]]) -> frozenset[int]:
    """The intersection, smallest set first, which is fastest."""
    return frozenset.intersection(*sorted(sets, key=len))


def _most_frequent(sets: Sequence[frozenset[int]]) -> frozenset[int]:
    """The positions that are in the largest number of sets."""
    counts = Counter(chain.from_iterable(sets))
    most = max(counts.values())
    return frozenset(position for position, count in counts.items() if count == most)
