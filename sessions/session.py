"""What is remembered of a conversation between two key presses, and the path that a provider sends with each.

A provider's path is everything typed so far joined by `*`, PINs and all; a session remembers how long the path was,
never the path itself.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from menus.model import Place

SEPARATOR = "*"
MOST_STARS = 10  # more than anyone types into one call; the trace has room for them


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """What the caller's screen shows, and whether the call ends with it."""

    text: str
    ends: bool = False


class Trace(msgspec.Struct, frozen=True):
    """What we ask a provider to bring back with the next key press: how the session began and how much was heard.

    It travels as `main.12`, with the places of stars that belong to an answer behind it, `main.12.5-9`: no words, no
    numbers of people, and within the 99 characters that there are.
    """

    began: str
    heard: int
    stars: tuple[int, ...] = ()

    def __str__(self) -> str:
        heard = f"{self.began}.{self.heard}"
        return f"{heard}.{'-'.join(map(str, self.stars[:MOST_STARS]))}" if self.stars else heard


class Session(msgspec.Struct, frozen=True, array_like=True):
    """One caller's conversation: the provider's id for it, where they stand, and the last answer they were given."""

    id: str
    began: str
    heard: int
    place: Place
    answer: Answer
    stars: tuple[int, ...] = ()

    @property
    def trace(self) -> Trace:
        """What the provider is to bring back with the next key press."""
        return Trace(self.began, self.heard, self.stars)


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Session).decode


def packed(session: Session) -> bytes:
    """A session as the store keeps it."""
    return _encode(session)


def unpacked(data: bytes) -> Session | None:
    """The session that was packed, or None where an older program packed something else."""
    try:
        return _decode(data)
    except msgspec.MsgspecError:
        return None


def trace_of(brought: str) -> Trace | None:
    """The trace that a provider brought back, or None for anything that is not one of ours."""
    if not _is_trace(brought):
        return None
    began, heard, *stars = brought.split(".")
    return Trace(began, int(heard), tuple(map(int, stars[0].split("-"))) if stars else ())


LANGUAGES, MAIN, RESUME, DIALLED = BEGINNINGS = ("languages", "main", "resume", "dialled")
"""How a session can begin: on the language screen, on the main menu, with the offer to go on, or past the short code."""


_is_trace = re.compile(rf"({'|'.join(BEGINNINGS)})\.\d{{1,6}}(\.\d{{1,6}}(-\d{{1,6}})*)?", re.ASCII).fullmatch


class Answered(NamedTuple):
    """One answer in a path, and how long the path is that ends with it."""

    typed: str
    length: int


def one_more(path: str, heard: int) -> Answered | None:
    """The answer in `path` beyond the first `heard` characters where no `*` leaves a doubt that it is one; else None."""
    rest = path[heard + 1 if heard else 0 :]
    return None if SEPARATOR in rest else Answered(rest, len(path))


def unheard(path: str, heard: int, trace: Trace | None, *, whole: bool) -> list[Answered]:
    """The answers in `path` beyond the first `heard` characters.

    The newest answer is taken whole, `*` and all, where we know where it starts: after what was heard, or after what
    the trace says had been heard by then. Answers before it, which were missed, are told apart by their `*`. Without
    `whole` and without a trace nothing is known, and every `*` is taken for a separator.
    """
    start = heard + 1 if heard else 0
    newest = _newest(start, len(path), trace, whole=whole)
    answers = _apart(path, start, newest - 1, trace.stars if trace else ()) if newest > start else []
    if newest <= len(path):
        answers.append(Answered(path[newest:], len(path)))
    return answers


def stars_in(answer: Answered) -> tuple[int, ...]:
    """Where in its path an answer has stars of its own."""
    if SEPARATOR not in answer.typed:
        return ()
    start = answer.length - len(answer.typed)
    return tuple(start + place for place, character in enumerate(answer.typed) if character == SEPARATOR)


def _newest(start: int, length: int, trace: Trace | None, *, whole: bool) -> int:
    """Where the newest answer starts; past the end of the path where that is not known."""
    if trace is None:
        return start if whole else length + 1
    if trace.heard >= length:  # brought back with the very path that it was given for: a repeat
        return length + 1
    return max(start, trace.heard + 1 if trace.heard else 0)


def _apart(path: str, start: int, end: int, stars: Sequence[int]) -> list[Answered]:
    """The answers between two places of a path, told apart by every star that belongs to none of them."""
    separators = [at for at in range(start, end) if path[at] == SEPARATOR and at not in stars]
    starts = [start, *(at + 1 for at in separators)]
    return [Answered(path[one:two], two) for one, two in zip(starts, [*separators, end], strict=True)]


def follows(path: str, heard: int) -> bool:
    """Whether `path` goes on from one of which `heard` characters were heard, rather than repeating or departing."""
    return len(path) > heard and (not heard or path[heard] == SEPARATOR)
