"""menus: main: two options have the key 2; give each its own"""

from menus.model import Choice, Goodbye, Option

TREE = (
    Choice("main", (Option("help", goto="help", key="2"), Option("more", goto="help"))),
    Goodbye("help"),
    Goodbye("stuck"),
)
