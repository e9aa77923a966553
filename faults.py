"""What is wrong with a file or a setting, said so that whoever edits it can put it right."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeAlias

Place: TypeAlias = tuple[str, ...]
"""The keys that lead to something in a file, such as `("services", "pan_card", "fee")`."""


class Finding(NamedTuple):
    """Something wrong at a place of a file, and what would be right there."""

    place: Place
    problem: str
    right: str


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """A finding with its file and line (0 where there is none, as in the environment); as text, one plain line."""

    file: str
    line: int
    where: str
    problem: str
    right: str

    def __str__(self) -> str:
        at = f"{self.file}:{self.line}" if self.line else self.file
        subject = f"{self.where}: " if self.where else ""
        return f"{at}: {subject}{self.problem}; {self.right}"


class CannotRun(Exception):
    """The program cannot do what it was asked; the message is one line a fault that says why and what would be right."""


class Broken(CannotRun):
    """Something that people edit cannot be used; `faults` holds everything that is wrong with it, in order."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


def shown(path: Path) -> str:
    """A file's name as people are told it: from the folder they stand in where it lies there, else the whole of it."""
    here = Path.cwd()
    return (path.relative_to(here) if path.is_relative_to(here) else path).as_posix()
