"""A citizen's own data: send a link to all of it, or delete the account.

Both ask for the PIN; deleting says before what is kept. Operators cannot do either; see `menus.journeys.assisted`.
"""

from typing import Literal

from menus.journeys.services import JourneyServices
from menus.model import Choice, Goodbye, Journey, Option, Outcome, Step, StepContext
from menus.proof import ACCESS, FRESH_PIN_AND_SIM, REVEALS
from services.privacy.models import DataRequest


def build_privacy_journey(services: JourneyServices) -> Journey:
    """The screens from the profile menu; the caller is signed in.

    `account_closed` informs a caller who is still signed in in another session.
    """

    async def send(context: StepContext) -> Outcome[Literal["sent"]]:
        await services.privacy.send_link(_build_request(context))
        return Outcome("sent")

    async def delete(context: StepContext) -> Outcome[Literal["deleted"]]:
        await services.privacy.delete_account(_build_request(context))
        return Outcome("deleted", {"account": 0, "epoch": 0})

    return (
        Choice("own_data", (Option("send", goto="own_data_confirm"), Option("delete", goto="delete_confirm"))),
        Choice("own_data_confirm", (Option("send", goto="own_data_send", means="yes"),)),
        Step("own_data_send", send, {"sent": "own_data_sent"}, commits=True, effects=REVEALS, needs=FRESH_PIN_AND_SIM),
        Choice("own_data_sent", (Option("go_on", goto="profile"),)),
        Choice(
            "delete_confirm", (Option("delete", goto="delete", means="yes"), Option("keep", goto="profile", means="no"))
        ),
        Step("delete", delete, {"deleted": "deleted"}, commits=True, effects=ACCESS, needs=FRESH_PIN_AND_SIM),
        Goodbye("deleted"),
        Choice("account_closed", (Option("register", goto="register"), Option("go_on", goto="main"))),
    )


def _build_request(context: StepContext) -> DataRequest:
    return DataRequest(
        account=context.facts["account"],
        msisdn=context.citizen,
        language=context.citizen_language,
        channel=context.channel,
        idempotency_key=context.idempotency_key,
    )
