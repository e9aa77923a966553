"""menus: send: after 'sent' the call must be over, but 'done' goes on; make it a Goodbye"""

from typing import Literal

from menus.model import Choice, Goodbye, Option, Outcome, Step, StepContext
from menus.proof import COSTS, PAYER


async def send(context: StepContext) -> Outcome[Literal["sent"]]:
    return Outcome("sent")


TREE = (
    Choice("main", (Option("help", goto="send"),)),
    Step("send", send, {"sent": "done"}, effects=COSTS, needs=PAYER, ends_call=("sent",)),
    Choice("done", (Option("help", goto="main"),)),
    Goodbye("stuck"),
)
