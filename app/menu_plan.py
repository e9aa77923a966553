"""The menu settings, and the problems of `config.toml` that only the menu and the catalogue reveal."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from config.settings import Settings
from core.errors import Problem, ValidationFailedError
from menus.journeys.main import MAIN_MENU_ENTRIES
from menus.rendering.paging import MAX_OPTIONS
from menus.tree import MenuPlan


def build_menu_plan(settings: Settings) -> MenuPlan:
    """The settings of the menu."""
    helpdesk = {"phone": settings.helpdesk.phone, "email": settings.helpdesk.email}
    return MenuPlan(
        settings.languages.offered,
        settings.menu.main,
        helpdesk,
        pin_by_sms=settings.accounts.pin_by_sms,
        by_email=bool(settings.mail.host),
    )


def validated_plan(settings: Settings) -> MenuPlan:
    """The settings of the menu, checked.

    Raises:
        ValidationFailedError: a key or an entry of the main menu does not exist, or no entry leads to tracking.
    """
    plan = build_menu_plan(settings)
    problems = [
        settings.problem_at(("menu", "main", key), *finding)
        for key, entry in plan.main_menu.items()
        for finding in _entry_findings(key, entry)
    ]
    if not plan.key_for("track"):
        finding = "no entry leads to track, which receipts mention", "give track a number"
        problems.append(settings.problem_at(("menu", "main"), *finding))
    if problems:
        raise ValidationFailedError(problems)
    return plan


def _entry_findings(key: str, entry: str) -> Iterator[tuple[str, str]]:
    if key not in map(str, range(1, MAX_OPTIONS + 1)):
        yield f"{key!r} is not the number of an option", f"write one from 1 to {MAX_OPTIONS}"
    if entry not in MAIN_MENU_ENTRIES:
        yield f"{entry!r} is not an entry of the main menu", f"choose from {', '.join(sorted(MAIN_MENU_ENTRIES))}"


def find_unknown_departments(settings: Settings, known: Iterable[str]) -> Iterator[Problem]:
    """A problem for each department in the settings that the catalogue does not have."""
    codes = sorted(known)
    for code in settings.departments:
        if code not in codes:
            close = get_close_matches(code, codes, n=1)
            fix = f"did you mean {close[0]}?" if close else f"there are {', '.join(codes)}"
            yield settings.problem_at(("departments", code), f"there is no department {code!r} in the catalogue", fix)
