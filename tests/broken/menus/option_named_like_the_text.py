"""menus: main: an option is called 'text' like what it stands under; rename it"""

from menus.model import Choice, Goodbye, Option

TREE = (
    Choice("main", (Option("text", goto="help"),)),
    Goodbye("help"),
    Goodbye("stuck"),
)
