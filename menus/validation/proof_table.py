"""The table of acts in docs/threat-model.md: what each step does, and the proof that it asks for on each kind of channel."""

from collections.abc import Iterator
from typing import Final

from menus.model import Form, Menu, Step, successors
from menus.proof import NO_PROOF, Effect, Proof
from menus.validation.proofs import matters

HEADER: Final = (
    "| Step | What it does | Network vouches for the number (USSD) | Sender can be forged (SMS, other USSD) | Operator for a citizen |",
    "|---|---|---|---|---|",
)
EFFECT_NAMES: Final = {
    Effect.COMMITS: "commits",
    Effect.COSTS: "costs",
    Effect.REVEALS: "reveals",
    Effect.ACCESS: "changes who may sign in",
}
PROOF_NAMES: Final = {
    Proof.NONE: "nothing",
    Proof.NUMBER: "the number",
    Proof.WALLET: "the wallet's own PIN",
    Proof.ISSUER_CODE: "the issuer's code in this session",
    Proof.SESSION: "signed in",
    Proof.ANSWERS: "the security answers",
    Proof.CODE: "a code",
    Proof.PIN: "the PIN",
    Proof.PIN_OR_CODE: "the PIN, or a code without an account",
    Proof.CODE_AND_ANSWERS: "a code and the security answers",
    Proof.OPERATOR_PIN: "the operator's PIN",
}
OPERATOR_PROOF_NAMES: Final = {Proof.NONE: "the consent", Proof.SESSION: "the consent"}
VISIT_END: Final = "assist_ended"
"""The screen after a visit: what follows is no longer done for the citizen."""
SIM_SUFFIX: Final = "; SIM not replaced lately"


def render_proof_table(menu: Menu) -> str:
    """The table as Markdown, one row for each step and form that matters, by name."""
    policy = menu.operator_policy
    purposes = {purpose for needed in policy.required_purposes.values() for purpose in needed} if policy else set()
    by_operator = {name for purpose in purposes for name in find_operator_screens(menu, purpose)}
    rows = [
        _build_row(screen, is_reached=screen.name in by_operator)
        for _, screen in sorted(menu.screens.items())
        if isinstance(screen, Step | Form) and matters(screen)
    ]
    return "\n".join((*HEADER, *rows)) + "\n"


def find_operator_screens(menu: Menu, purpose: str) -> set[str]:
    """The screens that an operator can reach who acts for a citizen, with a consent for `purpose`."""
    facts, names, seen = {"consent": 1, "consent_for": purpose}, [menu.home], set[str]()
    while names:
        screen = menu.resolve_screen(names.pop(), facts)
        if screen.name not in seen and screen.name != VISIT_END:
            seen.add(screen.name)
            names.extend(successors(screen))
    return seen


def _build_row(screen: Step | Form, *, is_reached: bool) -> str:
    needs = screen.needs or NO_PROOF
    suffix = SIM_SUFFIX if needs.unchanged_sim else ""
    cells = (
        f"`{screen.name}`",
        ", ".join(_list_effects(screen)),
        PROOF_NAMES[needs.vouched] + suffix,
        PROOF_NAMES[needs.unvouched] + suffix,
        OPERATOR_PROOF_NAMES.get(needs.operator, PROOF_NAMES[needs.operator]) if is_reached else "never",
    )
    return f"| {' | '.join(cells)} |"


def _list_effects(screen: Step | Form) -> Iterator[str]:
    if isinstance(screen, Form):
        yield "saves the answers as a draft"
        return
    if screen.commits and not screen.effects - {Effect.REVEALS}:
        yield EFFECT_NAMES[Effect.COMMITS]
    yield from (name for effect, name in EFFECT_NAMES.items() if effect in screen.effects)
