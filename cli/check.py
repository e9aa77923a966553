"""`server.py check`: validate settings, menus, catalogue, translations and the demo phone's texts without a gateway."""

import argparse
import asyncio

from config.settings import Settings
from core.errors import ValidationFailedError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add `--verbose`."""
    parser.add_argument("--verbose", action="store_true", help="name every text that a language lacks")


def run_check(settings: Settings, args: argparse.Namespace) -> int:
    """Validate settings, menus, catalogue, texts and keys; exit status 2 with one line for each problem.

    Raises:
        ValidationFailedError: with every problem found.
    """
    from app.bootstrap import build_checked_menu
    from app.country_notes import list_country_notes
    from app.editor_notes import find_language_file_problems, list_notes
    from app.keys import check_keys
    from app.menu import catalogue_folders, find_fact_problems
    from providers.json_http.checks import find_row_problems
    from services.catalogue.models import CHANNELS
    from web.simulator.wording_check import find_simulator_problems

    if found := [*find_language_file_problems(), *find_simulator_problems(), *find_row_problems(settings)]:
        raise ValidationFailedError(found)
    checked = asyncio.run(build_checked_menu(settings))
    if found := find_fact_problems(checked):
        raise ValidationFailedError(found)
    asyncio.run(check_keys(settings))
    catalogue, screens = checked.services.current_catalogue.catalogue, len(checked.menu.screens)
    print(f"{screens} screens in {len(checked.locales)} forms and {len(catalogue.services)} services: no problems")
    counts = (f"{len(catalogue.services_on(channel))} on {channel}" for channel in CHANNELS)
    print(f"Services that citizens can apply for: {', '.join(counts)}")
    folders = catalogue_folders(settings.catalogue)
    for note in list_notes(settings, catalogue, checked.locales, folders, verbose=args.verbose):
        print(note)
    for note in list_country_notes(settings, checked.locales):
        print(note)
    return 0
