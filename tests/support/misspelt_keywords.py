"""Misspelt keywords and ordinary sentences, and how well the parser tells the two apart."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from menus.keywords import KEYWORD_NAMES
from sms.keywords.parser import KeywordRequest, KeywordSuggestions, parse_keyword
from sms.keywords.vocabulary import get_vocabulary

DATA: Final = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
MISSPELLINGS: Final[Mapping[str, str]] = DATA["misspellings"]
"""Misspelt messages, each with the keyword that is meant."""
ORDINARY_SENTENCES: Final[Sequence[str]] = DATA["sentences"]
"""Messages that mean no keyword."""
HELD_OUT_MISSPELLINGS: Final[Mapping[str, str]] = DATA["held_out_misspellings"]
HELD_OUT_SENTENCES: Final[Sequence[str]] = DATA["held_out_sentences"]
"""Messages of both kinds that were written after the thresholds had been chosen."""


class RecognitionResult(NamedTuple):
    """How many misspellings were recognised, and which texts were not or were mistaken for a keyword."""

    found: int
    first: int
    missed: tuple[str, ...]
    mistaken: tuple[str, ...]

    @property
    def recall(self) -> float:
        """Share of the misspellings whose keyword was recognised or suggested."""
        return self.found / (self.found + len(self.missed))

    @property
    def precision(self) -> float:
        """Share of keywords among the texts that were taken for one."""
        return self.found / (self.found + len(self.mistaken))


def measure_recognition(
    misspelt: Mapping[str, str] = MISSPELLINGS, ordinary: Sequence[str] = ORDINARY_SENTENCES
) -> RecognitionResult:
    """Parse every text of both kinds and count."""
    missed = tuple(text for text, name in misspelt.items() if name not in keyword_names(parse_keyword(text)))
    mistaken = tuple(text for text in ordinary if parse_keyword(text))
    first = sum(keyword_names(parse_keyword(text))[:1] == (name,) for text, name in misspelt.items())
    return RecognitionResult(len(misspelt) - len(missed), first, missed, mistaken)


def keyword_names(answer: KeywordRequest | KeywordSuggestions | None) -> tuple[str, ...]:
    """The keywords that a result of the parser names."""
    return answer.names if isinstance(answer, KeywordSuggestions) else (answer.name,) if answer else ()


def single_typos() -> Iterator[tuple[str, str]]:
    """Every one-word keyword with one letter left out, doubled or swapped, unless the result is a keyword."""
    for key, word in get_vocabulary().words.items():
        if word.table in KEYWORD_NAMES and not word.is_suggested_only and " " not in key:
            for at in range(1, len(key)):
                for slip in (key[:at] + key[at + 1 :], key[:at] + key[at - 1 :], _swap_letters(key, at)):
                    if slip not in get_vocabulary().words:
                        yield slip, word.table


def _swap_letters(key: str, at: int) -> str:
    return key[: at - 1] + key[at] + key[at - 1] + key[at + 1 :]
