"""menus: send: it costs, but does not say which proof it needs; give it needs=, such as FRESH_PIN; where anyone may do it, ANYONE"""

from typing import Literal

from menus.model import Choice, Goodbye, Option, Outcome, Step, StepContext
from menus.proof import COSTS


async def send(context: StepContext) -> Outcome[Literal["sent"]]:
    return Outcome("sent")


TREE = (
    Choice("main", (Option("help", goto="send"),)),
    Step("send", send, {"sent": "done"}, effects=COSTS, ends_call=("sent",)),
    Goodbye("done"),
    Goodbye("stuck"),
)
