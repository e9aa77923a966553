"""The page with the catalogue."""

from pathlib import Path
from typing import TYPE_CHECKING

from app.program_check import ProgramCheck, build_check_command
from web.console.catalogue.routes import CataloguePage
from web.console.requests import ConsolePage

if TYPE_CHECKING:
    from app.console import ConsoleContext


def build_page(context: "ConsoleContext") -> ConsolePage:
    """The page. The check is that of `server.py check`, with the same file of settings."""
    app = context.app
    check = ProgramCheck(build_check_command(Path(app.settings.origin.file)))
    return CataloguePage(
        current_catalogue=app.checked_menu.services.current_catalogue, run_check=check.run
    ).build_page()
