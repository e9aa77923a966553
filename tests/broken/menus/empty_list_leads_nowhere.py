"""menus: offices: leads to 'none_here', which is no screen; did you mean 'nothing_here'?"""

from menus.model import Choice, Goodbye, Listing, Option

TREE = (
    Choice("main", (Option("help", goto="offices"), Option("none", goto="nothing_here"))),
    Listing("offices", lambda _: (), saves="office", goto="office", empty="none_here"),
    Goodbye("office"),
    Goodbye("nothing_here"),
    Goodbye("stuck"),
)
