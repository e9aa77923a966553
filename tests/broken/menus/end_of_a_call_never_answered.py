"""menus: send: its ends_call names 'gone', which is no outcome; remove it"""

from typing import Literal

from menus.model import Choice, Goodbye, Option, Outcome, Step, StepContext
from menus.proof import COSTS, PAYER


async def send(context: StepContext) -> Outcome[Literal["sent"]]:
    return Outcome("sent")


TREE = (
    Choice("main", (Option("help", goto="send"),)),
    Step("send", send, {"sent": "done"}, effects=COSTS, needs=PAYER, ends_call=("sent", "gone")),
    Goodbye("done"),
    Goodbye("stuck"),
)
