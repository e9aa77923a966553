"""The facts that each screen can show, derived from the code of the steps before it.

A screen has the facts that every step, question and list on some way to it can make. Facts that code names only in part, such
as `known_` and the key of a profile, are declared in `Step.facts`.
"""

from collections.abc import Iterable, Mapping
from functools import cache

from menus import pending_acts
from menus.journeys.resume import build_resume_journey
from menus.model import Choice, Form, ListScreen, Menu, Question, Screen, Step, VisibleScreen, successors
from menus.rendering import view
from menus.validation.code_facts import find_fact_names, find_module_names
from menus.validation.report import LocaleKey

FactNames = frozenset[str]
NO_NAMES: FactNames = frozenset()


def derive_screen_facts(menu: Menu) -> Mapping[LocaleKey, FactNames]:
    """The names of the facts of each text of each screen: of its text, its options, and the row of a list."""
    made = {screen.name: _made_facts(screen) for screen in menu.screen_list}
    before = _propagate(menu, made)
    everything = NO_NAMES.union(*made.values()) | _engine_facts()
    anywhere = _entered_from_anywhere(menu)
    facts: dict[LocaleKey, FactNames] = {}
    for screen in menu.screen_list:
        if isinstance(screen, Step):
            continue
        known = everything if screen.name in anywhere else before[screen.name] | _own_facts(screen)
        facts |= {(screen.name, key): known for key in ("text", *_option_names(screen))}
        if isinstance(screen, ListScreen):
            facts[screen.name, "row"] = known | find_fact_names(screen.rows)
    return facts


def _option_names(screen: VisibleScreen) -> Iterable[str]:
    return [option.name for option in screen.options] if isinstance(screen, Choice | Question | ListScreen) else []


def _made_facts(screen: Screen) -> FactNames:
    """The facts that a position has when it leaves the screen and had not before."""
    match screen:
        case Step():
            return find_fact_names(screen.run) | frozenset(screen.facts)
        case ListScreen():
            typed = {screen.free_text.save_as} if screen.free_text else set()
            return frozenset({screen.save_as} | typed)
        case Choice() | Question() | Form():
            return frozenset({screen.save_as})
        case _:
            return NO_NAMES


def _own_facts(screen: VisibleScreen) -> FactNames:
    """The facts that the view adds to a form."""
    return find_fact_names(view.build_form_view) if isinstance(screen, Form) else NO_NAMES


def _propagate(menu: Menu, made: Mapping[str, FactNames]) -> Mapping[str, FactNames]:
    """The facts before each screen; those of the home screen are the ones that survive a return to it."""
    before = dict.fromkeys(menu.screens, NO_NAMES)
    before[menu.home] = frozenset(menu.persistent_facts)
    waiting = list(menu.screens)
    while waiting:
        name = waiting.pop()
        after = before[name] | made[name]
        for following in successors(menu.screens[name]):
            if following in before and following != menu.home and not after <= before[following]:
                before[following] |= after
                waiting.append(following)
    return before


def _entered_from_anywhere(menu: Menu) -> frozenset[str]:
    """The screens that the engine shows instead of others, with the facts of wherever the caller was."""
    names = {screen.name for screen in build_resume_journey()}
    if menu.proof_policy:
        names |= {*menu.proof_policy.entry_screens.values(), *menu.proof_policy.sim_screens}
        names |= {*menu.proof_policy.waiting_screens}
    entered = {name for start in names if start in menu.screens for name in successors(menu.screens[start])}
    if menu.operator_policy:
        names |= {menu.operator_policy.no_consent_screen, menu.operator_policy.ended_screen}
        names |= {*menu.operator_policy.replacements.values()}
    if menu.session_policy:
        names |= {*menu.session_policy.screens.values()}
    return frozenset(names | entered) - {menu.home}


@cache
def _engine_facts() -> FactNames:
    """The facts that the engine adds by itself: what a caller who must prove something was about to do."""
    return find_module_names(pending_acts)
