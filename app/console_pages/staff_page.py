"""The page with the members of staff: the services behind `server.py staff`."""

from typing import TYPE_CHECKING

from web.console.requests import ConsolePage
from web.console.staff.routes import StaffPage

if TYPE_CHECKING:
    from app.console import ConsoleContext


def build_page(context: "ConsoleContext") -> ConsolePage:
    """The page."""
    return StaffPage(
        members=context.staff.members,
        changes=context.staff.changes,
        current_catalogue=context.app.checked_menu.services.current_catalogue,
    ).build_page()
