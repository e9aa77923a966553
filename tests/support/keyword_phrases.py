"""What people write to say what they want, and what the parser does with it."""

import tomllib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final

from menus.keywords import KEYWORD_NAMES
from sms.keywords.parser import KeywordRequest, KeywordSuggestions, parse_keyword

NOTHING: Final = "nothing"
"""The meaning of a phrase that means no keyword."""
GREETING: Final = "greeting"
"""The meaning of a greeting alone, which opens the documents menu."""
MEANINGS: Final = (*KEYWORD_NAMES, GREETING, NOTHING)


class PhraseOutcome(StrEnum):
    """What happens to the sender of a phrase. To execute another keyword than the one meant is the worst."""

    RIGHT = "right"
    ASKED_BACK = "asked back"
    WRONG_ACTION = "wrong action"
    NOT_UNDERSTOOD = "not understood"


def _load_phrases() -> Mapping[str, Sequence[str]]:
    tables = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return {meaning: [phrase for phrases in forms.values() for phrase in phrases] for meaning, forms in tables.items()}


PHRASES: Final[Mapping[str, Sequence[str]]] = _load_phrases()
"""The phrases by what they mean: the name of a keyword, `greeting` or `nothing`."""


def judge_phrase(meaning: str, phrase: str) -> PhraseOutcome:
    """What happens to the sender of a phrase with this meaning.

    The sender of a phrase that means a keyword is asked back only if that keyword is among those suggested. The sender of
    one that means nothing is understood where it is taken for no keyword.
    """
    answer = parse_keyword(phrase)
    if isinstance(answer, KeywordRequest):
        wanted = "documents" if meaning == GREETING else meaning
        return PhraseOutcome.RIGHT if answer.name == wanted else PhraseOutcome.WRONG_ACTION
    if isinstance(answer, KeywordSuggestions):
        is_named = meaning == NOTHING or meaning in answer.names
        return PhraseOutcome.ASKED_BACK if is_named else PhraseOutcome.NOT_UNDERSTOOD
    return PhraseOutcome.RIGHT if meaning == NOTHING else PhraseOutcome.NOT_UNDERSTOOD
