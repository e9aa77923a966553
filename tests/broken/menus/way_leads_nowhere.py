"""menus: send: leads to 'sent', which is not a screen; did you mean 'send'?"""

from typing import Literal

from menus.model import Choice, Goodbye, Option, Outcome, Step, StepContext


async def send(context: StepContext) -> Outcome[Literal["sent"]]:
    return Outcome("sent")


TREE = (
    Choice("main", (Option("help", goto="send"),)),
    Step("send", send, {"sent": "sent"}),
    Goodbye("stuck"),
)
