"""Problems in files and settings, described for the person who edits them, and the errors that end a command."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeAlias

KeyPath: TypeAlias = tuple[str, ...]
"""The keys that lead to a value in a file, such as `("services", "pan_card", "fee")`."""


class Finding(NamedTuple):
    """A problem at a key path of a file, and its fix, before the file and the line are known."""

    key_path: KeyPath
    problem: str
    fix: str


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """A problem with its file and line. The line is 0 if there is none, as in the environment. `str()` is one line."""

    file: str
    line: int
    key: str
    problem: str
    fix: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        subject = f"{self.key}: " if self.key else ""
        return f"{place}: {subject}{self.problem}; {self.fix}"


class CommandError(Exception):
    """A command, `serve` included, cannot do its work. The message has one line *problem; fix* for each problem."""


class ValidationFailedError(CommandError):
    """Settings, menus, catalogue or translations are invalid; `problems` has all problems in order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def display_path(path: Path) -> str:
    """Return the path for a message: relative if the file is under the current folder, else absolute."""
    here = Path.cwd()
    return (path.relative_to(here) if path.is_relative_to(here) else path).as_posix()
