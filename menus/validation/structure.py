"""Check the structure: every name leads to a screen, every screen is reachable, every outcome is mapped, every option has a key."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal, Union, get_args, get_origin

from core.errors import Problem
from menus.journeys.resume import build_resume_journey
from menus.model import Choice, Goodbye, ListScreen, Menu, Option, Question, Screen, Step, number_options, successors
from menus.rendering.localization import RESERVED_TABLES
from menus.rendering.paging import MAX_OPTIONS
from menus.validation.last_screens import find_last_screen_problems
from menus.validation.proofs import find_proof_problems, proof_screens
from menus.validation.report import suggest_name

_VALID_KEYS = frozenset(map(str, range(1, MAX_OPTIONS + 1)))


def declared_outcomes(step: Step) -> frozenset[str] | None:
    """The outcomes that the annotation of a step's function declares; None without one."""
    annotation = getattr(step.run, "__annotations__", {}).get("return")
    return frozenset(outcome for argument in get_args(annotation) for outcome in _literal_values(argument)) or None


def find_structure_problems(menu: Menu) -> Iterator[Problem]:
    """Every problem of the structure."""
    yield from _duplicate_problems(menu)
    yield from _fixed_screen_problems(menu)
    for screen in menu.screen_list:
        yield from _name_problems(screen)
        for name in successors(screen):
            if name not in menu.screens:
                yield _problem(
                    screen.name, f"leads to {name!r}, which is not a screen", suggest_name(name, menu.screens)
                )
        if isinstance(screen, Step):
            yield from _outcome_problems(screen)
        if isinstance(screen, Choice | Question | ListScreen):
            yield from _key_problems(screen.name, screen.options)
    for name in menu.entries:
        if name not in menu.screens:
            yield _problem(
                name, "an SMS keyword leads here, but there is no such screen", suggest_name(name, menu.screens)
            )
    yield from _operator_policy_problems(menu)
    yield from find_proof_problems(menu)
    yield from find_last_screen_problems(menu)
    for name in sorted(set(menu.screens) - _reachable_screens(menu)):
        yield _problem(name, "no screen leads here", "link it from a screen, or remove it")


def _fixed_screen_problems(menu: Menu) -> Iterator[Problem]:
    """Problems with the home screen and the other fixed screens."""
    if not isinstance(menu.screens.get(menu.home), Choice):
        yield _problem(menu.home, "the home screen is not a choice", "add a Choice of this name")
    if not isinstance(menu.screens.get(menu.stuck), Goodbye):
        yield _problem(menu.stuck, "the screen after a cycle of steps is not a goodbye", "add a Goodbye of this name")
    if menu.unavailable != menu.home and not isinstance(menu.screens.get(menu.unavailable), Choice):
        yield _problem(
            menu.unavailable,
            "the screen for a service that left the catalogue is not a choice",
            "add a Choice of this name",
        )
    for name in _session_screens(menu):
        if not isinstance(menu.screens.get(name), Choice):
            yield _problem(name, "the screen for a session that ended is not a choice", "add a Choice of this name")


def _session_screens(menu: Menu) -> list[str]:
    """The screens for a caller who is no longer signed in."""
    return list(menu.session_policy.screens.values()) if menu.session_policy else []


def _operator_screens(menu: Menu) -> list[str]:
    """The screens that an operator sees instead of others, and the last one of a visit."""
    acting = menu.operator_policy
    return [*acting.replacements.values(), acting.no_consent_screen, acting.ended_screen] if acting else []


def _operator_policy_problems(menu: Menu) -> Iterator[Problem]:
    """Names in the operator policy that are no screens: a misspelt one would protect nothing."""
    acting = menu.operator_policy
    for name in (*acting.replacements, *acting.required_purposes, *_operator_screens(menu)) if acting else ():
        if name not in menu.screens:
            yield _problem(
                name,
                "the operator policy names this screen, but there is no such screen",
                suggest_name(name, menu.screens),
            )


def _name_problems(screen: Screen) -> Iterator[Problem]:
    if screen.name in RESERVED_TABLES:
        yield _problem(screen.name, "locales have a table of this name already", "rename the screen")
    if isinstance(screen, Choice | Question | ListScreen):
        for option in screen.options:
            if option.name in {"text", "row"}:
                yield _problem(
                    screen.name, f"an option is called {option.name!r} which is a key of every screen", "rename it"
                )


def _duplicate_problems(menu: Menu) -> Iterator[Problem]:
    seen: set[str] = set()
    for screen in menu.screen_list:
        if screen.name in seen:
            yield _problem(screen.name, "there are two screens of this name", "rename one")
        seen.add(screen.name)


def _outcome_problems(step: Step) -> Iterator[Problem]:
    declared = declared_outcomes(step)
    if declared is None:
        yield _problem(
            step.name, "its function does not declare its outcomes", 'annotate it: -> Outcome[Literal["done"]]'
        )
        return
    for outcome in sorted(declared - set(step.outcomes)):
        yield _problem(step.name, f"its outcome {outcome!r} has no screen", "map it to a screen")
    for outcome in sorted(set(step.outcomes) - declared):
        yield _problem(step.name, f"it maps {outcome!r}, which its function never returns", "remove it")


def _key_problems(name: str, options: Sequence[Option]) -> Iterator[Problem]:
    keys = [key for key, _ in number_options(options)]
    for key in dict.fromkeys(keys):
        if key not in _VALID_KEYS:
            yield _problem(name, f"an option has the key {key!r}", f"give it one from 1 to {MAX_OPTIONS}")
        elif keys.count(key) > 1:
            yield _problem(name, f"two options have the key {key}", "give each its own")


def _reachable_screens(menu: Menu) -> set[str]:
    starts = [
        "languages",
        menu.home,
        menu.stuck,
        menu.unavailable,
        *(screen.name for screen in build_resume_journey()),
        *menu.entries,
    ]
    starts += _operator_screens(menu)
    starts += _session_screens(menu)
    starts += proof_screens(menu)
    reached: set[str] = set()
    while starts:
        name = starts.pop()
        if name in menu.screens and name not in reached:
            reached.add(name)
            starts.extend(successors(menu.screens[name]))
    return reached


def _literal_values(annotation: Any) -> Iterator[str]:
    if get_origin(annotation) is Literal:
        yield from get_args(annotation)
    elif get_origin(annotation) is Union or type(annotation).__name__ == "UnionType":
        for part in get_args(annotation):
            yield from _literal_values(part)


def _problem(screen: str, problem: str, fix: str) -> Problem:
    return Problem("menus", 0, screen, problem, fix)
