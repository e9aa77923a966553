"""The main menu, whose order and keys the deployment sets, and the helpdesk."""

from collections.abc import Mapping
from typing import Literal

from menus.journeys.services import JourneyServices
from menus.model import Choice, Goodbye, Journey, Option, Outcome, Step, StepContext

MAIN_MENU_ENTRIES = {
    "find": "sectors",
    "track": "ask_number",
    "documents": "documents_start",
    "complaint": "complaint_start",
    "bills": "bills",
    "account": "account",
    "app": "get_app",
    "help": "get_help",
    "language": "change_language",
}
"""Entries of a main menu, and the screen that each leads to."""


def build_main_journey(
    entries_by_key: Mapping[str, str], helpdesk: Mapping[str, str], services: JourneyServices
) -> Journey:
    """The main menu; `entries_by_key` is such as `{"1": "find", "2": "track"}`."""

    async def get_help(_: StepContext) -> Outcome[Literal["here"]]:
        return Outcome("here", dict(helpdesk))

    async def get_app(context: StepContext) -> Outcome[Literal["sent"]]:
        await services.app_links.send(context.citizen, context.citizen_language, context.idempotency_key)
        return Outcome("sent")

    options = tuple(Option(name, goto=MAIN_MENU_ENTRIES[name], key=key) for key, name in entries_by_key.items())
    return (
        Choice("main", options),
        Step("get_help", get_help, {"here": "helpdesk"}),
        Choice("helpdesk", (Option("operator", goto="operator"), Option("centre", goto="nearest_centre"))),
        Step("get_app", get_app, {"sent": "app_sent"}, once=True),
        Choice("app_sent", ()),
        Goodbye("stuck"),
    )
