"""A PIN that is changed, and one that was forgotten and is replaced by answering the two questions."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, NamedTuple

from menus import checks
from menus.journeys.sign_in import Clock, RegisteredBy, SignIn, Tried, signed_in
from menus.model import Choice, Journey, Option, Outcome, Question, Step, Visit

Questions = Callable[[str], Awaitable[Sequence[str]]]
"""The codes of the two questions that a number's account can be reopened by; empty when there is none."""
Answer = Callable[[str, Sequence[str], str], Awaitable[SignIn]]
"""Number, the two answers, effect."""
ChangePin = Callable[[int, str, str], Awaitable[None]]
"""Account, hash of the new PIN, effect."""


class Recovering(NamedTuple):
    """The calls that a PIN's change makes."""

    questions: Questions
    answer: Answer
    change_pin: ChangePin
    time_of_day: Clock
    registered_by: RegisteredBy


def recover(calls: Recovering) -> Journey:
    """Both ways to a new PIN; they meet in `new_pin` and end in `keep_pin`."""

    async def start(visit: Visit) -> Outcome[Literal["asked", "unasked", "unknown"]]:
        questions = await calls.questions(visit.caller)
        if not questions:
            return Outcome("unasked" if await calls.registered_by(visit.caller) else "unknown")
        return Outcome("asked", {"question_1": questions[0], "question_2": questions[1]})

    async def check_answers(visit: Visit) -> Outcome[Tried]:
        given = (visit.facts["recovery_1"], visit.facts["answer"])
        tried = await calls.answer(visit.caller, given, visit.effect)
        learned = signed_in(tried, visit, calls.time_of_day)
        return Outcome(learned.name, {**learned.facts, "recovery_1": "", "pin_for": "recover"})

    async def change(_: Visit) -> Outcome[Literal["on"]]:
        return Outcome("on", {"pin_for": "change"})

    async def keep_pin(visit: Visit) -> Outcome[Literal["kept"]]:
        await calls.change_pin(visit.facts["account"], visit.facts["pin_hash"], visit.effect)
        return Outcome("kept", {"pin_hash": ""})

    checked = {"in": "new_pin", "wrong": "recovery_wrong", "locked": "locked", "unknown": "offer_register"}
    return (
        Step("recover", start, {"asked": "recovery_1", "unasked": "no_questions", "unknown": "offer_register"}),
        Choice("no_questions", (Option("help", goto="get_help", key="7"),)),
        Question("recovery_1", "recovery_1", checks.answer, goto="recovery_2"),
        Question("recovery_2", "answer", checks.answer, goto="check_answers", secret=True),
        Step("check_answers", check_answers, checked),
        Choice("recovery_wrong", (Option("again", goto="recover"), Option("help", goto="get_help"))),
        Step("change_pin", change, {"on": "new_pin"}),
        Step("keep_pin", keep_pin, {"kept": "pin_kept"}, commits=True),
        Choice("pin_kept", (Option("go_on", goto="go_on"),)),
    )
