"""menus: help: there are two screens of this name; rename one"""

from menus.model import Choice, Goodbye, Option

TREE = (
    Choice("main", (Option("help", goto="help"),)),
    Goodbye("help"),
    Goodbye("help"),
    Goodbye("stuck"),
)
