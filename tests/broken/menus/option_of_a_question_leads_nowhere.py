"""menus: ask_name: leads to 'skipped', which is no screen; name one that is there"""

from menus import checks
from menus.model import Choice, Goodbye, Option, Question

SKIP = (Option("skip", goto="skipped"),)

TREE = (
    Choice("main", (Option("help", goto="ask_name"),)),
    Question("ask_name", "name", checks.person, goto="thanks", options=SKIP),
    Goodbye("thanks"),
    Goodbye("stuck"),
)
