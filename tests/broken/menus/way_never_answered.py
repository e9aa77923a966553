"""menus: send: it maps 'too_many', which its function never returns; remove it"""

from typing import Literal

from menus.model import Choice, Goodbye, Option, Outcome, Step, StepContext


async def send(context: StepContext) -> Outcome[Literal["sent"]]:
    return Outcome("sent")


TREE = (
    Choice("main", (Option("help", goto="send"),)),
    Step("send", send, {"sent": "done", "too_many": "done"}),
    Goodbye("done"),
    Goodbye("stuck"),
)
