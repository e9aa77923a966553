"""Check the screens after which something reaches the phone that no phone takes during a call, such as a wallet's prompt.

Such a screen must end the call on every network: a page that leads to another one keeps the call open.
"""

from collections.abc import Iterator

from core.errors import Problem
from menus.model import Goodbye, Menu, Step
from menus.proof import Effect


def find_last_screen_problems(menu: Menu) -> Iterator[Problem]:
    """Steps that ask for money and do not say when the call must be over, and outcomes whose screen does not end it."""
    for step in menu.screen_list:
        if not isinstance(step, Step):
            continue
        if Effect.COSTS in step.effects and not step.ends_call:
            yield _problem(
                step.name, "it costs, but does not say after which outcome the call must be over", "give it ends_call="
            )
        for outcome in step.ends_call:
            screen = step.outcomes.get(outcome)
            if screen is None:
                yield _problem(step.name, f"its ends_call names {outcome!r}, which is no outcome", "remove it")
            elif not isinstance(menu.screens.get(screen), Goodbye):
                yield _problem(
                    step.name, f"after {outcome!r} the call must be over, but {screen!r} goes on", "make it a Goodbye"
                )


def list_last_screens(menu: Menu) -> frozenset[str]:
    """The names of the screens that must end the call, so on one page."""
    steps = [screen for screen in menu.screen_list if isinstance(screen, Step)]
    return frozenset(step.outcomes[outcome] for step in steps for outcome in step.ends_call if outcome in step.outcomes)


def _problem(screen: str, problem: str, fix: str) -> Problem:
    return Problem("menus", 0, screen, problem, fix)
