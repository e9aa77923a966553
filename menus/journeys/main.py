"""The main menu, whose order and numbers a deployment sets, and the helpdesk behind it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

from menus.model import Choice, Goodbye, Journey, Option, Outcome, Step, Visit

DOORS = {
    "find": "sectors",
    "track": "ask_number",
    "documents": "documents_start",
    "complaint": "complaint_start",
    "bills": "bills",
    "account": "account",
    "app": "get_app",
    "help": "get_help",
    "language": "languages",
}
"""What the main menu can offer, and where each leads."""

SendLinks = Callable[[str, str, str], Awaitable[None]]
"""Sends the download links by SMS: number, language, effect."""


def main(order: Mapping[str, str], helpdesk: Mapping[str, str], send_links: SendLinks) -> Journey:
    """The main menu with its options under the keys of `order`, such as `{"1": "find", "2": "track"}`."""

    async def get_help(_: Visit) -> Outcome[Literal["here"]]:
        return Outcome("here", dict(helpdesk))

    async def get_app(visit: Visit) -> Outcome[Literal["sent"]]:
        await send_links(visit.citizen, visit.told_in, visit.effect)
        return Outcome("sent")

    options = tuple(Option(name, goto=DOORS[name], key=key) for key, name in order.items())
    return (
        Choice("main", options),
        Step("get_help", get_help, {"here": "helpdesk"}),
        Choice("helpdesk", (Option("operator", goto="operator"), Option("centre", goto="nearest_centre"))),
        Step("get_app", get_app, {"sent": "app_sent"}),
        Choice("app_sent", ()),
        Goodbye("stuck"),
    )
