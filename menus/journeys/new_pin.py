"""Choosing a PIN and typing it again, for whoever needs one: registering, changing it, having forgotten it.

Between the two key presses the session remembers a hash of the PIN, never the PIN.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

from menus import checks
from menus.model import Journey, Outcome, Question, Step, Visit

Hash = Callable[[str], Awaitable[str]]
Matches = Callable[[str, str], Awaitable[bool]]

PinFor = Literal["register", "change", "recover", "operator"]
AFTER: Mapping[str, str] = {
    "register": "questions",
    "change": "keep_pin",
    "recover": "keep_pin",
    "operator": "keep_operator_pin",
}
"""What the fact `pin_for` may say, and where each goes on with the fact `pin_hash`."""


def new_pin(hash_secret: Hash, matches: Matches) -> Journey:
    """The PIN, once and once more; then on to whoever asked, as `pin_for` says."""

    async def hold_pin(visit: Visit) -> Outcome[Literal["held"]]:
        return Outcome("held", {"pin_hash": await hash_secret(visit.facts["pin"])})

    async def compare_pins(visit: Visit) -> Outcome[PinFor | Literal["different"]]:
        same = await matches(visit.facts["pin"], visit.facts["pin_hash"])
        pin_for: PinFor = visit.facts["pin_for"]
        return Outcome(pin_for if same else "different")

    return (
        Question("new_pin", "pin", checks.new_pin, goto="hold_pin", secret=True),
        Question("new_pin_again", "pin", checks.new_pin, goto="hold_pin", secret=True),
        Step("hold_pin", hold_pin, {"held": "confirm_pin"}),
        Question("confirm_pin", "pin", checks.pin, goto="compare_pins", secret=True),
        Step("compare_pins", compare_pins, {**AFTER, "different": "new_pin_again"}),
    )
