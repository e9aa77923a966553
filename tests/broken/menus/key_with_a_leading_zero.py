"""menus: main: an option has the key '01'; give it one from 1 to 97"""

from menus.model import Choice, Goodbye, Option

TREE = (
    Choice("main", (Option("help", goto="help", key="01"),)),
    Goodbye("help"),
    Goodbye("stuck"),
)
