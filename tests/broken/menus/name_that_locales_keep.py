"""menus: sms: locales have a table of this name already; rename the screen"""

from menus.model import Choice, Goodbye, Option

TREE = (
    Choice("main", (Option("help", goto="sms"),)),
    Goodbye("sms"),
    Goodbye("stuck"),
)
