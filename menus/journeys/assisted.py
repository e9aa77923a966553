"""Assisted mode: an operator at a village centre signs in, and a citizen consents with a code sent to the citizen's phone.

From then on the facts `citizen`, `consent` and `account` are the citizen's, and every other journey acts for the citizen.
The tables here list what an operator never reaches and what needs a consent for a certain purpose; see `OperatorPolicy`.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from typing import Final, Literal

from core.validation import Invalid
from menus import validators
from menus.journeys.main import MAIN_MENU_ENTRIES
from menus.journeys.services import JourneyServices
from menus.model import (
    Choice,
    Facts,
    Goodbye,
    Journey,
    OperatorPolicy,
    Option,
    Outcome,
    Question,
    Screen,
    Step,
    StepContext,
)
from menus.proof import ACCESS, NO_PROOF, OPERATOR_PIN
from services.assisted.models import (
    PURPOSES,
    CheckOutcome,
    ConsentRequest,
    OperatorSignInOutcome,
    Purpose,
    RequestOutcome,
    join_purposes,
)
from services.audit.models import ActingOperator
from services.citizens.models import NewAccount, NumberTakenError

CONSENT_OPTIONS: Final[Mapping[str, frozenset[Purpose]]] = {
    "apply_pay_follow": frozenset({"apply", "pay", "follow"}),
    "follow_complain": frozenset({"follow", "complain"}),
    **{purpose: frozenset({purpose}) for purpose in PURPOSES},
}
"""What an operator may ask a citizen for with one code: the bundles that are often needed, and each single purpose."""
CITIZEN_FACTS: Final = frozenset({"account", "citizen", "citizen_language", "consent", "consent_for"})
"""Facts that exist during a visit only."""
NO_CITIZEN: Final[Facts] = {"account": 0, "citizen": "", "citizen_language": "", "consent": 0, "consent_for": ""}
OPERATOR_MENU_ENTRIES: Final[Mapping[str, str]] = {**MAIN_MENU_ENTRIES, "account": "profile"}
"""Main-menu entries for an operator: the account entry leads to the profile, because the account menu is about the PIN."""
HIDDEN_FROM_OPERATORS: Final = frozenset({"documents", "app", "language"})
"""Main-menu entries that an operator's menu lacks; the others keep their keys."""
VISIT_KEYS: Final = "836459712"
"""The keys for ending a visit, and then for another purpose: 8 and 3, or the next ones that the deployment does not use."""
CITIZEN_ONLY_SCREENS: Final = (
    *("ask_pin", "pin_wrong", "prove_pin", "prove_pin_wrong", "offer_register", "register", "texted_register"),
    *("account", "sign_out", "change_pin", "change_questions", "new_pin", "confirm_pin", "recover", "email"),
    *("languages", "change_language", "sms_letters", "texted_language", "documents_start", "documents_aadhaar"),
    *("own_data", "own_data_send", "delete_confirm", "delete", "texted_refusal"),
)
"""Screens that a citizen alone may use: PIN, recovery, e-mail address, language, documents, own data, and refusing an
application made by somebody else.
"""
VARIANT_SUFFIX: Final = "_assisted"
VISIT_VARIANTS: Final = (
    *("received", "received_to_pay", "received_waiting", "wallet_asked", "own_none", "status_sent", "service_sent"),
    *("own_list", "bill_pending", "pay_pending", "complaint_raised", "complaint_again"),
)
"""Screens that speak to the citizen; an operator sees the variant that speaks of the citizen, `received_assisted`."""
REQUIRED_PURPOSES: Final[Mapping[str, frozenset[str]]] = {
    "sectors": frozenset({"apply"}),
    "ask_number": frozenset({"apply", "follow", "pay", "complain"}),
    "start_form": frozenset({"apply"}),
    "take_up_draft": frozenset({"apply"}),
    "submit": frozenset({"apply"}),
    "ask_answer": frozenset({"apply"}),
    "answer": frozenset({"apply"}),
    "texted_answer": frozenset({"apply"}),
    "answer_by_sms": frozenset({"apply"}),
    "withdraw": frozenset({"apply"}),
    "withdraw_now": frozenset({"apply"}),
    "own": frozenset({"apply", "follow", "pay", "complain"}),
    "bills": frozenset({"pay"}),
    "pay_bill": frozenset({"pay"}),
    "pay_fee": frozenset({"apply", "pay"}),
    "record_cash": frozenset({"apply", "pay"}),
    "complaint_start": frozenset({"complain"}),
    "complaint": frozenset({"complain"}),
    "complaint_own": frozenset({"complain"}),
    "settle_complaint": frozenset({"complain"}),
    "raise_complaint": frozenset({"complain"}),
    "feedback": frozenset({"complain"}),
    "texted_complaint": frozenset({"complain"}),
    "texted_feedback": frozenset({"complain"}),
    "profile": frozenset({"profile"}),
}
"""The consent purposes that a screen needs; one of them is enough."""


def build_assisted_journey(services: JourneyServices, order: Mapping[str, str]) -> Journey:
    """All screens of assisted mode. `order` is the main menu: entries by key."""
    return (
        *_sign_in_screens(services),
        *_consent_request_screens(services),
        *_consent_code_screens(services),
        *_further_consent_screens(services),
        *_visit_screens(services, order),
    )


def build_visit_variants(screens: Sequence[Screen]) -> Journey:
    """The variants for operators: they lead where the screens of the citizen lead."""
    return tuple(
        replace(screen, name=f"{screen.name}{VARIANT_SUFFIX}") for screen in screens if screen.name in VISIT_VARIANTS
    )


def build_operator_policy(services: JourneyServices) -> OperatorPolicy:
    """How the other journeys differ for an operator."""

    async def end_reason(context: StepContext) -> str:
        return await services.consents.end_reason(context.consent_id, context.input_key) or ""

    def audit_context(context: StepContext) -> AbstractContextManager[None]:
        operator = ActingOperator(context.facts["operator"], context.facts["account"], context.consent_id)
        return services.act_as_operator(operator)

    instead = {
        **{name: f"{name}{VARIANT_SUFFIX}" for name in VISIT_VARIANTS},
        "main": "assist_menu",
        "operator": "assist_menu",
        **dict.fromkeys(CITIZEN_ONLY_SCREENS, "assist_refused"),
    }
    return OperatorPolicy(
        replacements=instead,
        required_purposes=REQUIRED_PURPOSES,
        no_consent_screen="assist_unasked",
        refusal_screens=frozenset({"assist_unasked", "assist_refused"}),
        end_reason=end_reason,
        audit_context=audit_context,
        ended_screen="assist_over",
        forgotten_facts=CITIZEN_FACTS,
    )


def _sign_in_screens(services: JourneyServices) -> Journey:
    async def start(context: StepContext) -> Outcome[Literal["in", "known", "suspended", "unknown", "unvouched"]]:
        if not context.caller_number_verified:
            return Outcome("unvouched")
        enrolled = await services.operators.enrolment_status(context.caller)
        return Outcome("in" if enrolled == "known" and context.facts.get("operator") else enrolled)

    async def check_pin(context: StepContext) -> Outcome[OperatorSignInOutcome]:
        result = await services.operators.sign_in(
            context.caller,
            context.facts["pin"],
            context.idempotency_key,
            vouched=context.caller_number_verified,
        )
        if result.operator:
            await services.consents.end_other_sessions(result.operator, context.idempotency_key)
        facts: dict[str, object] = {
            "operator": result.operator,
            "operator_epoch": result.epoch,
            "left": result.tries_left,
            "pin_for": "operator",
        }
        if result.locked_until:
            facts["until"] = services.format_time_of_day(result.locked_until, context.caller)
        return Outcome(result.outcome, facts)

    async def change_pin(_: StepContext) -> Outcome[Literal["on"]]:
        return Outcome("on", {"pin_for": "operator"})

    async def keep_pin(context: StepContext) -> Outcome[Literal["kept"]]:
        epoch = await services.operators.choose_pin(
            context.facts["operator"], context.facts["pin_hash"], context.idempotency_key
        )
        return Outcome("kept", {"pin_hash": "", "operator_epoch": epoch})

    async def sign_out(_: StepContext) -> Outcome[Literal["out"]]:
        return Outcome("out", {"operator": 0, "operator_epoch": 0})

    by_status = {
        "known": "operator_pin",
        "suspended": "operator_suspended",
        "unknown": "not_operator",
        "unvouched": "operator_unvouched",
    }
    by_outcome = {"in": "operator_menu", "first": "new_pin", "wrong": "operator_pin_wrong", "locked": "locked"}
    menu = (
        Option("citizen", goto="ask_citizen"),
        Option("pin", goto="operator_change_pin"),
        Option("out", goto="operator_out"),
    )
    kept = {"kept": "operator_menu"}
    return (
        Step("operator", start, {**by_status, "in": "operator_menu"}),
        Choice("not_operator", (Option("centre", goto="nearest_centre"), Option("help", goto="get_help", key="7"))),
        Choice("operator_suspended", (Option("help", goto="get_help", key="7"),)),
        *(
            Question(name, "pin", validators.pin, goto="check_operator_pin", secret=True, retry_of=retry_of)
            for name, retry_of in (("operator_pin", ""), ("operator_pin_wrong", "operator_pin"))
        ),
        Step(
            "check_operator_pin",
            check_pin,
            {**by_outcome, "unknown": "not_operator", "unvouched": "operator_unvouched"},
        ),
        Goodbye("operator_unvouched"),
        Choice("operator_menu", menu),
        Step("operator_change_pin", change_pin, {"on": "new_pin"}),
        Step("keep_operator_pin", keep_pin, kept, commits=True, effects=ACCESS, needs=OPERATOR_PIN),
        Step("operator_out", sign_out, {"out": "operator_left"}, commits=True, needs=NO_PROOF),
        Goodbye("operator_left"),
    )


def _consent_request_screens(services: JourneyServices) -> Journey:
    async def reach(context: StepContext) -> Outcome[Literal["right", "wrong"]]:
        number = validators.other_number(context.facts["typed_number"], context.caller, services.is_supported_number)
        if isinstance(number, Invalid):
            return Outcome("wrong", invalid=number)
        return Outcome("right", {"asked_citizen": number.value, "asked_last": number.value[-4:]})

    async def ask(context: StepContext) -> Outcome[RequestOutcome | Literal["suspended"]]:
        if await services.operators.enrolment_status(context.caller) != "known":
            return Outcome("suspended")
        facts = context.facts
        purposes = CONSENT_OPTIONS[facts["asked_for"]]
        request = ConsentRequest(facts["operator"], facts["asked_citizen"], purposes, context.channel)
        result = await services.consents.request(request, context.idempotency_key)
        return Outcome(result.outcome, {"asked_consent": result.consent})

    by_outcome = {"sent": "consent_code", "too_many": "citizen_spent", "spent": "operator_spent"}
    options = tuple(Option(name, goto="ask_consent") for name in CONSENT_OPTIONS)
    return (
        Question("ask_citizen", "typed_number", validators.phone_text, goto="reach_citizen", secret=True),
        Step("reach_citizen", reach, {"right": "consent_purpose", "wrong": "ask_citizen"}),
        Choice("consent_purpose", options, save_as="asked_for"),
        Step("ask_consent", ask, {**by_outcome, "suspended": "operator_suspended"}),
        Choice("citizen_spent", (Option("citizen", goto="ask_citizen"),)),
        Choice("operator_spent", (Option("help", goto="get_help", key="7"),)),
    )


def _consent_code_screens(services: JourneyServices) -> Journey:
    async def check_code(context: StepContext) -> Outcome[Literal["right", "newcomer", "wrong", "gone", "spent"]]:
        facts = context.facts
        result = await services.consents.verify_code(facts["asked_consent"], facts["code"], context.idempotency_key)
        if result.outcome != "right":
            return Outcome(result.outcome)
        if not result.account:
            return Outcome("newcomer", {"asked_language": result.language})
        return Outcome("right", _citizen_facts(facts, result.account, result.language))

    async def register(context: StepContext) -> Outcome[Literal["right", "over"]]:
        facts = context.facts
        if reason := await services.consents.end_reason(facts["asked_consent"], context.input_key):
            return Outcome("over", {"consent_over": reason})
        with services.act_as_operator(ActingOperator(facts["operator"], 0, facts["asked_consent"])):
            account = await _register_citizen(services, context)
        return Outcome("right", _citizen_facts(facts, account, facts["asked_language"]))

    again = (Option("again", goto="ask_consent"),)
    registered = {"right": "main", "over": "assist_over"}
    by_outcome = {"wrong": "consent_code_wrong", "gone": "consent_code_gone", "spent": "operator_spent"}
    return (
        *(
            Question(name, "code", validators.code, goto="check_consent", secret=True, options=again, retry_of=retry_of)
            for name, retry_of in (("consent_code", ""), ("consent_code_wrong", "consent_code"))
        ),
        Step("check_consent", check_code, {**by_outcome, "right": "main", "newcomer": "citizen_name"}),
        Choice("consent_code_gone", (*again, Option("citizen", goto="ask_citizen"))),
        Question("citizen_name", "citizen_name", validators.person_name, goto="register_citizen"),
        Step(
            "register_citizen",
            register,
            registered,
            commits=True,
            effects=ACCESS,
            needs=OPERATOR_PIN,
            subject=("asked_consent",),
        ),
    )


def _further_consent_screens(services: JourneyServices) -> Journey:
    """Ask for another purpose during a visit, which goes on meanwhile."""

    async def ask(context: StepContext) -> Outcome[RequestOutcome]:
        facts, purposes = context.facts, CONSENT_OPTIONS[context.facts["more_for"]]
        request = ConsentRequest(facts["operator"], facts["citizen"], purposes, context.channel, context.consent_id)
        result = await services.consents.request(request, context.idempotency_key)
        return Outcome(result.outcome, {"more_consent": result.consent})

    async def check_code(context: StepContext) -> Outcome[CheckOutcome]:
        facts = context.facts
        result = await services.consents.verify_code(
            facts["more_consent"], facts["consent_code"], context.idempotency_key
        )
        if result.outcome != "right":
            return Outcome(result.outcome)
        agreed = _agreed_purposes(facts) | CONSENT_OPTIONS[facts["more_for"]]
        return Outcome("right", {"consent_for": join_purposes(agreed)})

    again = (Option("again", goto="ask_more"),)
    options = tuple(Option(purpose, goto="ask_more", shown_if=_lacks(purpose)) for purpose in PURPOSES)
    by_outcome = {"wrong": "more_code_wrong", "gone": "more_code_gone", "spent": "operator_spent"}
    return (
        Choice("consent_more", options, save_as="more_for"),
        Step("ask_more", ask, {"sent": "more_code", "too_many": "more_spent", "spent": "operator_spent"}),
        *(
            Question(
                name, "consent_code", validators.code, goto="check_more", secret=True, options=again, retry_of=retry_of
            )
            for name, retry_of in (("more_code", ""), ("more_code_wrong", "more_code"))
        ),
        Step("check_more", check_code, {**by_outcome, "right": "main"}),
        Choice("more_code_gone", again),
        Choice("more_spent", ()),
    )


def _visit_screens(services: JourneyServices, order: Mapping[str, str]) -> Journey:
    async def end(context: StepContext) -> Outcome[Literal["ended"]]:
        await services.consents.end(context.consent_id, context.input_key)
        return Outcome("ended", NO_CITIZEN)

    entries = {key: entry for key, entry in order.items() if entry not in HIDDEN_FROM_OPERATORS}
    end_key, more_key = [key for key in VISIT_KEYS if key not in entries][:2]
    options = (
        *(Option(entry, goto=OPERATOR_MENU_ENTRIES[entry], key=key) for key, entry in entries.items()),
        Option("more", goto="consent_more", key=more_key, shown_if=_lacks(*PURPOSES)),
        Option("end", goto="assist_end", key=end_key),
    )
    return (
        Choice("assist_menu", tuple(sorted(options, key=lambda option: option.key))),
        Step("assist_end", end, {"ended": "assist_ended"}, commits=True, needs=NO_PROOF, subject=("consent",)),
        Choice("assist_ended", (Option("citizen", goto="ask_citizen"), Option("out", goto="operator_out"))),
        Choice("assist_refused", ()),
        Choice("assist_unasked", ()),
        Goodbye("assist_over"),
    )


async def _register_citizen(services: JourneyServices, context: StepContext) -> int:
    """Register the citizen and return the account's id. The PIN goes to the citizen's phone; questions can be chosen later."""
    consent = context.facts["asked_consent"]
    citizen = await services.consents.citizen_of(consent)
    new_account = NewAccount(
        msisdn=citizen.msisdn,
        name=context.facts["citizen_name"],
        language=citizen.language,
        pin_hash="",
        questions=(),
        registered_by=citizen.operator_facts,
    )
    with suppress(NumberTakenError):  # the citizen registered at the same moment
        await services.accounts.register(new_account, context.idempotency_key)
    return await services.consents.attach_account(consent)


def _lacks(*purposes: Purpose) -> Callable[[Facts], bool]:
    """Whether the citizen has not agreed to one of these purposes."""
    return lambda facts: not _agreed_purposes(facts).issuperset(purposes)


def _agreed_purposes(facts: Facts) -> frozenset[str]:
    return frozenset(str(facts.get("consent_for", "")).split())


def _citizen_facts(facts: Facts, account: int, language: str) -> Facts:
    """The facts of a visit: the citizen and the consent."""
    return {
        "account": account,
        "citizen": facts["asked_citizen"],
        "citizen_language": language,
        "consent": facts["asked_consent"],
        "consent_for": join_purposes(CONSENT_OPTIONS[facts["asked_for"]]),
    }
