"""Choose a PIN and repeat it: for registration, a change, a recovery, or an operator.

Between the two inputs the session stores a hash of the PIN, never the PIN.
"""

from collections.abc import Mapping
from typing import Literal

from menus import validators
from menus.journeys.services import JourneyServices
from menus.model import Journey, Outcome, Question, Step, StepContext

PinFor = Literal["register", "change", "recover", "operator"]
NEXT_SCREEN: Mapping[str, str] = {
    "register": "questions",
    "change": "keep_pin",
    "recover": "keep_recovered_pin",
    "operator": "keep_operator_pin",
}
"""The values of the fact `pin_for`, and the screen that continues with the fact `pin_hash`."""


def build_new_pin_journey(services: JourneyServices) -> Journey:
    """The PIN twice, then the screen that `pin_for` names."""

    async def hash_pin(context: StepContext) -> Outcome[Literal["held"]]:
        return Outcome("held", {"pin_hash": await services.accounts.hash_secret(context.facts["pin"])})

    async def compare_pins(context: StepContext) -> Outcome[PinFor | Literal["different"]]:
        same = await services.accounts.verify_secret(context.facts["pin"], context.facts["pin_hash"])
        pin_for: PinFor = context.facts["pin_for"]
        return Outcome(pin_for if same else "different")

    return (
        Question("new_pin", "pin", validators.new_pin, goto="hold_pin", secret=True),
        Question("new_pin_again", "pin", validators.new_pin, goto="hold_pin", secret=True, retry_of="new_pin"),
        Step("hold_pin", hash_pin, {"held": "confirm_pin"}),
        Question("confirm_pin", "pin", validators.pin, goto="compare_pins", secret=True),
        Step("compare_pins", compare_pins, {**NEXT_SCREEN, "different": "new_pin_again"}),
    )
