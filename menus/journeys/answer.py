"""Answer a department that asks for more information about one's own application: from its status, or by SMS."""

from typing import Literal

from core.validation import Invalid
from menus.journeys.complaints import complaint_text
from menus.journeys.services import JourneyServices
from menus.journeys.sms_keywords import split_tracking_number
from menus.model import Choice, Goodbye, Journey, Option, Outcome, Question, Step, StepContext
from menus.proof import SESSION_OR_PIN
from services.applications.models import AnswerOutcome, AnswerResult, NewAnswer


def build_answer_journey(services: JourneyServices) -> Journey:
    """The question and the answer, and the keyword with the answer in one SMS."""

    async def answer(context: StepContext) -> Outcome[AnswerOutcome]:
        return await record(context, context.facts["number"], context.facts["words"])

    async def read_sms(context: StepContext) -> Outcome[Literal["whole", "asked", "invalid", "unnumbered"]]:
        number, words = split_tracking_number(context.facts["rest"], context.today)
        if not number:
            return Outcome("unnumbered")
        if not words:
            return Outcome("asked", {"number": number})
        invalid = complaint_text(words, context.today)
        if isinstance(invalid, Invalid):
            return Outcome("invalid", {"number": number}, invalid=invalid)
        return Outcome("whole", {"number": number})

    async def answer_by_sms(context: StepContext) -> Outcome[AnswerOutcome]:
        _, words = split_tracking_number(context.facts["rest"], context.today)
        return await record(context, context.facts["number"], words)

    async def record(context: StepContext, number: str, words: str) -> Outcome[AnswerOutcome]:
        new_answer = NewAnswer(context.facts["account"], number, words, context.channel)
        return _to_outcome(await services.answers.answer(new_answer, context.idempotency_key))

    own, help_option = Option("own", goto="own"), Option("help", goto="get_help", key="7")
    next_screens = {"kept": "answer_kept", "not_asked": "answer_late", "unknown": "answer_unknown"}
    return (
        Question("ask_answer", "words", complaint_text, goto="answer", secret=True),
        Step(
            "answer",
            answer,
            next_screens,
            commits=True,
            needs=SESSION_OR_PIN,
            carries=("words",),
            subject=("number",),
        ),
        Step(
            "texted_answer",
            read_sms,
            {
                "whole": "answer_by_sms",
                "asked": "ask_answer",
                "invalid": "ask_answer",
                "unnumbered": "answer_unnumbered",
            },
        ),
        Step(
            "answer_by_sms",
            answer_by_sms,
            next_screens,
            commits=True,
            needs=SESSION_OR_PIN,
            carries=("rest",),
            subject=("number",),
        ),
        Choice("answer_kept", (own,)),
        Choice("answer_late", (own, help_option)),
        Choice("answer_unknown", (own, help_option)),
        Goodbye("answer_unnumbered"),
    )


def _to_outcome(result: AnswerResult) -> Outcome[AnswerOutcome]:
    return Outcome(result.outcome, {"service": result.service, "status": result.status} if result.service else {})
