"""Change a PIN, or replace a forgotten one: by a code that goes to the phone and the answers to the security questions.

A caller whose number the network vouches for types the code first, so that they may hang up to read it, then the answers,
and chooses the new PIN. On other channels somebody else may write in the middle: the code is typed last, for the act itself,
and the new PIN is not chosen but sent to the phone.
"""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from core.types import CHANNEL_SMS
from menus import validators
from menus.journeys.services import JourneyServices
from menus.journeys.sign_in import NOT_SIGNED_IN, sign_in_outcome
from menus.model import Choice, Journey, Option, Outcome, Question, Step, StepContext
from menus.proof import ACCESS, FRESH_PIN, RECOVERY, SIGNED_IN_FACTS, Needs, Proof
from services.citizens.models import RecoveryOutcome, SignInOutcome

PHONE_AT_HAND: Final = Needs(Proof.CODE, Proof.CODE)
"""Before it is told whether the number has an account, and what its questions are."""
QuestionsOutcome: TypeAlias = Literal["asked", "unasked", "unknown"]


def build_recovery_journey(services: JourneyServices, helpdesk: Mapping[str, str]) -> Journey:
    """Both ways to a new PIN; `helpdesk` are the facts that name it, for whoever has no security questions."""
    return (*_question_screens(services, helpdesk), *_new_pin_steps(services))


def _question_screens(services: JourneyServices, helpdesk: Mapping[str, str]) -> Journey:
    async def start(context: StepContext) -> Outcome[QuestionsOutcome | Literal["code"]]:
        """Ask for the code, where a number without an account is not told so at once, and replies go to that number alone."""
        outcome = await find_questions(context)
        if context.channel == CHANNEL_SMS:
            return outcome
        is_told = context.caller_number_verified and outcome.name != "asked"
        return outcome if is_told else Outcome("code")

    async def find_questions(context: StepContext) -> Outcome[QuestionsOutcome]:
        questions = await services.accounts.get_questions(context.caller)
        if not questions:
            has_account = await services.accounts.has_account(context.caller)
            return Outcome("unasked", dict(helpdesk)) if has_account else Outcome("unknown")
        return Outcome("asked", {"question_1": questions[0], "question_2": questions[1]})

    async def check_answers(context: StepContext) -> Outcome[SignInOutcome | Literal["send"]]:
        answers, vouched = (context.facts["recovery_1"], context.facts["answer"]), context.caller_number_verified
        result = await services.accounts.sign_in_by_answers(
            context.caller, answers, context.idempotency_key, vouched=vouched
        )
        outcome = sign_in_outcome(result, context, services)
        signed_out = {name: fact for name, fact in outcome.facts.items() if name not in SIGNED_IN_FACTS}
        facts = {**signed_out, "recovery_account": result.account, "recovery_1": "", "pin_for": "recover"}
        if result.outcome != "in":
            return Outcome(outcome.name, facts)
        return Outcome("in" if vouched else "send", facts, proof=Proof.ANSWERS)

    by_questions = {"asked": "recovery_1", "unasked": "no_questions", "unknown": "offer_register"}
    by_outcome = {**NOT_SIGNED_IN, "in": "new_pin", "send": "send_recovered_pin", "wrong": "recovery_wrong"}
    return (
        Step("recover", start, {**by_questions, "code": "recover_by_code"}),
        Step("recover_by_code", find_questions, by_questions, needs=PHONE_AT_HAND),
        Choice("no_questions", (Option("help", goto="get_help", key="7"),)),
        Question("recovery_1", "recovery_1", validators.security_answer, goto="recovery_2"),
        Question("recovery_2", "answer", validators.security_answer, goto="check_answers", secret=True),
        Step("check_answers", check_answers, by_outcome),
        Choice("recovery_wrong", (Option("again", goto="recover"), Option("help", goto="get_help"))),
    )


def _new_pin_steps(services: JourneyServices) -> Journey:
    async def start_change(_: StepContext) -> Outcome[Literal["on"]]:
        return Outcome("on", {"pin_for": "change"})

    async def save_pin(context: StepContext) -> Outcome[Literal["kept"]]:
        epoch = await services.accounts.change_pin(
            context.facts["account"],
            context.facts["pin_hash"],
            context.idempotency_key,
            vouched=context.caller_number_verified,
        )
        return Outcome("kept", {"pin_hash": "", "epoch": epoch})

    async def save_recovered_pin(context: StepContext) -> Outcome[RecoveryOutcome]:
        account = context.facts["recovery_account"]
        result = await services.accounts.recover_pin(
            account, context.facts["pin_hash"], context.idempotency_key, vouched=context.caller_number_verified
        )
        facts: dict[str, object] = {"pin_hash": "", "recovery_account": 0, "hours": result.hours}
        if result.outcome == "changed":
            facts |= {"account": account, "epoch": result.epoch}
        return Outcome(result.outcome, facts)

    async def send_recovered_pin(context: StepContext) -> Outcome[RecoveryOutcome]:
        result = await services.accounts.send_recovered_pin(
            context.facts["recovery_account"], context.idempotency_key, vouched=context.caller_number_verified
        )
        signed_out: dict[str, object] = {"account": 0, "epoch": 0} if result.outcome == "changed" else {}
        return Outcome(result.outcome, {"recovery_account": 0, "hours": result.hours, **signed_out})

    waiting = {"pending": "recovery_pending", "frozen": "frozen"}
    sent = {**waiting, "changed": "recovered_pin_sent"}
    kept = {**waiting, "changed": "pin_kept"}
    return (
        Step("change_pin", start_change, {"on": "new_pin"}),
        Step("keep_pin", save_pin, {"kept": "pin_kept"}, commits=True, effects=ACCESS, needs=FRESH_PIN),
        Step("keep_recovered_pin", save_recovered_pin, kept, commits=True, effects=ACCESS, needs=RECOVERY),
        Step("send_recovered_pin", send_recovered_pin, sent, commits=True, effects=ACCESS, needs=RECOVERY),
        Choice("pin_kept", (Option("go_on", goto="go_on"),)),
        Choice("recovered_pin_sent", (Option("sign_in", goto="account"),)),
        Choice("recovery_pending", (Option("help", goto="get_help", key="7"),)),
    )
