"""Resume after a dropped session: the offer that opens the next one.

Being signed in belongs to the session that was dropped: a caller who was signed in types the PIN before going on. What that
session had proved, a consent, and a PIN or code that was being chosen are not resumed.
"""

from typing import Final, Literal

import msgspec
from msgspec.structs import replace

from menus.intentions import keep_intention
from menus.model import Choice, Facts, Journey, Option, Outcome, Position, Step, StepContext
from menus.proof import (
    AFTER_SIGN_IN_FACT,
    CARRIED_FACT,
    PENDING_FACT,
    PENDING_INTENTION_FACT,
    SESSION_BOUND_FACTS,
    SIGNED_IN,
    SIGNED_IN_FACTS,
)

FORM_SCREENS = frozenset(
    {
        *("for_whom", "ask_other", "from_profile", "form", "form_changed", "confirm", "confirm_free"),
        *("bring", "bring_nothing", "change_which"),
    }
)
INTERRUPTED_FACT: Final = "interrupted"
"""The fact of the offer that holds the interrupted position."""
START_AGAIN: Final = "afresh"
"""The name of the option that gives up the interrupted position."""
RESUME_SCREENS = frozenset({"resume", "resume_form", "resume_failed"})
NOT_RESUMABLE_SCREENS = frozenset({"main", "languages"})
"""Screens where a dropped session loses nothing."""
CODE_FACTS: Final = {
    **dict.fromkeys(
        ("prove_code", "prove_code_wrong"), frozenset({PENDING_FACT, CARRIED_FACT, PENDING_INTENTION_FACT})
    ),
    **dict.fromkeys(
        ("documents_code", "documents_code_new", "documents_code_wrong", "documents_code_later"),
        frozenset({"documents_sign_in"}),  # opens nothing before the code is typed
    ),
}
"""The screens where a caller may hang up to read the SMS with the code, and the facts that the code is about."""
PIN_SCREENS: Final = frozenset({"prove_pin", "prove_pin_wrong", "ask_pin", "pin_wrong", "pending_pin", "texted_pin"})
"""Screens that ask for the PIN; the screen before them is resumed, since the PIN is asked anyway."""
SECRET_SCREENS: Final = frozenset(
    {
        *("new_pin", "new_pin_again", "confirm_pin", "questions", "answer_1", "questions_2", "answer_2"),
        *("recovery_1", "recovery_2", "recovery_wrong"),
    }
)
"""Screens that rely on what the dropped session had proved, or on secrets that were being chosen."""
REGISTRATION_START: Final = "ask_name"
"""Where a registration continues that was dropped at one of SECRET_SCREENS; nothing else continues there."""


def build_resume_journey() -> Journey:
    """The offer in three wordings, and the step back to the interrupted position."""

    async def restore_position(context: StepContext) -> Outcome[Literal["carried", "signed_in_before"]]:
        if context.facts.get("interrupted_account"):
            return Outcome("signed_in_before")
        return Outcome("carried", position=msgspec.convert(context.facts[INTERRUPTED_FACT], Position))

    async def restore_signed_in(context: StepContext) -> Outcome[Literal["carried"]]:
        """Restore the position of the same account; of another one, which got the number since, only the main menu."""
        facts = context.facts
        if facts["account"] != facts["interrupted_account"]:
            return Outcome("carried")
        left = msgspec.convert(facts[INTERRUPTED_FACT], Position)
        signed_in = {name: facts[name] for name in SIGNED_IN_FACTS if name in facts}
        return Outcome("carried", position=replace(left, facts={**left.facts, **signed_in}))

    options = (Option("go_on", goto="carry_on"), Option(START_AGAIN, goto="main"))
    return (
        Choice("resume", options, opens_session=True),
        Choice("resume_form", options, opens_session=True),
        Choice("resume_failed", options, opens_session=True),
        Step("carry_on", restore_position, {"carried": "main", "signed_in_before": "carry_on_signed_in"}),
        Step("carry_on_signed_in", restore_signed_in, {"carried": "main"}, needs=SIGNED_IN),
    )


def is_resumable(position: Position, *, has_failed: bool = False) -> bool:
    """Whether a session that was dropped at the position is worth an offer.

    Where a screen was only read there is nothing to continue, unless the caller was on the way to something, or an answer to
    it failed on our side (`has_failed`).
    """
    if position.ended or position.screen in NOT_RESUMABLE_SCREENS:
        return False
    if position.screen in RESUME_SCREENS:  # dropped again at the offer
        return bool(position.facts.get(INTERRUPTED_FACT))
    if position.is_read and not has_failed and not _is_on_the_way(position):
        return False
    return bool(position.history) and not _is_operator(position) and _find_place(position) is not None


def _is_on_the_way(position: Position) -> bool:
    """Whether the caller has begun something that the screen interrupts: a form, an act, or a sign-in for one of these."""
    facts = position.facts
    return position.screen in FORM_SCREENS or bool(facts.get(AFTER_SIGN_IN_FACT) or facts.get(PENDING_FACT))


def resume_position(interrupted: Position, session_id: str, *, has_failed: bool = False) -> Position:
    """The position that offers to continue at `interrupted`, which is resumable, with what the caller was about to do there.

    `session_id` is that of the interrupted session. `has_failed`: it ended because something was wrong on our side, and the
    offer says so.
    """
    place = _find_place(keep_intention(interrupted, session_id))
    if interrupted.screen in RESUME_SCREENS or place is None:
        return interrupted
    facts: Facts = {
        INTERRUPTED_FACT: msgspec.to_builtins(place),
        "interrupted_account": interrupted.facts.get("account") or 0,
        "service": interrupted.facts.get("service"),
    }
    screen = "resume_failed" if has_failed else "resume_form" if place.screen in FORM_SCREENS else "resume"
    return Position(screen, interrupted.language, facts=dict(facts))


def _find_place(interrupted: Position) -> Position | None:
    """Where to continue, without the facts that belong to the dropped session; None where nothing is left to continue."""
    dropped = SESSION_BOUND_FACTS - CODE_FACTS.get(interrupted.screen, frozenset())
    place = replace(interrupted, facts={key: fact for key, fact in interrupted.facts.items() if key not in dropped})
    if "documents_sign_in" in dropped and _shows_documents(interrupted):
        return replace(place, screen="documents_start", history=(), page=0, has_more=False)
    if place.screen in PIN_SCREENS:
        if not place.history:
            return None
        name, item = place.history[-1]
        place = replace(place, screen=name, field_index=item, history=place.history[:-1], page=0, has_more=False)
    if place.screen in SECRET_SCREENS:
        is_registration = interrupted.facts.get("pin_for") == "register"
        return replace(place, screen=REGISTRATION_START, history=()) if is_registration else None
    # going back leads to none of them either
    return replace(place, history=tuple(entry for entry in place.history if entry[0] not in SECRET_SCREENS))


def _shows_documents(position: Position) -> bool:
    """Whether the screen is about documents that the dropped session had opened."""
    return bool(position.facts.get("documents_sign_in")) and position.screen.startswith("document")


def _is_operator(position: Position) -> bool:
    """Whether an operator was signed in: an operator signs in anew, and asks for a new consent."""
    return bool(position.facts.get("operator") or position.facts.get("consent"))
