"""The nearest place where people are helped: asked for by postcode or district, said with its hours, sent by SMS."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, NamedTuple

from menus import checks
from menus.model import Choice, Facts, Journey, Listing, Option, Outcome, Question, Step, Visit

Near = Callable[[str, str], Sequence[str]]
"""Codes of the centres nearest to a postcode or district as it was typed, the nearest first; with whose number it is."""
SendCentre = Callable[[str, str, str, str], Awaitable[None]]
"""Sends where a centre is by SMS: to whom, the centre's code, language, effect."""


class Centres(NamedTuple):
    """The calls that this journey makes. `about`: what is said of the centre with this code."""

    near: Near
    about: Callable[[str], Facts]
    send: SendCentre


def centres(calls: Centres) -> Journey:
    """The question, the places, and one of them."""

    async def find(visit: Visit) -> Outcome[Literal["one", "several", "none"]]:
        near = calls.near(visit.facts["place"], visit.citizen)
        if len(near) == 1:
            return Outcome("one", {"centre": near[0]})
        return Outcome("several" if near else "none", {"near": list(near)})

    async def look_at(visit: Visit) -> Outcome[Literal["told"]]:
        return Outcome("told", calls.about(visit.facts["centre"]))

    async def send(visit: Visit) -> Outcome[Literal["sent"]]:
        await calls.send(visit.citizen, visit.facts["centre"], visit.told_in, visit.effect)
        return Outcome("sent")

    def rows(facts: Facts) -> Sequence[Facts]:
        return [{"centre": code} for code in facts.get("near", ())]

    again, helped = Option("again", goto="nearest_centre"), (Option("help", goto="get_help"),)
    return (
        Question("nearest_centre", "place", checks.place, goto="find_centres", secret=True),
        Step("find_centres", find, {"one": "look_at_centre", "several": "centres", "none": "no_centre"}),
        Question("no_centre", "place", checks.place, goto="find_centres", secret=True, options=helped),
        Listing("centres", rows, saves="centre", goto="look_at_centre", empty="no_centre"),
        Step("look_at_centre", look_at, {"told": "centre"}),
        Choice("centre", (Option("by_sms", goto="send_centre", not_on="sms"), again)),
        Step("send_centre", send, {"sent": "centre_sent"}),
        Choice("centre_sent", (again,)),
    )
