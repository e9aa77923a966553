"""That every name leads somewhere, every screen can be reached, every way of a step is mapped, every option has a key."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal, Union, get_args, get_origin

from faults import Fault
from menus.check.proof import meant
from menus.journeys.resume import resume
from menus.model import Choice, Goodbye, Listing, Menu, Option, Question, Screen, Step, keyed, leads_to
from menus.words import RESERVED
from screens.pages import MOST_OPTIONS

_KEYS = frozenset(map(str, range(1, MOST_OPTIONS + 1)))


def ways_of(step: Step) -> frozenset[str] | None:
    """The ways that a step's function says it can go, or None where it does not say."""
    said = getattr(step.call, "__annotations__", {}).get("return")
    return frozenset(way for argument in get_args(said) for way in _literals(argument)) or None


def tree(menu: Menu) -> Iterator[Fault]:
    """Everything that is wrong with the shape."""
    yield from _twice(menu)
    yield from _ends(menu)
    for screen in menu.listed:
        yield from _names(screen)
        for name in leads_to(screen):
            if name not in menu.screens:
                yield _fault(screen.name, f"leads to {name!r}, which is no screen", meant(name, menu.screens))
        if isinstance(screen, Step):
            yield from _unmapped(screen)
        if isinstance(screen, Choice | Question | Listing):
            yield from _keys(screen.name, screen.options)
    for name in menu.entries:
        if name not in menu.screens:
            yield _fault(name, "a keyword leads here, and there is no such screen", meant(name, menu.screens))
    yield from _kept_from_operators(menu)
    for name in sorted(set(menu.screens) - _reached(menu)):
        yield _fault(name, "nothing leads here", "let a screen lead to it, or take it out")


def _ends(menu: Menu) -> Iterator[Fault]:
    """Where `00` leads to, and where a ring of steps does."""
    if not isinstance(menu.screens.get(menu.home), Choice):
        yield _fault(menu.home, "home is here, and this is no choice", "add a Choice of this name")
    if not isinstance(menu.screens.get(menu.stuck), Goodbye):
        yield _fault(menu.stuck, "a call that is stuck ends here, and this is no goodbye", "add a Goodbye of this name")
    if menu.gone != menu.home and not isinstance(menu.screens.get(menu.gone), Choice):
        yield _fault(menu.gone, "whose service is gone is put here, and this is no choice", "add a Choice of this name")
    if menu.closing and not isinstance(menu.screens.get(menu.closing.screen), Choice):
        name = menu.closing.screen
        yield _fault(name, "whose account is closed is put here, and this is no choice", "add a Choice of this name")


def _for_an_operator(menu: Menu) -> list[str]:
    """The screens that an operator is shown instead of others, and that one's call ends at."""
    acting = menu.acting
    return [*acting.instead.values(), acting.unasked, acting.ends] if acting else []


def _kept_from_operators(menu: Menu) -> Iterator[Fault]:
    """Screens that are kept from an operator: one that is misspelt would be kept from nobody."""
    acting = menu.acting
    for name in (*acting.instead, *acting.only_for, *_for_an_operator(menu)) if acting else ():
        if name not in menu.screens:
            yield _fault(name, "this is said of operators, and there is no such screen", meant(name, menu.screens))


def _names(screen: Screen) -> Iterator[Fault]:
    if screen.name in RESERVED:
        yield _fault(screen.name, "locales have a table of this name already", "rename the screen")
    if isinstance(screen, Choice | Question | Listing):
        for option in screen.options:
            if option.name in {"text", "row"}:
                yield _fault(screen.name, f"an option is called {option.name!r} like what it stands under", "rename it")


def _twice(menu: Menu) -> Iterator[Fault]:
    seen: set[str] = set()
    for screen in menu.listed:
        if screen.name in seen:
            yield _fault(screen.name, "there are two screens of this name", "rename one")
        seen.add(screen.name)


def _unmapped(step: Step) -> Iterator[Fault]:
    ways = ways_of(step)
    if ways is None:
        yield _fault(step.name, "its function does not say its ways", 'annotate it: -> Outcome[Literal["done"]]')
        return
    for way in sorted(ways - set(step.outcomes)):
        yield _fault(step.name, f"its outcome {way!r} leads nowhere", "map it to a screen")
    for way in sorted(set(step.outcomes) - ways):
        yield _fault(step.name, f"it maps {way!r}, which its function never answers", "take it out")


def _keys(name: str, options: Sequence[Option]) -> Iterator[Fault]:
    keys = [key for key, _ in keyed(options)]
    for key in dict.fromkeys(keys):
        if key not in _KEYS:
            yield _fault(name, f"an option has the key {key!r}", f"give it one from 1 to {MOST_OPTIONS}")
        elif keys.count(key) > 1:
            yield _fault(name, f"two options have the key {key}", "give each its own")


def _reached(menu: Menu) -> set[str]:
    starts = ["languages", menu.home, menu.stuck, menu.gone, *(screen.name for screen in resume()), *menu.entries]
    starts += _for_an_operator(menu)
    starts += [menu.closing.screen] if menu.closing else []
    reached: set[str] = set()
    while starts:
        name = starts.pop()
        if name in menu.screens and name not in reached:
            reached.add(name)
            starts.extend(leads_to(menu.screens[name]))
    return reached


def _literals(annotation: Any) -> Iterator[str]:
    if get_origin(annotation) is Literal:
        yield from get_args(annotation)
    elif get_origin(annotation) is Union or type(annotation).__name__ == "UnionType":
        for part in get_args(annotation):
            yield from _literals(part)


def _fault(screen: str, problem: str, right: str) -> Fault:
    return Fault("menus", 0, screen, problem, right)
