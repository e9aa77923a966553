"""menus: stuck: a call that is stuck ends here, and this is no goodbye; add a Goodbye of this name"""

from menus.model import Choice, Goodbye, Option

TREE = (
    Choice("main", (Option("help", goto="help"),)),
    Goodbye("help"),
)
