"""menus: ask_name: leads to 'thanks', which is no screen; name one that is there"""

from menus import checks
from menus.model import Choice, Goodbye, Option, Question

TREE = (
    Choice("main", (Option("help", goto="ask_name"),)),
    Question("ask_name", "name", checks.person, goto="thanks"),
    Goodbye("stuck"),
)
