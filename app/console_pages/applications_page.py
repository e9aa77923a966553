"""The page of applications."""

from typing import TYPE_CHECKING

from app.console_pages.case_tools import build_tools
from services.privacy.form_answers import FormAnswers
from web.console.applications.routes import build_applications_page
from web.console.requests import ConsolePage

if TYPE_CHECKING:
    from app.console import ConsoleContext


def build_page(context: "ConsoleContext") -> ConsolePage:
    """The page."""
    services, tools = context.app.checked_menu.services, build_tools(context)
    answers = FormAnswers(services.current_catalogue)
    return build_applications_page(services.department_applications, answers, tools).build_page()
