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
        ValidationFailedError: a key or an entry of the main menu does not exist, or one that every menu needs is missing.
    """
    plan = build_menu_plan(settings)
    problems = [
        settings.problem_at(("menu", "main", key), *finding)
        for key, entry in plan.main_menu.items()
        for finding in _entry_findings(key, entry)
    ]
    problems += [settings.problem_at(("menu", "main"), *finding) for finding in _missing_entry_findings(plan)]
    if problems:
        raise ValidationFailedError(problems)
    return plan


def _missing_entry_findings(plan: MenuPlan) -> Iterator[tuple[str, str]]:
    """The entries that every main menu needs and this one lacks."""
    needed = {"track": "which receipts mention", "find": "where every application begins"}
    if len(plan.languages) > 1:
        needed["language"] = "where callers change it"
    for entry, reason in needed.items():
        if not plan.key_for(entry):
            yield f"no entry leads to {entry}, {reason}", f"give {entry} a number"


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
