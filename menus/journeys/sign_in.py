"""Sign in with a PIN, and the account menu.

The engine sends a caller to `gate` who is not signed in and comes to a step that needs it. The fact `then` names that step:
after a registration the caller goes on there.
"""

from collections.abc import Mapping
from typing import Final, Literal, get_args

from msgspec.structs import replace

from menus import validators
from menus.journeys.assisted import CITIZEN_FACTS
from menus.journeys.security_questions import has_questions
from menus.journeys.services import JourneyServices
from menus.model import Choice, Goodbye, Journey, Option, Outcome, Question, SessionPolicy, Step, StepContext
from menus.proof import AFTER_SIGN_IN_FACT, NO_PROOF, SIGNED_IN, SIGNED_IN_FACTS, Proof
from services.citizens.models import AccountClosedError, SignInOutcome, SignInResult

AfterSignIn = Literal["own", "start_form", "account", "profile", "complaint_own"]
AFTER_SIGN_IN: Final[tuple[AfterSignIn, ...]] = get_args(AfterSignIn)
"""The steps for which a caller may register first, and that run after the registration."""


NOT_SIGNED_IN: Mapping[str, str] = {"locked": "locked", "unknown": "offer_register", "frozen": "frozen"}
"""The outcomes of an attempt to sign in that end it, and their screens."""


def build_sign_in_journey(services: JourneyServices, *, by_email: bool) -> Journey:
    """The gate, the PIN, and the account menu, with the e-mail address if `by_email`."""

    async def check_gate(context: StepContext) -> Outcome[Literal["in", "known", "new", "sent"]]:
        if context.facts.get("account"):
            return Outcome("in")
        _ensure_offered(services, context)
        key = await services.accounts.find_registration_key(
            context.caller
        ) or await services.accounts.find_closed_registration_key(context.session)
        if context.is_past(key):
            return Outcome("known")
        key = await services.accounts.registrations.find_key(context.caller)
        return Outcome("sent" if context.is_past(key) else "new")

    async def check_pin(context: StepContext) -> Outcome[SignInOutcome]:
        result = await services.accounts.sign_in(
            context.caller,
            context.facts["pin"],
            context.idempotency_key,
            vouched=context.caller_number_verified,
        )
        return with_proof(sign_in_outcome(result, context, services))

    async def go_on(context: StepContext) -> Outcome[AfterSignIn]:
        then = context.facts.get(AFTER_SIGN_IN_FACT)
        step: AfterSignIn = then if then in AFTER_SIGN_IN else "account"
        return Outcome(step, {AFTER_SIGN_IN_FACT: ""})

    async def account(context: StepContext) -> Outcome[Literal["in", "in_with_email", "unasked"]]:
        """Offer security questions to whoever has none, once in a session: they are saved with the PIN for this very act."""
        if not context.facts.get("questions_offered") and not await has_questions(services, context):
            return Outcome("unasked", {"questions_offered": True})
        # A forged STOP may have ended the news: a call from the phone itself tells how to get them again.
        is_out = context.caller_number_verified and await services.opt_outs.is_opted_out(context.citizen)
        return Outcome(
            "in_with_email" if by_email else "in",
            {"start_code": services.find_sms_code(context.citizen) if is_out else None},
        )

    async def sign_out(_: StepContext) -> Outcome[Literal["out"]]:
        return Outcome("out", {"account": 0, "epoch": 0})

    forgot, anew = (Option("forgot", goto="recover"),), (Option("register", goto="register"),)
    menu = (Option("own", goto="own"), Option("pin", goto="change_pin"), Option("out", goto="sign_out"))
    # Key 4 is for e-mail, with or without it.
    rest = (Option("profile", goto="profile", key="5"), Option("questions", goto="change_questions", key="6"))
    by_outcome = {**NOT_SIGNED_IN, "in": "go_on", "wrong": "pin_wrong"}
    menus = {"in": "account_menu", "in_with_email": "account_menu_email"}
    return (
        Step("gate", check_gate, {"in": "go_on", "known": "ask_pin", "sent": "pending_pin", "new": "offer_register"}),
        Question("pending_pin", "pin", validators.pin, goto="check_pin", secret=True, options=anew),
        Question("ask_pin", "pin", validators.pin, goto="check_pin", secret=True, options=forgot),
        Question("pin_wrong", "pin", validators.pin, goto="check_pin", secret=True, options=forgot, retry_of="ask_pin"),
        Step("check_pin", check_pin, by_outcome),
        Goodbye("locked"),
        Choice("frozen", (Option("help", goto="get_help", key="7"),)),
        Step("go_on", go_on, {step: step for step in AFTER_SIGN_IN}),
        Choice("offer_register", (Option("register", goto="register"),)),
        Choice("signed_out_elsewhere", (Option("sign_in", goto="account"), Option("go_on", goto="main"))),
        Step("account", account, {**menus, "unasked": "offer_questions"}, needs=SIGNED_IN),
        Choice("account_menu", (*menu, *rest)),
        Choice("account_menu_email", (*menu, Option("email", goto="email"), *rest)),
        Step("sign_out", sign_out, {"out": "signed_out"}, commits=True, needs=NO_PROOF),
        Goodbye("signed_out"),
    )


def _ensure_offered(services: JourneyServices, context: StepContext) -> None:
    """Nobody has to sign in or register for a service that is gone.

    Raises:
        NoLongerOfferedError: the caller came for the form of a service that left the catalogue.
    """
    service = context.facts.get("service")
    if service and context.facts.get(AFTER_SIGN_IN_FACT) == "start_form":
        services.catalogue.get_service(service)


def build_session_policy(services: JourneyServices) -> SessionPolicy:
    """What happens when a caller is no longer signed in, a citizen or an operator."""

    async def find_end(context: StepContext) -> str:
        facts, vouched = context.facts, context.caller_number_verified
        if operator := facts.get("operator"):
            epoch = facts.get("operator_epoch", 0)
            if reason := await services.operators.find_session_end(operator, epoch, context.session):
                return reason
        account = 0 if context.consent_id else facts.get("account")  # the consent ends by itself
        if not account:
            return ""
        return await services.accounts.find_session_end(
            account, facts.get("epoch", 0), context.session, vouched=vouched
        )

    return SessionPolicy(
        find_end=find_end,
        error=AccountClosedError,
        screens={
            "closed": "account_closed",
            "changed": "signed_out_elsewhere",
            "locked": "signed_out_elsewhere",
            "frozen": "frozen",
            "suspended": "operator_suspended",
        },
        forgotten_facts=SIGNED_IN_FACTS | CITIZEN_FACTS,  # an operator who is signed out acts for nobody
    )


def sign_in_outcome(result: SignInResult, context: StepContext, services: JourneyServices) -> Outcome[SignInOutcome]:
    """The outcome of a step that tries a PIN or security answers, with the facts that the next screen states."""
    facts: dict[str, object] = {"account": result.account, "epoch": result.epoch, "left": result.tries_left}
    if result.locked_until:
        facts["until"] = services.format_time_of_day(result.locked_until, context.citizen)
    return Outcome(result.outcome, facts)


def with_proof(outcome: Outcome[SignInOutcome]) -> Outcome[SignInOutcome]:
    """The outcome of a PIN that was tried, with the proof that a right one gives."""
    return replace(outcome, proof=Proof.PIN) if outcome.name == "in" else outcome
