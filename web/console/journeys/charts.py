"""Bars as SVG, made on the server. Colours come from the style sheet, so that they fit light and dark."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 720
HEIGHT: Final = 160
GAP: Final = 3
MIN_HEIGHT: Final = 2
"""A bar of something is seen, however little it is."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: its name, its value, whether it is marked, and its place in the picture."""

    label: str
    value: int
    is_marked: bool
    x: float
    y: float
    width: float
    height: float


def build_bars(values: Sequence[tuple[str, int]], marked: Sequence[str] = ()) -> Sequence[Bar]:
    """A bar for each label and value, side by side; those of `marked` labels are marked."""
    highest = max((value for _, value in values), default=0)
    step = WIDTH / max(1, len(values))
    bars = []
    for number, (label, value) in enumerate(values):
        height = max(MIN_HEIGHT, HEIGHT * value / highest) if value else 0.0
        place = round(number * step, 1), round(HEIGHT - height, 1)
        bars.append(Bar(label, value, label in marked, *place, round(step - GAP, 1), round(height, 1)))
    return bars
