"""The page with the operators of village centres: the services behind `server.py operator`."""

from typing import TYPE_CHECKING

from app.cli import build_command_context, build_operator_commands
from web.console.operators.routes import OperatorsPage
from web.console.requests import ConsolePage

if TYPE_CHECKING:
    from app.console import ConsoleContext


def build_page(context: "ConsoleContext") -> ConsolePage:
    """The page."""
    app = context.app
    commands = build_operator_commands(app.settings, build_command_context(app), app.resources.hasher)
    return OperatorsPage(
        operators=commands.operators,
        activity=commands.activity,
        find_language=commands.find_language,
        is_supported_number=commands.is_supported_number,
        current_catalogue=commands.current_catalogue,
    ).build_page()
