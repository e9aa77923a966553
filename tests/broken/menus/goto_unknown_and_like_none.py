"""menus: main: leads to 'weather', which is no screen; name one that is there"""

from menus.model import Choice, Goodbye, Option

TREE = (
    Choice("main", (Option("help", goto="weather"),)),
    Goodbye("stuck"),
)
