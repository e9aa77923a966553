"""menus: send: its function does not declare its outcomes; annotate it: -> Outcome[Literal["done"]]"""

from menus.model import Choice, Goodbye, Option, Outcome, Step, StepContext


async def send(context: StepContext) -> Outcome[str]:
    return Outcome("sent")


TREE = (
    Choice("main", (Option("help", goto="send"),)),
    Step("send", send, {"sent": "done"}),
    Goodbye("done"),
    Goodbye("stuck"),
)
