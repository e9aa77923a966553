"""The page of complaints."""

from typing import TYPE_CHECKING

from app.console_pages.case_tools import build_tools
from web.console.complaints.routes import build_complaints_page
from web.console.requests import ConsolePage

if TYPE_CHECKING:
    from app.console import ConsoleContext


def build_page(context: "ConsoleContext") -> ConsolePage:
    """The page."""
    complaints = context.app.checked_menu.services.complaints.department_view
    return build_complaints_page(complaints, build_tools(context)).build_page()
