"""The page of feedback."""

from typing import TYPE_CHECKING

from app.console_pages.case_tools import build_tools
from web.console.feedback.routes import FeedbackPage
from web.console.requests import ConsolePage

if TYPE_CHECKING:
    from app.console import ConsoleContext


def build_page(context: "ConsoleContext") -> ConsolePage:
    """The page."""
    complaints = context.app.checked_menu.services.complaints.department_view
    return FeedbackPage(complaints, build_tools(context)).build_page()
