"""Suggest keywords for an SMS that begins with a misspelt one, if the words after it may follow that keyword."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from menus.keywords import KEYWORD_BY_NAME, TailKind
from sms.keywords.arguments import MAX_ARGUMENT_WORDS
from sms.keywords.fuzzy_match import NearMatch, find_nearest
from sms.keywords.phrases import Tokens, build_tail
from sms.keywords.vocabulary import MAX_PHRASE_WORDS, get_vocabulary

MAX_SUGGESTIONS: Final = 3


def suggest_keywords(text: str, body: Tokens) -> Mapping[str, str]:
    """The names of keywords that the first words may be misspellings of, best first, each with the nearest word."""
    best: dict[str, str] = {}
    for match in sorted(_find_matches(text, body), key=lambda match: match.edits):
        best.setdefault(match.word.table, match.word.spelling)
    return dict(list(best.items())[:MAX_SUGGESTIONS])


def _find_matches(text: str, body: Tokens) -> Iterator[NearMatch]:
    for length in range(1, min(MAX_PHRASE_WORDS, len(body)) + 1):
        if body[length - 1].is_number:
            return
        if matches := find_nearest("".join(token.key for token in body[:length])):
            extras = build_tail(text, body, length).extra_tokens()
            yield from (match for match in matches if _is_likely(match, extras))


def _is_likely(match: NearMatch, extras: Tokens) -> bool:
    """Whether the words after a misspelt keyword may follow it. Sentences begin with words that look like a keyword."""
    if not extras:
        return True
    may_follow = _TAIL_CHECKS[KEYWORD_BY_NAME[match.word.table].misspelt_before]
    return may_follow(extras) and (match.is_close or extras[0].is_number)


_TAIL_CHECKS: Final[Mapping[TailKind, Callable[[Tokens], bool]]] = {
    "nothing": lambda _: False,
    "number": lambda extras: any(token.is_number for token in extras),
    "few_words": lambda extras: len(extras) < MAX_ARGUMENT_WORDS,
    "language": lambda extras: len(extras) == 1 and extras[0].key in get_vocabulary().languages,
    "anything": lambda _: True,
}
