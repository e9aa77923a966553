"""Registering: the number proved, a name, a PIN, and two questions that reopen the account when it is forgotten."""

from collections.abc import Awaitable, Callable
from typing import Literal, NamedTuple

from menus import checks
from menus.journeys.sign_in import RegisteredBy, existed
from menus.model import Choice, Goodbye, Journey, Option, Outcome, Question, Step, Visit

FIRST_QUESTIONS = ("first_school", "first_teacher", "childhood_friend")
SECOND_QUESTIONS = ("birthplace", "grandmother", "favourite_dish")
NUMBER_PROVED = "register"
"""The purpose of the one-time code that proves a number."""


class NewCitizen(NamedTuple):
    """What is known of someone who registers; PIN and answers only as hashes, the PIN empty when we are to choose it."""

    number: str
    name: str
    language: str
    pin_hash: str
    questions: tuple[tuple[str, str], ...]


CodeSent = Literal["sent", "too_many"]
CodeChecked = Literal["right", "wrong", "gone"]
SendCode = Callable[[str, str, str, str], Awaitable[CodeSent]]
"""Number, language, purpose, effect."""
CheckCode = Callable[[str, str, str, str], Awaitable[CodeChecked]]
"""Number, purpose, code, effect."""
Register = Callable[[NewCitizen, str], Awaitable[int | None]]
"""Who, effect; to the account signed in, 0 when it waits for the PIN that was sent by SMS, None when the number has one."""
KeepQuestions = Callable[[str, tuple[tuple[str, str], ...]], Awaitable[None]]
"""Number, and the code of each question with the hash of its answer, for an account that has none yet."""
Hash = Callable[[str], Awaitable[str]]


class Registering(NamedTuple):
    """The calls that registering makes."""

    registered_by: RegisteredBy
    send_code: SendCode
    check_code: CheckCode
    hash_secret: Hash
    register: Register
    keep_questions: KeepQuestions


def register(calls: Registering, *, pin_by_sms: bool) -> Journey:
    """The whole of it. A channel that vouches for its numbers asks for no code; `pin_by_sms` asks for no PIN."""

    async def start(visit: Visit) -> Outcome[Literal["known", "vouched", "unproved"]]:
        if existed(await calls.registered_by(visit.caller), visit.effect):
            return Outcome("known")
        return Outcome("vouched" if visit.vouched else "unproved")

    async def send_code(visit: Visit) -> Outcome[CodeSent]:
        return Outcome(await calls.send_code(visit.caller, visit.language, NUMBER_PROVED, visit.effect))

    async def check_code(visit: Visit) -> Outcome[CodeChecked]:
        return Outcome(await calls.check_code(visit.caller, NUMBER_PROVED, visit.facts["code"], visit.effect))

    async def choose_pin(_: Visit) -> Outcome[Literal["ours", "theirs"]]:
        return Outcome("ours" if pin_by_sms else "theirs", {"pin_for": "register"})

    async def hold_answer(visit: Visit) -> Outcome[Literal["held"]]:
        return Outcome("held", {"hash_1": await calls.hash_secret(visit.facts["answer"])})

    async def finish(visit: Visit) -> Outcome[Literal["signed_in", "pin_sent", "known", "questions_kept"]]:
        facts = visit.facts
        questions = (
            (facts["question_1"], facts["hash_1"]),
            (facts["question_2"], await calls.hash_secret(facts["answer"])),
        )
        if facts.get("only_questions"):  # who registered by one SMS is asked for them afterwards
            await calls.keep_questions(visit.caller, questions)
            return Outcome("questions_kept", {"only_questions": False, "hash_1": ""})
        citizen = NewCitizen(visit.caller, facts["name"], visit.language, facts.get("pin_hash", ""), questions)
        account = await calls.register(citizen, visit.effect)
        if account is None:
            return Outcome("known")
        return Outcome("signed_in" if account else "pin_sent", {"account": account, "pin_hash": "", "hash_1": ""})

    return (
        Step("register", start, {"known": "ask_pin", "vouched": "ask_name", "unproved": "send_code"}),
        Step("send_code", send_code, {"sent": "ask_code", "too_many": "codes_spent"}),
        Question("ask_code", "code", checks.code, goto="check_code", secret=True),
        Question("code_wrong", "code", checks.code, goto="check_code", secret=True),
        Step("check_code", check_code, {"right": "ask_name", "wrong": "code_wrong", "gone": "code_gone"}),
        Choice("code_gone", (Option("again", goto="send_code"),)),
        Choice("codes_spent", (Option("help", goto="get_help", key="7"),)),
        Question("ask_name", "name", checks.person, goto="choose_pin"),
        Step("choose_pin", choose_pin, {"ours": "questions", "theirs": "new_pin"}),
        Choice("questions", tuple(Option(one, goto="answer_1") for one in FIRST_QUESTIONS), saves="question_1"),
        Question("answer_1", "answer", checks.answer, goto="hold_answer", secret=True),
        Step("hold_answer", hold_answer, {"held": "questions_2"}),
        Choice("questions_2", tuple(Option(one, goto="answer_2") for one in SECOND_QUESTIONS), saves="question_2"),
        Question("answer_2", "answer", checks.answer, goto="finish_registering", secret=True),
        Step(
            "finish_registering",
            finish,
            {
                "signed_in": "registered",
                "pin_sent": "pin_sent",
                "known": "ask_pin",
                "questions_kept": "questions_kept",
            },
            commits=True,
        ),
        Goodbye("questions_kept"),
        Choice("registered", (Option("go_on", goto="go_on"),)),
        Choice("pin_sent", (Option("sign_in", goto="gate"),)),
    )
