"""menus: fees: no screen leads here; link it from a screen, or remove it"""

from menus.model import Choice, Goodbye, Option

TREE = (
    Choice("main", (Option("help", goto="help"),)),
    Goodbye("help"),
    Goodbye("fees"),
    Goodbye("stuck"),
)
