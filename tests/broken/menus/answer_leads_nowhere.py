"""menus: ask_name: leads to 'thanks', which is not a screen; use an existing name"""

from menus import validators
from menus.model import Choice, Goodbye, Option, Question

TREE = (
    Choice("main", (Option("help", goto="ask_name"),)),
    Question("ask_name", "name", validators.person_name, goto="thanks"),
    Goodbye("stuck"),
)
