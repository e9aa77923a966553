"""The act that waits for a proof: ask for the proof, run the act right after it, or forget the act.

The engine calls these functions. The act is a fact of the position, so it belongs to one session.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from menus.model import Menu, Navigation, Position, Step, StepContext, Transition, with_facts, without_facts
from menus.proof import (
    AFTER_SIGN_IN_FACT,
    ANYONE,
    CARRIED_FACT,
    FRESH_PROOFS,
    PENDING_FACT,
    PENDING_INTENTION_FACT,
    PROVED_FACT,
    STORED_PROOFS,
    Proof,
    ProofPolicy,
    find_missing_proof,
)

_PENDING_FACTS: Final = frozenset({PENDING_FACT, CARRIED_FACT, PENDING_INTENTION_FACT})


class PendingAct(NamedTuple):
    """The step that waited, with the typed input that it needs."""

    position: Position
    step: str
    secrets: Mapping[str, Any] | None


async def request_proof(
    menu: Menu, step: Step, position: Position, proofs: frozenset[Proof], context: StepContext
) -> Transition | None:
    """Where the caller goes instead of the step: to give a missing proof, or to read why the SIM refuses it.

    None where the step may run. `proofs` are those of the current input; `context` is that of the step.

    Raises:
        LookupError: the menu has no proof policy.
    """
    needs, vouched = step.needs or ANYONE, context.caller_number_verified
    if missing := find_missing_proof(needs, position.facts, proofs, vouched=vouched):
        goto = _proof_policy(menu, step).entry_screens[missing]
        return Transition(_suspend(position, step, missing, context), goto)
    if not needs.unchanged_sim:
        return None
    proof = needs.select(vouched=vouched, is_operator=bool(context.consent_id))
    refusal = await _proof_policy(menu, step).check_sim(context, proof)
    return Transition(position, refusal) if refusal else None


def store_proof(position: Position, proof: Proof, *, vouched: bool) -> Position:
    """The position that remembers the proof, if a session may remember it on this kind of channel."""
    if proof not in STORED_PROOFS or (proof in FRESH_PROOFS and not vouched):
        return position
    stored = position.facts.get(PROVED_FACT, ())
    return with_facts(position, **{PROVED_FACT: sorted({*stored, str(proof)})})


def take_pending_act(position: Position) -> PendingAct | None:
    """The act that waits, and the position without it; None where none waits."""
    step = position.facts.get(PENDING_FACT)
    if not step:
        return None
    remaining = without_facts(position, {*_PENDING_FACTS, AFTER_SIGN_IN_FACT})
    return PendingAct(remaining, step, position.facts.get(CARRIED_FACT))


def forget_abandoned_act(menu: Menu, navigation: Navigation) -> Navigation:
    """Forget the act that waits where the caller is not asked for its proof any more."""
    position = navigation.position
    if PENDING_FACT not in position.facts:
        return navigation
    if menu.proof_policy and position.screen in menu.proof_policy.waiting_screens:
        return navigation
    return replace(navigation, position=without_facts(position, _PENDING_FACTS))


def _suspend(position: Position, step: Step, missing: Proof, context: StepContext) -> Position:
    """The position with the step that waits, and the typed input that it needs."""
    carried = {name: context.facts[name] for name in step.carries if name in context.facts}
    facts = {PENDING_FACT: step.name, **({CARRIED_FACT: carried} if carried else {})}
    return with_facts(position, **facts, **({AFTER_SIGN_IN_FACT: step.name} if missing is Proof.SESSION else {}))


def _proof_policy(menu: Menu, step: Step) -> ProofPolicy:
    if menu.proof_policy is None:
        raise LookupError(f"The step {step.name!r} needs a proof, and the menu has no proof policy.")
    return menu.proof_policy
