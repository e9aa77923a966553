"""menus: send: its function does not say its ways; annotate it: -> Outcome[Literal["done"]]"""

from menus.model import Choice, Goodbye, Option, Outcome, Step, Visit


async def send(visit: Visit) -> Outcome:
    return Outcome("sent")


TREE = (
    Choice("main", (Option("help", goto="send"),)),
    Step("send", send, {"sent": "done"}),
    Goodbye("done"),
    Goodbye("stuck"),
)
