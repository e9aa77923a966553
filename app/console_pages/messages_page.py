"""The page with the messages."""

from functools import partial
from typing import TYPE_CHECKING

from app.registration_sheet import build_sheet
from services.helpdesk.resends import MessageResends
from services.helpdesk.sealed_references import SealedReferences
from web.console.messages.routes import MessagesPage
from web.console.requests import ConsolePage

if TYPE_CHECKING:
    from app.console import ConsoleContext


def build_page(context: "ConsoleContext") -> ConsolePage:
    """The page, over the queue of this process."""
    settings, resources, services = context.app.settings, context.app.resources, context.app.checked_menu.services
    messages, current_catalogue = services.messages, services.current_catalogue
    page = MessagesPage(
        messages=messages,
        resends=MessageResends(resources.database, messages, resources.cipher),
        references=SealedReferences(resources.cipher),
        build_sheet=partial(build_sheet, settings, context.locales, current_catalogue),
    )
    return page.build_page()
