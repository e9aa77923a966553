"""menus: send: its outcome 'too_many' has no screen; map it to a screen"""

from typing import Literal

from menus.model import Choice, Goodbye, Option, Outcome, Step, StepContext


async def send(context: StepContext) -> Outcome[Literal["sent", "too_many"]]:
    return Outcome("sent")


TREE = (
    Choice("main", (Option("help", goto="send"),)),
    Step("send", send, {"sent": "done"}),
    Goodbye("done"),
    Goodbye("stuck"),
)
