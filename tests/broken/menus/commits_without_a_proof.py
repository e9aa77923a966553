"""menus: send: it commits, but does not say which proof it needs; give it needs=, such as FRESH_PIN; where anyone may do it, ANYONE"""

from typing import Literal

from menus.model import Choice, Goodbye, Option, Outcome, Step, StepContext


async def send(context: StepContext) -> Outcome[Literal["sent"]]:
    return Outcome("sent")


TREE = (
    Choice("main", (Option("help", goto="send"),)),
    Step("send", send, {"sent": "done"}, commits=True),
    Goodbye("done"),
    Goodbye("stuck"),
)
