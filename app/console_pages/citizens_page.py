"""The page on which the helpdesk looks up citizens."""

from typing import TYPE_CHECKING

from app.citizen_commands import build_citizen_commands
from app.texts import build_sms_renderer
from services.helpdesk.sealed_references import SealedReferences
from web.console.citizens.notices import NoticesForm
from web.console.citizens.routes import CitizensPage
from web.console.requests import ConsolePage

if TYPE_CHECKING:
    from app.console import ConsoleContext


def build_page(context: "ConsoleContext") -> ConsolePage:
    """The page, over the services of the menus."""
    settings, resources, services = context.app.settings, context.app.resources, context.app.checked_menu.services
    commands = build_citizen_commands(
        settings,
        database=resources.database,
        cipher=resources.cipher,
        messages=services.messages,
        accounts=services.accounts,
        releases=services.number_releases,
        hasher=resources.hasher,
        number_checks=services.number_checks,
        render_text=build_sms_renderer(context.locales, settings),
    )
    page = CitizensPage(
        lookup=commands.lookup,
        resends=commands.resends,
        support=commands.support,
        references=SealedReferences(resources.cipher),
        notices=NoticesForm(commands.parse_notices, commands.release_notices),
        is_supported_number=commands.is_supported_number,
    )
    return page.build_page()
