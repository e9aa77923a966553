"""What a deployment decides about its menus, refused on its line of config.toml where the tree cannot have it."""

from collections.abc import Iterator

from faults import Broken
from menus.journeys.main import DOORS
from menus.tree import Plan
from screens.pages import MOST_OPTIONS
from settings import Settings


def plan_of(settings: Settings) -> Plan:
    """What this deployment decides."""
    helpdesk = {"phone": settings.helpdesk.phone, "email": settings.helpdesk.email}
    return Plan(
        settings.languages.offered,
        settings.menu.main,
        helpdesk,
        pin_by_sms=settings.accounts.pin_by_sms,
        by_email=bool(settings.mail.host),
    )


def possible(settings: Settings) -> Plan:
    """The same, once the tree can have it.

    Raises:
        Broken: the main menu has a number or leads to something that there is not, or nothing leads to tracking.
    """
    plan = plan_of(settings)
    wrong = [
        settings.fault(("menu", "main", key), *said) for key, door in plan.main.items() for said in _door(key, door)
    ]
    if not plan.key_of("track"):
        said = "nothing leads to track, which receipts speak of", "give track a number"
        wrong.append(settings.fault(("menu", "main"), *said))
    if wrong:
        raise Broken(wrong)
    return plan


def _door(key: str, door: str) -> Iterator[tuple[str, str]]:
    if key not in map(str, range(1, MOST_OPTIONS + 1)):
        yield f"{key!r} is no number of an option", f"write one from 1 to {MOST_OPTIONS}"
    if door not in DOORS:
        yield f"{door!r} is nothing it can lead to", f"choose from {', '.join(sorted(DOORS))}"
