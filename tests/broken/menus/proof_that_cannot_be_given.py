"""menus: send: it needs the number where the network does not vouch for it; ask for a PIN or a code there"""

from typing import Literal

from menus.model import Choice, Goodbye, Option, Outcome, Step, StepContext
from menus.proof import Needs, Proof


async def send(context: StepContext) -> Outcome[Literal["sent"]]:
    return Outcome("sent")


TREE = (
    Choice("main", (Option("help", goto="send"),)),
    Step("send", send, {"sent": "done"}, commits=True, needs=Needs(Proof.NUMBER, Proof.NUMBER)),
    Goodbye("done"),
    Goodbye("stuck"),
)
