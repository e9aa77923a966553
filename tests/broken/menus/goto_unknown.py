"""menus: main: leads to 'halp', which is not a screen; did you mean 'help'?"""

from menus.model import Choice, Goodbye, Option

TREE = (
    Choice("main", (Option("help", goto="halp"), Option("more", goto="help"))),
    Goodbye("help"),
    Goodbye("stuck"),
)
