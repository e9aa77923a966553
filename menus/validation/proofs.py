"""Check that every step that matters says which proof it needs, and that each proof can be given."""

from collections.abc import Iterator
from typing import Final

from core.errors import Problem
from menus.model import Form, Menu, Screen, Step
from menus.proof import COMPONENTS, Effect, Needs, Proof
from menus.validation.report import suggest_name

WEAK_UNVOUCHED_PROOFS: Final = frozenset({Proof.SESSION})
"""Proofs that a forged sender can use, since the owner gave them earlier: not enough for what cannot be undone."""
IMPOSSIBLE_UNVOUCHED_PROOFS: Final = frozenset({Proof.NUMBER, Proof.WALLET})
"""Proofs that exist only where the network vouches for the number."""

_EFFECT_TEXTS: Final = {
    Effect.COMMITS: "commits",
    Effect.COSTS: "costs",
    Effect.REVEALS: "reveals",
    Effect.ACCESS: "changes who may sign in",
}


def find_proof_problems(menu: Menu) -> Iterator[Problem]:
    """Every step and form whose proof is not said, cannot be given, or is too weak; and every screen for a proof that is missing."""
    for screen in menu.screen_list:
        yield from _screen_problems(screen)
    yield from _policy_problems(menu)


def matters(screen: Screen) -> bool:
    """Whether the screen does something for which it must say what it needs."""
    if isinstance(screen, Step):
        return screen.commits or bool(screen.effects)
    return isinstance(screen, Form) and screen.on_answer is not None


def proof_screens(menu: Menu) -> list[str]:
    """The screens and steps where a caller gives a proof that a step of this menu needs."""
    policy = menu.proof_policy
    if policy is None:
        return []
    components = _needed_components(menu)
    return [
        *(name for proof, name in policy.entry_screens.items() if proof in components),
        *policy.sim_screens,
    ]


def _screen_problems(screen: Screen) -> Iterator[Problem]:
    if not isinstance(screen, Step | Form):
        return
    needs = screen.needs
    if needs is None:
        if matters(screen):
            problem = f"it {_describe_effect(screen)}, but does not say which proof it needs"
            yield _problem(screen.name, problem, "give it needs=, such as FRESH_PIN; where anyone may do it, ANYONE")
        return
    if needs.unvouched in IMPOSSIBLE_UNVOUCHED_PROOFS:
        problem = f"it needs the {needs.unvouched.value} where the network does not vouch for it"
        yield _problem(screen.name, problem, "ask for a PIN or a code there")
    if isinstance(screen, Step) and _is_too_weak(screen, needs):
        problem = f"it {_describe_effect(screen)} for whoever is signed in, also where the sender can be forged"
        yield _problem(screen.name, problem, "ask for the PIN or a code there")


def _describe_effect(screen: Step | Form) -> str:
    """What the screen does, in the words of a problem."""
    if isinstance(screen, Form):
        return "saves the answers"
    return _EFFECT_TEXTS[min(screen.effects, key=list(Effect).index)] if screen.effects else "commits"


def _is_too_weak(step: Step, needs: Needs) -> bool:
    """Whether a forged sender could use the owner's session. Showing something is allowed: the owner gets the reply."""
    return needs.unvouched in WEAK_UNVOUCHED_PROOFS and (step.commits or bool(step.effects - {Effect.REVEALS}))


def _policy_problems(menu: Menu) -> Iterator[Problem]:
    policy = menu.proof_policy
    if policy is None:
        return
    for proof in sorted(_needed_components(menu)):
        if proof not in policy.entry_screens:
            yield _problem(
                "menu", f"no screen asks for the proof {proof.value!r}", "name one in ProofPolicy.entry_screens"
            )
    for name in (*policy.entry_screens.values(), *policy.waiting_screens, *policy.sim_screens):
        if name not in menu.screens:
            yield _problem(
                name,
                "the proof policy names this screen, but there is no such screen",
                suggest_name(name, menu.screens),
            )


def _needed_components(menu: Menu) -> set[Proof]:
    return {
        component
        for screen in menu.screen_list
        if isinstance(screen, Step | Form) and screen.needs
        for proof in (screen.needs.vouched, screen.needs.unvouched, screen.needs.operator)
        for component in COMPONENTS[proof]
    }


def _problem(screen: str, problem: str, fix: str) -> Problem:
    return Problem("menus", 0, screen, problem, fix)
