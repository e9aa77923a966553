"""Read the choice of an option as people type it: `2.`, `(2)`, `02`, `option 2`, the option's own words, yes and no."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Literal, TypeAlias

from core.languages import LANGUAGES
from core.typed_input import normalize_input
from core.typed_numbers import read_option_number
from core.typed_words import split_words

Meaning: TypeAlias = Literal["", "yes", "no"]
"""What an option says to the question of its screen, where that is a question of yes or no."""


def read_option_key(text: str) -> str:
    """The key that a number between signs or courtesies means, without leading zeros; empty where there is none.

    `0` and `00` keep their zeros, because they mean different things; more zeros mean nothing.
    """
    number = read_option_number(text) or _read_number_among_words(text)
    return number if number in {"0", "00"} else number.lstrip("0")


def index_labels(labels: Iterable[tuple[str, Iterable[str]]]) -> Mapping[str, str]:
    """The key of each label by its normalized words. A label that two keys have is left out."""
    keys_by_phrase: dict[str, set[str]] = {}
    for key, texts in labels:
        for text in texts:
            keys_by_phrase.setdefault(normalize_label(text), set()).add(key)
    return {phrase: keys.pop() for phrase, keys in keys_by_phrase.items() if phrase and len(keys) == 1}


def normalize_label(text: str) -> str:
    """The normalized words of a label, with single blanks."""
    return " ".join(split_words(normalize_input(text)))


def phrases_with_meaning(meaning: Meaning) -> frozenset[str]:
    """The normalized words for yes, or for no."""
    return _option_words()[meaning] if meaning else frozenset()


def _read_number_among_words(text: str) -> str:
    words = split_words(text)
    numbers = [number for word in words if (number := read_option_number(word))]
    others = [word for word in words if not read_option_number(word)]
    return numbers[0] if len(numbers) == 1 and others and _option_words()["around"].issuperset(others) else ""


@lru_cache(maxsize=1)
def _option_words() -> Mapping[str, frozenset[str]]:
    """The words of every language around the number of an option, and for yes and no."""
    return {
        name: frozenset(normalize_label(word) for language in LANGUAGES for word in language.option_words.get(name, ()))
        for name in ("around", "yes", "no")
    }
