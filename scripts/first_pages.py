"""List the screens whose first page does not say what they are for, and the pages that are less than half full."""

import asyncio
from pathlib import Path

from app.bootstrap import build_checked_menu
from app.menu import build_menu_definition
from app.settings import load_settings
from core.languages import LOCALE_CODES
from menus.validation.first_pages import find_first_page_problems


def main() -> None:
    """Print every problem of the shipped texts and catalogue, and their number in each form."""
    checked = asyncio.run(build_checked_menu(load_settings(Path("config.toml"), {})))
    definition = build_menu_definition(checked.menu, checked.services.current_catalogue.snapshot, checked.locales)
    for locale_code in LOCALE_CODES:
        problems = list(find_first_page_problems(definition, locale_code))
        print(*problems, f"{locale_code}: {len(problems)}", sep="\n")  # noqa: T201 - it is a report


if __name__ == "__main__":
    main()
