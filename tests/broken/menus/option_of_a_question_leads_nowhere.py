"""menus: ask_name: leads to 'skipped', which is no screen; name one that is there"""

from menus.model import Accepted, Choice, Goodbye, Option, Question

SKIP = (Option("skip", goto="skipped"),)

TREE = (
    Choice("main", (Option("help", goto="ask_name"),)),
    Question("ask_name", "name", lambda typed, today: Accepted(typed), goto="thanks", options=SKIP),
    Goodbye("thanks"),
    Goodbye("stuck"),
)
