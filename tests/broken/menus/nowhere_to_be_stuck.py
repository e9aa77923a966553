"""menus: stuck: the screen after a cycle of steps is not a goodbye; add a Goodbye of this name"""

from menus.model import Choice, Goodbye, Option

TREE = (
    Choice("main", (Option("help", goto="help"),)),
    Goodbye("help"),
)
