"""What is wrong with a catalogue, said so that an editor can put it right."""

from dataclasses import dataclass
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
    """A finding with its file and line; as text, the one line that an editor is shown."""

    file: str
    line: int
    where: str
    problem: str
    right: str

    def __str__(self) -> str:
        subject = f"{self.where}: " if self.where else ""
        return f"{self.file}:{self.line}: {subject}{self.problem}; {self.right}"


class CatalogueBroken(Exception):
    """A catalogue cannot be used; `faults` holds everything that is wrong with it, in the order of its files."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults
