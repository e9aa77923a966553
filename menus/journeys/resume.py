"""Going on after a dropped call: the offer that a redial within the window opens with."""

from typing import Literal

import msgspec

from menus.model import Choice, Facts, Journey, Option, Outcome, Place, Step, Visit

APPLYING = frozenset(
    {
        *("for_whom", "ask_other", "from_profile", "form", "form_changed", "confirm", "confirm_free"),
        *("bring", "bring_nothing", "change_which", "send_pin", "send_pin_wrong"),
    }
)
OFFERS = frozenset({"resume", "resume_form"})
NOTHING_LOST = frozenset({"main", "languages"}) | OFFERS
"""Screens that a caller who was cut off there loses nothing by not going back to."""


def resume() -> Journey:
    """The offer in its two wordings, and the way back to the place that was left."""

    async def carry_on(visit: Visit) -> Outcome[Literal["carried"]]:
        return Outcome("carried", place=msgspec.convert(visit.facts["left"], Place))

    options = (Option("go_on", goto="carry_on"), Option("afresh", goto="main"))
    return (
        Choice("resume", options, opens=True),
        Choice("resume_form", options, opens=True),
        Step("carry_on", carry_on, {"carried": "main"}),
    )


def worth_resuming(place: Place) -> bool:
    """Whether a caller who was cut off at `place` has anything to go back to."""
    somewhere = bool(place.trail or place.facts.get("consent"))  # whoever acts for a citizen would have to ask again
    return not place.over and somewhere and place.screen not in NOTHING_LOST


def offer(left: Place) -> Place:
    """The place that a redial begins at when the last call was cut off at `left`."""
    facts: Facts = {"left": msgspec.to_builtins(left), "service": left.facts.get("service")}
    screen = "resume_form" if left.screen in APPLYING else "resume"
    return Place(screen, left.language, facts=dict(facts))
