"""Find the nearest centre by postcode or district: address, opening hours, and all of it by SMS."""

from collections.abc import Sequence
from typing import Literal

from core.phone_numbers import find_country
from menus import validators
from menus.journeys.services import JourneyServices
from menus.model import Choice, Facts, Journey, ListScreen, Option, Outcome, Question, Step, StepContext

CENTRE_FACTS = ("centre", "first", "last", "opens", "closes", "phone", "postcode")
"""What a centre tells of itself."""


def build_centres_journey(services: JourneyServices) -> Journey:
    """The question, the list of centres, and one centre."""

    async def find_centres(context: StepContext) -> Outcome[Literal["one", "several", "none"]]:
        near = services.catalogue.centres.find_near(context.facts["place"], find_country(context.citizen))
        if len(near) == 1:
            return Outcome("one", {"centre": near[0].code})
        return Outcome("several" if near else "none", {"near": [centre.code for centre in near]})

    async def show_centre(context: StepContext) -> Outcome[Literal["told"]]:
        return Outcome("told", services.catalogue.get_centre(context.facts["centre"]).facts())

    async def send(context: StepContext) -> Outcome[Literal["sent"]]:
        centre = services.catalogue.get_centre(context.facts["centre"])
        await services.info_messages.send_centre(
            context.citizen, centre, context.citizen_language, context.idempotency_key
        )
        return Outcome("sent")

    def centre_rows(facts: Facts) -> Sequence[Facts]:
        return [{"centre": code} for code in facts.get("near", ())]

    again, help_options = Option("again", goto="nearest_centre"), (Option("help", goto="get_help"),)
    return (
        Question("nearest_centre", "place", validators.place, goto="find_centres", secret=True),
        Step("find_centres", find_centres, {"one": "look_at_centre", "several": "centres", "none": "no_centre"}),
        Question(
            "no_centre",
            "place",
            validators.place,
            goto="find_centres",
            secret=True,
            options=help_options,
            retry_of="nearest_centre",
        ),
        ListScreen("centres", centre_rows, save_as="centre", goto="look_at_centre", goto_if_empty="no_centre"),
        Step("look_at_centre", show_centre, {"told": "centre"}, facts=CENTRE_FACTS),
        Choice("centre", (Option("by_sms", goto="send_centre", hidden_on="sms"), again), key_fact="phone"),
        Step("send_centre", send, {"sent": "centre_sent"}, once=True, subject=("centre",)),
        Choice("centre_sent", (again,)),
    )
