"""menus: left: nothing leads here; let a screen lead to it, or take it out
menus: right: nothing leads here; let a screen lead to it, or take it out"""

from menus.model import Choice, Goodbye, Option

TREE = (
    Choice("main", (Option("help", goto="help"),)),
    Goodbye("help"),
    Choice("left", (Option("over", goto="right"),)),
    Choice("right", (Option("over", goto="left"),)),
    Goodbye("stuck"),
)
