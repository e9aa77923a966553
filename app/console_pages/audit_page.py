"""The page with the audit log."""

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from services.audit.entries import AuditReader
from web.console.audit.routes import AuditPage
from web.console.requests import ConsolePage

if TYPE_CHECKING:
    from app.console import ConsoleContext


def build_page(context: "ConsoleContext") -> ConsolePage:
    """The page."""
    app = context.app
    return AuditPage(
        reader=AuditReader(app.resources.database), zone=ZoneInfo(app.settings.countries.time_zone)
    ).build_page()
