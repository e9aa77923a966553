"""Which keywords a text that begins with none may have meant: those it misspells, with what may follow them behind."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, cast

from sms.keywords.arguments import FEW
from sms.keywords.nearness import Near, nearest
from sms.keywords.phrases import Tokens, said
from sms.keywords.vocabulary import WORDS, Name, known

MOST: Final = 3  # keywords that are suggested


def guesses(text: str, body: Tokens) -> Mapping[Name, str]:
    """The keywords that the first words may be misspellings of, best first, each with the word that was nearest."""
    best: dict[Name, str] = {}
    for near in sorted(_near(text, body), key=lambda near: near.slips):
        best.setdefault(cast("Name", near.word.table), near.word.written)
    return dict(list(best.items())[:MOST])


def _near(text: str, body: Tokens) -> Iterator[Near]:
    for length in range(1, min(WORDS, len(body)) + 1):
        if body[length - 1].is_number:
            return
        if near := nearest("".join(token.key for token in body[:length])):
            extras = said(text, body, length).extras()
            yield from (it for it in near if _likely(it, extras))


def _likely(near: Near, extras: Tokens) -> bool:
    """Whether what follows a misspelt keyword is what follows it; sentences begin with words that only look like one."""
    if not extras:
        return True
    follows = FOLLOWED.get(cast("Name", near.word.table))
    return follows is not None and follows(extras) and (near.close or extras[0].is_number)


def _few(extras: Tokens) -> bool:
    return len(extras) < FEW


def _with_a_number(extras: Tokens) -> bool:
    return any(token.is_number for token in extras)


def _a_language(extras: Tokens) -> bool:
    return len(extras) == 1 and extras[0].key in known().languages


def _whatever(_: Tokens) -> bool:
    return True


FOLLOWED: Mapping[Name, Callable[[Tokens], bool]] = {
    "status": _with_a_number,
    "reg": _few,
    "apply": _few,
    "services": _few,
    "complain": _whatever,
    "feedback": _whatever,
    "lang": _a_language,
}
"""What may follow a misspelt keyword; the others stand alone."""
