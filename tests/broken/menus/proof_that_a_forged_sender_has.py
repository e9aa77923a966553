"""menus: send: it commits for whoever is signed in, also where the sender can be forged; ask for the PIN or a code there"""

from typing import Literal

from menus.model import Choice, Goodbye, Option, Outcome, Step, StepContext
from menus.proof import SIGNED_IN


async def send(context: StepContext) -> Outcome[Literal["sent"]]:
    return Outcome("sent")


TREE = (
    Choice("main", (Option("help", goto="send"),)),
    Step("send", send, {"sent": "done"}, commits=True, needs=SIGNED_IN),
    Goodbye("done"),
    Goodbye("stuck"),
)
