"""Finding things by what people call them: in any script they have a name in, begun, misspelt, by ear, or by keypad digits.

It costs about the same for ten services and ten thousand: words are looked up, and only what nothing begins with and
nothing sounds like is compared with words of about its length.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from itertools import chain, islice
from typing import Final, NamedTuple

from rapidfuzz import fuzz, process

from services.catalogue.model import Texts
from services.catalogue.prefixes import MANY, Prefixes
from services.catalogue.sounds import keyed, latin, sound, words_of

MOST: Final = 8  # of what is found: more than anybody reads in one SMS
MOST_WORDS: Final = 8  # that are looked at of what was typed
LEAST_KEYS: Final = 2  # digits that are taken for the keys of a name
ALIKE: Final = 72  # of 100: a letter or two of a word are wrong
NEAREST: Final = 3  # words that a misspelt one may be
SHORTEST: Final = 4  # letters of a word, below which everything is alike
COMMON, LEAST_COMMON = 10, 5  # what begins more things than a tenth of all, and than so many, tells little of any
APART: Final = 2  # letters by which words that are alike may differ in length

_NOWHERE: Final[frozenset[int]] = frozenset()


class Found(NamedTuple):
    """Codes of what was found, the best first, and whether there is more than anybody would read."""

    codes: Sequence[str]
    more: bool = False


class Search:
    """Every word of every name of a number of things; `named` are their codes with their names, the first first."""

    def __init__(self, named: Iterable[tuple[str, Texts]]) -> None:
        things = list(named)
        self._codes = [code for code, _ in things]
        self._places = {code: place for place, code in enumerate(self._codes)}
        self._common = max(len(things) // COMMON, LEAST_COMMON)
        names = [(place, words_of(name)) for place, (_, texts) in enumerate(things) for name in texts.values()]
        standing = _standing(names)
        self._whole = Prefixes((" ".join(words), place) for place, words in names)
        self._words = Prefixes(_spread(standing, lambda word: {word, latin(word)}))
        self._sounds = Prefixes(_spread(standing, lambda word: {sound(word)} - {""}))
        self._key_words = Prefixes(_spread(standing, lambda word: {keyed(word)} - {""}))
        self._keys = Prefixes((keys, place) for place, words in names for keys in _on_keys(words))
        self._about_as_long = _about_as_long(standing)

    def __call__(self, typed: str, first: Sequence[str] = ()) -> Found:
        """The best of what `typed` may mean; what is equally good in the order of `first`, then in their own."""
        words = words_of(typed)[:MOST_WORDS]
        if not words:
            return Found([])
        places: dict[int, None] = {}
        for found in self._by_keys(words) if _is_keys(words) else self._by_words(words):
            places.update(dict.fromkeys(self._best(found, places, first)))
            if len(places) > MOST:
                break
        return Found([self._codes[place] for place in islice(places, MOST)], len(places) > MOST)

    def _by_words(self, words: Sequence[str]) -> Iterable[frozenset[int]]:
        """What is called so, what has each word or its beginning; where that is nothing, what sounds so; then, what is near."""
        whole, begun = [self._words.equal(word) for word in words], [self._words.begun(word) for word in words]
        yield self._whole.equal(" ".join(words))
        yield _all_of(whole)
        yield _all_of(begun)
        if not _all_of(begun):
            heard = [self._heard(word) for word in words]
            yield _all_of(_either(whole, heard))
            yield _all_of(begun := _either(begun, heard))
        if not _all_of(begun):
            near = [places for places in map(self._or_like, begun, words) if places]
            near = [places for places in near if len(places) < self._common] or near
            yield (_all_of(near) or _most_of(near)) if near else _NOWHERE

    def _by_keys(self, groups: Sequence[str]) -> Iterable[frozenset[int]]:
        """What has a word on these keys, then what has one that begins so; 0 is the key for a space."""
        if len(groups) == 1:
            yield self._key_words.equal(groups[0])
            yield self._keys.begun(groups[0])
            groups = groups[0].split("0")
        if len(groups) > 1 and all(len(group) >= LEAST_KEYS for group in groups):
            yield _all_of(self._keys.begun(group) for group in groups)

    def _heard(self, word: str) -> frozenset[int]:
        heard = sound(word)
        return self._sounds.equal(heard) if heard else _NOWHERE

    def _or_like(self, places: frozenset[int], word: str) -> frozenset[int]:
        """Where a word stands; where it stands nowhere, what is spelt about like it."""
        if places or len(word) < SHORTEST:
            return places
        known = self._about_as_long.get((word.isascii(), len(word)), ())
        near = process.extract(word, known, scorer=fuzz.ratio, score_cutoff=ALIKE, limit=NEAREST)
        return frozenset().union(*(self._words.equal(other) for other, _, _ in near))

    def _best(self, found: frozenset[int], known: Container[int], first: Sequence[str]) -> Iterable[int]:
        """One more than anybody reads of those that were found and were not known; of very many, the first are soon met."""
        ahead = (self._places.get(code, -1) for code in first) if found else ()
        in_order = range(len(self._codes)) if len(found) >= MANY else sorted(found)
        best = (place for place in chain(ahead, in_order) if place in found and place not in known)
        return islice(dict.fromkeys(islice(best, 2 * (MOST + 1))), MOST + 1)


def _is_keys(words: Sequence[str]) -> bool:
    digits = "".join(words)
    return digits.isascii() and digits.isdigit() and len(digits) >= LEAST_KEYS


def _on_keys(words: Sequence[str]) -> Iterable[str]:
    """A name on the keys of a phone, from each of its words on, without a key between them."""
    keys = [keyed(word) for word in words]
    return ("".join(keys[begin:]) for begin in range(len(keys)) if keys[begin])


def _standing(names: Iterable[tuple[int, Sequence[str]]]) -> Mapping[str, set[int]]:
    """Each word, and where it stands."""
    standing: defaultdict[str, set[int]] = defaultdict(set)
    for place, words in names:
        for word in words:
            standing[word].add(place)
    return standing


def _spread(standing: Mapping[str, set[int]], forms: Callable[[str], set[str]]) -> Iterable[tuple[str, int]]:
    """The forms of each word with the places where the word stands."""
    return ((form, place) for word, places in standing.items() for form in forms(word) for place in places)


def _about_as_long(words: Iterable[str]) -> Mapping[tuple[bool, int], Sequence[str]]:
    """What a misspelt word of Latin letters, or of others, and so long is compared with.

    No numbers: another number is not a misspelt one.
    """
    lengths: defaultdict[tuple[bool, int], list[str]] = defaultdict(list)
    for word in sorted(words):
        if not word.isdigit():
            for length in range(len(word) - APART, len(word) + APART + 1):
                lengths[word.isascii(), length].append(word)
    return lengths


def _either(these: Iterable[frozenset[int]], those: Iterable[frozenset[int]]) -> list[frozenset[int]]:
    return [one | other for one, other in zip(these, those, strict=True)]


def _all_of(sets: Iterable[frozenset[int]]) -> frozenset[int]:
    """What is in all of them; the smallest first, for then there is less to look through."""
    return frozenset.intersection(*sorted(sets, key=len))


def _most_of(sets: Sequence[frozenset[int]]) -> frozenset[int]:
    """What is in more of them than anything else."""
    counts = Counter(chain.from_iterable(sets))
    most = max(counts.values())
    return frozenset(place for place, count in counts.items() if count == most)
