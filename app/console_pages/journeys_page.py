"""The page with the ways of callers through the menus."""

from typing import TYPE_CHECKING

from app.localization import build_calendar
from web.console.journeys.routes import JourneysPage
from web.console.requests import ConsolePage

if TYPE_CHECKING:
    from app.console import ConsoleContext


def build_page(context: "ConsoleContext") -> ConsolePage:
    """The page."""
    checked_menu = context.app.checked_menu
    traffic = checked_menu.services.menu_traffic
    page = JourneysPage(
        menu=checked_menu.menu,
        locales=context.locales,
        read_moves=traffic.read_moves,
        read_starts=traffic.read_starts,
        today=build_calendar(context.app.settings),
    )
    return page.build_page()
