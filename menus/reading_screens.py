"""Which screens only tell something: a caller who hangs up there loses nothing, and is not offered to continue.

A choice asks for a decision if one of its options leads to a step that acts in the citizen's name, with no screen between
them. A list whose rows lead to nothing but such screens is one of them.

A screen that tells only what came of an act is offered all the same: its reply may have been lost, and a caller who does not
read it would do the act once more.
"""

from collections.abc import Iterator
from functools import lru_cache

from menus.model import Choice, Goodbye, ListScreen, Menu, Step, successors
from menus.proof import NO_PROOF, Effect


@lru_cache(maxsize=8)
def find_reading_screens(menu: Menu) -> frozenset[str]:
    """The names of the screens that only tell something."""
    choices = {it.name for it in menu.screen_list if isinstance(it, Choice) and _only_tells(menu, it)}
    choices -= _find_results(menu)
    lists = {
        it.name
        for it in menu.screen_list
        if isinstance(it, ListScreen) and it.free_text is None and set(_shown_after(menu, it.goto)) <= choices
    }
    return frozenset(choices | lists)


@lru_cache(maxsize=8)
def find_asking_screens(menu: Menu) -> frozenset[str]:
    """The names of the screens that ask for something: a caller who hangs up there has not finished what they began.

    Everything else tells something, or offers where to go.
    """
    telling = find_reading_screens(menu) | _find_results(menu)
    return frozenset(it.name for it in menu.screen_list if not isinstance(it, Goodbye | Step)) - telling


def _find_results(menu: Menu) -> set[str]:
    """The screens that are shown after an act with a proof, and after nothing else.

    An SMS tells of every change to who may sign in, and a second one does no harm.
    """
    acts = [it for it in menu.screen_list if isinstance(it, Step) and it.commits and it.needs not in {None, NO_PROOF}]
    acts = [it for it in acts if Effect.ACCESS not in it.effects]
    results = {shown for act in acts for after in successors(act) for shown in _shown_after(menu, after)}
    others = (successors(it) for it in menu.screen_list if it not in acts)
    return results - {menu.home} - {name for names in others for name in names}


def _only_tells(menu: Menu, screen: Choice) -> bool:
    """Whether none of the options decides anything; what is asked for again in one key press is no decision."""
    if screen.save_as or screen.opens_session:
        return False
    return not any(_decides(menu, option.goto) for option in screen.options)


def _decides(menu: Menu, name: str) -> bool:
    """Whether what follows acts, or asks for answers that only a signed-in caller may give."""
    proved = [step for step in _steps_from(menu, name) if step.needs not in {None, NO_PROOF}]
    if any(step.commits or step.effects - {Effect.REVEALS} for step in proved):
        return True
    shown = {type(menu.screens[after]) for after in _shown_after(menu, name)}
    return any(not step.effects for step in proved) and not shown <= {Choice, Goodbye}


def _steps_from(menu: Menu, name: str, seen: frozenset[str] = frozenset()) -> Iterator[Step]:
    """The steps that run from `name` on until a screen is shown."""
    screen = menu.screens[name]
    if isinstance(screen, Step) and name not in seen:
        yield screen
        for following in successors(screen):
            yield from _steps_from(menu, following, seen | {name})


def _shown_after(menu: Menu, name: str) -> Iterator[str]:
    """The screens that are shown after the steps from `name` on."""
    steps = {step.name: step for step in _steps_from(menu, name)}
    following = {after for step in steps.values() for after in successors(step)} if steps else {name}
    yield from following - steps.keys()
