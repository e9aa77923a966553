"""Values of the traffic of the menus."""

from collections.abc import Callable
from typing import Final, NamedTuple, TypeAlias

START: Final = ""
"""The source of a move that begins a call or a conversation."""
END: Final = ""
"""The target of a move that ends it."""
REFUSED: Final = "!"
"""The target where a screen did not take what was typed, and asked again."""


class Move(NamedTuple):
    """A move from the screen that a caller saw to the next one. Nothing in it says who it was."""

    channel: str
    network: str
    language: str
    source: str
    target: str


CountMove: TypeAlias = Callable[[Move], None]
"""Counts one move; it returns at once and raises nothing."""


def ignore_move(_: Move) -> None:
    """Count nothing."""


class MoveCount(NamedTuple):
    """How often callers went from a screen to another one."""

    source: str
    target: str
    times: int


class StartCount(NamedTuple):
    """How many calls began in a day or month (`2026-11-30`, `2026-11`) on a channel, from a network, in a language."""

    period: str
    channel: str
    network: str
    language: str
    times: int


class ScreenTraffic(NamedTuple):
    """What happened on a screen. `left` are the calls of which it is the last thing known: abandoned, or still under way.

    `ended` are those that the screen itself ended, `refused` inputs that it did not take.
    """

    screen: str
    shown: int
    ended: int
    left: int
    refused: int

    @property
    def left_share(self) -> float:
        """The part of those who saw it that left, from 0 to 1."""
        return self.left / self.shown if self.shown else 0.0
