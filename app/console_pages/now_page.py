"""The page with what happens now."""

from typing import TYPE_CHECKING

from services.catalogue.models import pick_translation
from web.console.now.board import NowBoard
from web.console.now.routes import NowPage
from web.console.requests import ConsolePage

if TYPE_CHECKING:
    from app.console import ConsoleContext


def build_page(context: "ConsoleContext") -> ConsolePage:
    """The page. Its streams end with the gateway."""
    settings, current = context.app.settings, context.app.checked_menu.services.current_catalogue

    def name_department(code: str, language: str) -> str:
        department = current.catalogue.departments.get(code)
        return pick_translation(department.names, language) if department else code

    board = NowBoard(context.render_metrics, list(settings.sms.providers), lambda: sorted(settings.departments))
    page = NowPage(board, name_department, context.staff.sessions.is_open)
    context.call_at_end(page.stream.end)
    return page.build_page()
