"""What is remembered of a conversation between two key presses, and the path that a provider sends with each.

A provider's path is everything typed so far joined by `*`, PINs and all; a session remembers how long the path was,
never the path itself.
"""

import msgspec

from menus.model import Place

SEPARATOR = "*"


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """What the caller's screen shows, and whether the call ends with it."""

    text: str
    ends: bool = False


class Trace(msgspec.Struct, frozen=True):
    """What we ask a provider to bring back with the next key press: how the session began and how much was heard.

    It travels as `main.12`: no words, no numbers of people, and short enough for the 99 characters that there are.
    """

    began: str
    heard: int

    def __str__(self) -> str:
        return f"{self.began}.{self.heard}"


class Session(msgspec.Struct, frozen=True, array_like=True):
    """One caller's conversation: the provider's id for it, where they stand, and the last answer they were given."""

    id: str
    began: str
    heard: int
    place: Place
    answer: Answer


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
    began, _, heard = brought.partition(".")
    if began not in BEGINNINGS or not heard.isascii() or not heard.isdigit():
        return None
    return Trace(began, int(heard))


LANGUAGES, MAIN, RESUME, DIALLED = BEGINNINGS = ("languages", "main", "resume", "dialled")
"""How a session can begin: on the language screen, on the main menu, with the offer to go on, or past the short code."""


def unheard(path: str, heard: int, trace: Trace | None, *, whole: bool) -> list[tuple[str, int]]:
    """The answers in `path` beyond the first `heard` characters, each with the length of the path that ends with it.

    The newest answer is taken whole, `*` and all, where we know where it starts: after what was heard, or after what
    the trace says had been heard by then. Answers before it, which were missed, are told apart by their `*`. Without
    `whole` and without a trace nothing is known, and every `*` is taken for a separator.
    """
    start = heard + 1 if heard else 0
    newest = _newest(start, len(path), trace, whole=whole)
    answers: list[tuple[str, int]] = []
    if newest > start:
        for answer in path[start : newest - 1].split(SEPARATOR):
            start += len(answer)
            answers.append((answer, start))
            start += 1
    if newest <= len(path):
        answers.append((path[newest:], len(path)))
    return answers


def _newest(start: int, length: int, trace: Trace | None, *, whole: bool) -> int:
    """Where the newest answer starts; past the end of the path where that is not known."""
    if trace is None:
        return start if whole else length + 1
    if trace.heard >= length:  # brought back with the very path that it was given for: a repeat
        return length + 1
    return max(start, trace.heard + 1 if trace.heard else 0)


def follows(path: str, heard: int) -> bool:
    """Whether `path` goes on from one of which `heard` characters were heard, rather than repeating or departing."""
    return len(path) > heard and (not heard or path[heard] == SEPARATOR)
