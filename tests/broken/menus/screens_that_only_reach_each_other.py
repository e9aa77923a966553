"""menus: left: no screen leads here; link it from a screen, or remove it
menus: right: no screen leads here; link it from a screen, or remove it"""

from menus.model import Choice, Goodbye, Option

TREE = (
    Choice("main", (Option("help", goto="help"),)),
    Goodbye("help"),
    Choice("left", (Option("over", goto="right"),)),
    Choice("right", (Option("over", goto="left"),)),
    Goodbye("stuck"),
)
