"""menus: offices: leads to 'none_here', which is not a screen; did you mean 'nothing_here'?"""

from menus.model import Choice, Goodbye, ListScreen, Option

TREE = (
    Choice("main", (Option("help", goto="offices"), Option("none", goto="nothing_here"))),
    ListScreen("offices", lambda _: (), save_as="office", goto="office", goto_if_empty="none_here"),
    Goodbye("office"),
    Goodbye("nothing_here"),
    Goodbye("stuck"),
)
