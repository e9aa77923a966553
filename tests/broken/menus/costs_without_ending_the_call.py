"""menus: send: it costs, but does not say after which outcome the call must be over; give it ends_call="""

from typing import Literal

from menus.model import Choice, Goodbye, Option, Outcome, Step, StepContext
from menus.proof import COSTS, PAYER


async def send(context: StepContext) -> Outcome[Literal["sent"]]:
    return Outcome("sent")


TREE = (
    Choice("main", (Option("help", goto="send"),)),
    Step("send", send, {"sent": "done"}, effects=COSTS, needs=PAYER),
    Goodbye("done"),
    Goodbye("stuck"),
)
