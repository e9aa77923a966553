"""menus: ask_name: leads to 'thanks', which is no screen; name one that is there"""

from menus.model import Accepted, Choice, Goodbye, Option, Question

TREE = (
    Choice("main", (Option("help", goto="ask_name"),)),
    Question("ask_name", "name", lambda typed, today: Accepted(typed), goto="thanks"),
    Goodbye("stuck"),
)
