"""Intentions: what a caller wants to do once, in however many sessions and however often it is confirmed.

An intention begins with a session, at the home screen, and after each step that is done once (`Step.is_done_once`). Its key
is fixed then, and the position carries it: a caller whose reply was cut off, and who goes on at the parked place in another
session, repeats the step under the same key and is told what came of the first.
"""

from typing import Final

from msgspec.structs import replace

from core.idempotency import build_effect_key, build_intention_key, next_intention_key
from menus.model import Navigation, Position, Step, StepContext, with_facts
from menus.proof import PENDING_FACT, PENDING_INTENTION_FACT

NEW_INTENTION: Final = "+"
"""The intention of a position where another one begins after the current input."""


def with_intention(context: StepContext, position: Position) -> StepContext:
    """The context of an input at this position."""
    return replace(context, intention=find_intention(position, context.session))


def find_intention(position: Position, session_id: str) -> str:
    """The key of the intention at this position of a session."""
    return position.intention or build_intention_key(session_id, 0)


def keep_intention(position: Position, session_id: str) -> Position:
    """The position of a session, for another session: its intention stays the same there."""
    return position if position.intention else replace(position, intention=find_intention(position, session_id))


def effect_key(step: Step, position: Position, context: StepContext) -> str:
    """The key of the effect of a step; empty where it is the key of the input."""
    if not step.is_done_once:
        return ""
    facts = position.facts
    held = facts.get(PENDING_INTENTION_FACT) or position.intention
    # an intention that begins after this input is not that of a second step within it
    intention = context.intention if held in {"", NEW_INTENTION} else held
    return build_effect_key(intention, step.name, [facts.get(name) for name in step.subject])


def end_intention(position: Position, context: StepContext) -> Position:
    """The position after a step that is done once. What is done to prove an act is no part of the act, which keeps its key."""
    if PENDING_FACT in position.facts:
        kept = keep_intention(position, context.session)
        return with_facts(kept, **{PENDING_INTENTION_FACT: next_intention_key(context.input_key)})
    return replace(position, intention=NEW_INTENTION)


def drop_intention(intention: str) -> str:
    """The intention at home, given the one before. The first one of a session goes on: nothing is done under it yet."""
    return intention and NEW_INTENTION


def settle_intention(navigation: Navigation, context: StepContext) -> Navigation:
    """The navigation at the end of an input, with the key of an intention that begins."""
    position = navigation.position
    if position.intention != NEW_INTENTION:
        return navigation
    return replace(navigation, position=replace(position, intention=next_intention_key(context.input_key)))
