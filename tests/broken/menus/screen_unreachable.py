"""menus: fees: nothing leads here; let a screen lead to it, or take it out"""

from menus.model import Choice, Goodbye, Option

TREE = (
    Choice("main", (Option("help", goto="help"),)),
    Goodbye("help"),
    Goodbye("fees"),
    Goodbye("stuck"),
)
