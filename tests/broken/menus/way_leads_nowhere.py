"""menus: send: leads to 'sent', which is no screen; did you mean 'send'?"""

from typing import Literal

from menus.model import Choice, Goodbye, Option, Outcome, Step, Visit


async def send(visit: Visit) -> Outcome[Literal["sent"]]:
    return Outcome("sent")


TREE = (
    Choice("main", (Option("help", goto="send"),)),
    Step("send", send, {"sent": "sent"}),
    Goodbye("stuck"),
)
