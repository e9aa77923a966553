"""The page of one's own account."""

from typing import TYPE_CHECKING

from web.console.account.routes import AccountPage
from web.console.requests import ConsolePage

if TYPE_CHECKING:
    from app.console import ConsoleContext


def build_page(context: "ConsoleContext") -> ConsolePage:
    """The page."""
    return AccountPage(context.staff.members, context.staff.account, context.staff.sessions).build_page()
