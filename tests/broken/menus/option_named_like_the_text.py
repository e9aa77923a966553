"""menus: main: an option is called 'text' which is a key of every screen; rename it"""

from menus.model import Choice, Goodbye, Option

TREE = (
    Choice("main", (Option("text", goto="help"),)),
    Goodbye("help"),
    Goodbye("stuck"),
)
