"""menus: ask_name: two options have the key 1; give each its own"""

from menus import validators
from menus.model import Choice, Goodbye, Option, Question

OPTIONS = (Option("skip", goto="help"), Option("help", goto="help", key="1"))

TREE = (
    Choice("main", (Option("help", goto="ask_name"),)),
    Question("ask_name", "name", validators.person_name, goto="help", options=OPTIONS),
    Goodbye("help"),
    Goodbye("stuck"),
)
