"""The note that a department writes for the citizen beside a status."""

from typing import Final, Literal
from unicodedata import category

MAX_NOTE_LENGTH: Final = 160


class NoteError(ValueError):
    """A note that cannot be sent; `problem` says why."""

    def __init__(self, problem: Literal["blank", "unprintable", "too_long"]) -> None:
        super().__init__(problem)
        self.problem = problem


def parse_note(text: str) -> str:
    """The note without outer spaces. A line break is the only control character allowed in it.

    Raises:
        NoteError: the note is empty or too long, or has another control character.
    """
    if any(category(character) == "Cc" for character in text if character != "\n"):
        raise NoteError("unprintable")
    note = text.strip()
    if not note:
        raise NoteError("blank")
    if len(note) > MAX_NOTE_LENGTH:
        raise NoteError("too_long")
    return note
