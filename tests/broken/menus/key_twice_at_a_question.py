"""menus: ask_name: two options have the key 1; give each its own"""

from menus.model import Accepted, Choice, Goodbye, Option, Question

OPTIONS = (Option("skip", goto="help"), Option("help", goto="help", key="1"))

TREE = (
    Choice("main", (Option("help", goto="ask_name"),)),
    Question("ask_name", "name", lambda typed, today: Accepted(typed), goto="help", options=OPTIONS),
    Goodbye("help"),
    Goodbye("stuck"),
)
