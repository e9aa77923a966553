"""Choose two security questions and type their answers: at registration, and from the account menu.

The session stores hashes of the answers, never the answers.
"""

from typing import Final, Literal, TypeAlias

from core.typed_options import normalize_label
from core.validation import Invalid
from menus import validators
from menus.journeys.services import JourneyServices
from menus.model import Choice, Journey, Labels, Option, Outcome, Question, Step, StepContext
from menus.proof import ACCESS, FRESH_PIN

FIRST_QUESTIONS = ("first_school", "first_teacher", "childhood_friend")
SECOND_QUESTIONS = ("birthplace", "grandmother", "favourite_dish")

KNOWN_ANSWER: Final = Invalid("known_answer")
"""An answer that others know or read: the citizen's own name, or words of the question."""
QuestionsFor: TypeAlias = Literal["register", "change"]
"""The values of the fact `questions_for`: what the questions are chosen for."""


def build_security_questions_journey(services: JourneyServices, labels: Labels | None = None) -> Journey:
    """The questions, then the step that `questions_for` names; and the offer to whoever has none.

    `labels` are the words of the questions: an answer of these words alone, or of the citizen's own name, is rejected.
    """

    async def start_change(_: StepContext) -> Outcome[Literal["on"]]:
        return Outcome("on", {"questions_for": "change", "pin_for": ""})

    async def is_known(context: StepContext, screen: str, question: str) -> bool:
        """Whether the answer is part of the citizen's name or of the question, in any language."""
        facts = context.facts
        registers = facts["questions_for"] == "register"
        name = facts["name"] if registers else await services.accounts.holder_name(facts["account"])
        texts = labels.of_options(screen).get(question, ()) if labels else ()
        answer = _words(facts["answer"])
        return any(answer <= _words(text) for text in (name, *texts))

    async def hash_first(context: StepContext) -> Outcome[Literal["held", "known"]]:
        if await is_known(context, "questions", context.facts["question_1"]):
            return Outcome("known", invalid=KNOWN_ANSWER)
        return Outcome("held", {"hash_1": await services.accounts.hash_secret(context.facts["answer"])})

    async def hash_second(context: StepContext) -> Outcome[QuestionsFor | Literal["known"]]:
        if await is_known(context, "questions_2", context.facts["question_2"]):
            return Outcome("known", invalid=KNOWN_ANSWER)
        questions_for: QuestionsFor = context.facts["questions_for"]
        return Outcome(questions_for, {"hash_2": await services.accounts.hash_secret(context.facts["answer"])})

    async def save_questions(context: StepContext) -> Outcome[Literal["kept"]]:
        facts = context.facts
        questions = ((facts["question_1"], facts["hash_1"]), (facts["question_2"], facts["hash_2"]))
        epoch = await services.accounts.set_questions(
            facts["account"], questions, context.idempotency_key, vouched=context.caller_number_verified
        )
        return Outcome("kept", {"hash_1": "", "hash_2": "", "epoch": epoch})

    first, second = (
        tuple(Option(question, goto=goto) for question in questions)
        for questions, goto in ((FIRST_QUESTIONS, "answer_1"), (SECOND_QUESTIONS, "answer_2"))
    )
    return (
        Choice(
            "offer_questions",
            (Option("choose", goto="change_questions", means="yes"), Option("later", goto="account", means="no")),
        ),
        Step("change_questions", start_change, {"on": "questions"}),
        Choice("questions", first, save_as="question_1"),
        Question("answer_1", "answer", validators.new_security_answer, goto="hold_answer", secret=True),
        Step("hold_answer", hash_first, {"held": "questions_2", "known": "answer_1"}),
        Choice("questions_2", second, save_as="question_2"),
        Question("answer_2", "answer", validators.new_security_answer, goto="hold_answer_2", secret=True),
        Step(
            "hold_answer_2",
            hash_second,
            {"register": "finish_registering", "change": "keep_questions", "known": "answer_2"},
        ),
        Step(
            "keep_questions", save_questions, {"kept": "questions_kept"}, commits=True, effects=ACCESS, needs=FRESH_PIN
        ),
        Choice("questions_kept", (Option("go_on", goto="account"),)),
    )


def _words(text: str) -> frozenset[str]:
    return frozenset(normalize_label(text).split())


async def has_questions(services: JourneyServices, context: StepContext) -> bool:
    """Whether the signed-in account has security questions, as of this input."""
    keys = await services.accounts.list_question_keys(context.facts["account"])
    return any(map(context.is_past, keys))
