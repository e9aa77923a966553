"""The page with the messages."""

from typing import TYPE_CHECKING

from services.helpdesk.resends import MessageResends
from services.helpdesk.sealed_references import SealedReferences
from web.console.messages.routes import MessagesPage
from web.console.requests import ConsolePage

if TYPE_CHECKING:
    from app.console import ConsoleContext


def build_page(context: "ConsoleContext") -> ConsolePage:
    """The page, over the queue of this process."""
    resources, messages = context.app.resources, context.app.checked_menu.services.messages
    page = MessagesPage(
        messages=messages,
        resends=MessageResends(resources.database, messages, resources.cipher),
        references=SealedReferences(resources.cipher),
    )
    return page.build_page()
