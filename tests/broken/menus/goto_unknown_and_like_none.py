"""menus: main: leads to 'weather', which is not a screen; use an existing name"""

from menus.model import Choice, Goodbye, Option

TREE = (
    Choice("main", (Option("help", goto="weather"),)),
    Goodbye("stuck"),
)
