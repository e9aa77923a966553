"""Show who is asking: the screens to which the engine sends a caller whose proof for an act is missing.

The act waits in the fact `pending_act`. Right after the PIN or the code, in the same input, the engine runs it.
"""

from typing import Final, Literal

from menus import validators
from menus.journeys.services import JourneyServices
from menus.journeys.sign_in import NOT_SIGNED_IN, sign_in_outcome, with_proof
from menus.model import Choice, Journey, Option, Outcome, Question, Step, StepContext
from menus.proof import PENDING_FACT, Proof, ProofPolicy
from services.assisted.models import OperatorSignInOutcome
from services.citizens.models import CheckOutcome, SendOutcome, SignInOutcome

WAITING_SCREENS: Final = frozenset(
    {
        *("prove_pin", "prove_pin_wrong", "prove_code", "prove_code_wrong", "prove_code_gone"),
        *("prove_operator_pin", "prove_operator_pin_wrong", "ask_pin", "pin_wrong"),
        *("pending_pin", "texted_pin"),
    }
)
"""The screens where a caller is asked for a proof; on every other screen the pending act is forgotten."""


def build_proof_journey(services: JourneyServices) -> Journey:
    """The PIN, the one-time code, and the operator's PIN; and the answers about a SIM that was replaced."""
    return (*_pin_screens(services), *_code_screens(services), *_operator_screens(services), *_sim_screens())


def build_proof_policy(services: JourneyServices) -> ProofPolicy:
    """Where a caller gives each missing proof."""

    async def check_sim(context: StepContext, proof: Proof) -> str:
        state = await services.number_checks.check(context.citizen)
        if (
            state == "unknown" and proof not in PROVED_BY_PHONE
        ):  # a PIN is known to the owner alone, whoever has the SIM
            return ""
        return SIM_SCREENS[state]

    return ProofPolicy(
        entry_screens={
            Proof.PIN: "prove_account",
            Proof.PIN_OR_CODE: "prove_owner",
            Proof.CODE: "prove_by_code",
            Proof.SESSION: "gate",
            Proof.NUMBER: "number_unproved",
            Proof.ANSWERS: "recover",
            Proof.ISSUER_CODE: "documents_start",
            Proof.OPERATOR_PIN: "prove_operator",
        },
        waiting_screens=WAITING_SCREENS,
        sim_screens=frozenset(filter(None, SIM_SCREENS.values())),
        check_sim=check_sim,
    )


SIM_SCREENS: Final = {"unchanged": "", "swapped": "sim_replaced", "unknown": "sim_unknown"}
"""The screen for each result of a check of the SIM; empty where the act goes on."""
PROVED_BY_PHONE: Final = frozenset({Proof.CODE, Proof.CODE_AND_ANSWERS, Proof.ISSUER_CODE})
"""Proofs that whoever has the SIM can give: they wait until the network says whether the SIM was replaced."""


def _pin_screens(services: JourneyServices) -> Journey:
    async def find_account(context: StepContext) -> Outcome[Literal["pin", "unknown"]]:
        return Outcome("pin" if await _has_account(services, context) else "unknown")

    async def choose_proof(context: StepContext) -> Outcome[Literal["pin", "code"]]:
        return Outcome("pin" if await _has_account(services, context) else "code")

    async def check_pin(context: StepContext) -> Outcome[SignInOutcome]:
        result = await services.accounts.sign_in(
            context.caller, context.facts["pin"], context.idempotency_key, vouched=context.caller_number_verified
        )
        return with_proof(sign_in_outcome(result, context, services))

    forgot = (Option("forgot", goto="recover"),)
    by_outcome = {**NOT_SIGNED_IN, "in": "main", "wrong": "prove_pin_wrong"}
    return (
        Step("prove_account", find_account, {"pin": "prove_pin", "unknown": "offer_register"}),
        Step("prove_owner", choose_proof, {"pin": "prove_pin", "code": "prove_by_code"}),
        Question("prove_pin", "pin", validators.pin, goto="check_proof_pin", secret=True, options=forgot),
        Question(
            "prove_pin_wrong",
            "pin",
            validators.pin,
            goto="check_proof_pin",
            secret=True,
            options=forgot,
            retry_of="prove_pin",
        ),
        Step("check_proof_pin", check_pin, by_outcome),
        Choice("number_unproved", (Option("help", goto="get_help", key="7"),)),
    )


def _code_screens(services: JourneyServices) -> Journey:
    async def send_code(context: StepContext) -> Outcome[SendOutcome]:
        purpose = _code_purpose(context)
        return Outcome(await services.codes.send(context.caller, context.language, purpose, context.idempotency_key))

    async def check_code(context: StepContext) -> Outcome[CheckOutcome]:
        code = context.facts["code"]
        outcome = await services.codes.check(context.caller, _code_purpose(context), code, context.idempotency_key)
        return Outcome(outcome, proof=Proof.CODE if outcome == "right" else None)

    again = (Option("again", goto="prove_by_code"),)
    return (
        Step(
            "prove_by_code",
            send_code,
            {"sent": "prove_code", "too_many": "codes_spent"},
            once=True,
            subject=(PENDING_FACT,),
        ),
        *(
            Question(name, "code", validators.code, goto="check_proof_code", secret=True, retry_of=retry_of)
            for name, retry_of in (("prove_code", ""), ("prove_code_wrong", "prove_code"))
        ),
        Step("check_proof_code", check_code, {"right": "main", "wrong": "prove_code_wrong", "gone": "prove_code_gone"}),
        Choice("prove_code_gone", again),
    )


def _operator_screens(services: JourneyServices) -> Journey:
    async def start(_: StepContext) -> Outcome[Literal["pin"]]:
        return Outcome("pin")

    async def check_pin(context: StepContext) -> Outcome[OperatorSignInOutcome]:
        result = await services.operators.sign_in(
            context.caller, context.facts["pin"], context.idempotency_key, vouched=context.caller_number_verified
        )
        facts: dict[str, object] = {"left": result.tries_left}
        if result.locked_until:
            facts["until"] = services.format_time_of_day(result.locked_until, context.caller)
        is_same = result.operator == context.facts.get("operator")
        return Outcome(result.outcome, facts, proof=Proof.OPERATOR_PIN if result.operator and is_same else None)

    by_outcome = {
        **dict.fromkeys(("in", "first"), "operator_menu"),
        "wrong": "prove_operator_pin_wrong",
        "locked": "locked",
        "unknown": "not_operator",
        "unvouched": "operator_unvouched",
    }
    return (
        Step("prove_operator", start, {"pin": "prove_operator_pin"}),
        *(
            Question(name, "pin", validators.pin, goto="check_proof_operator_pin", secret=True, retry_of=retry_of)
            for name, retry_of in (("prove_operator_pin", ""), ("prove_operator_pin_wrong", "prove_operator_pin"))
        ),
        Step("check_proof_operator_pin", check_pin, by_outcome),
    )


def _sim_screens() -> Journey:
    help_option = (Option("help", goto="get_help", key="7"),)
    return (Choice("sim_replaced", help_option), Choice("sim_unknown", help_option))


async def _has_account(services: JourneyServices, context: StepContext) -> bool:
    return bool(context.facts.get("account")) or await services.accounts.has_account(context.caller)


def _code_purpose(context: StepContext) -> str:
    """The purpose of a code: one act."""
    return f"act {context.facts.get(PENDING_FACT, '')}"
