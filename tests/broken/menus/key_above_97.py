"""menus: main: an option has the key '100'; give it one from 1 to 97"""

from menus.model import Choice, Goodbye, Option

TREE = (
    Choice("main", (Option("help", goto="help", key="100"),)),
    Goodbye("help"),
    Goodbye("stuck"),
)
