"""The SMS keywords: one step each, which receives the words after the keyword as the secret fact `rest`.

A request that one SMS answers ends with the answer; every other continues with numbered replies as in a USSD session.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final, Literal, TypeAlias

from core.languages import LATIN_SUFFIX, LOCALE_CODES, language_of_locale
from core.reference_numbers import TRACKING_NUMBER_DIGITS
from core.typed_input import extract_digits, normalize_input
from core.typed_numbers import split_leading_digits
from core.validation import Invalid
from menus import validators
from menus.journeys.complaints import build_author, complaint_receipt_facts, complaint_text
from menus.journeys.language import store_language_choice
from menus.journeys.search import search_result_facts, search_services
from menus.journeys.service_details import service_facts
from menus.journeys.services import JourneyServices
from menus.journeys.track import TrackingOutcome, find_status
from menus.model import Goodbye, Journey, Outcome, Question, Step, StepContext
from menus.proof import ANYONE
from services.complaints.models import NewComplaint, NewFeedback

CaseOutcome: TypeAlias = Literal["complaint", "answered", "feedback"]
_CASE_OUTCOMES: Final[Mapping[TrackingOutcome, CaseOutcome]] = {
    "complaint": "complaint",
    "answered": "answered",
    "feedback": "feedback",
}
NAME_QUESTION: Final = "texted_name"
"""The question for the name of a new account, after REG without one."""
CASE_SCREENS: Final[Mapping[str, str]] = {
    "complaint": "complaint_texted",
    "answered": "complaint_answered",
    "feedback": "feedback_texted",
}
"""Where the status of a complaint or feedback is shown."""


def build_keyword_journey(services: JourneyServices, languages: Sequence[str]) -> Journey:
    """All screens for keywords."""
    return (
        *_status_screens(services),
        *_registration_screens(services),
        *_search_screens(services),
        *_payment_screens(services),
        *_complaint_screens(services),
        *_language_screens(services, languages),
    )


def _status_screens(services: JourneyServices) -> Journey:
    async def show_status(context: StepContext) -> Outcome[TrackingOutcome | Literal["waiting", "asked"]]:
        if not extract_digits(context.facts["rest"]):  # `status of my application` gives no number that could be wrong
            return Outcome("asked")
        number = validators.tracking_number(context.facts["rest"], context.today)
        if isinstance(number, Invalid):
            return Outcome("asked", invalid=number)
        outcome = await find_status(services, context, number.value)
        name = outcome.facts.get("delivery") or outcome.name
        return Outcome(name, {**outcome.facts, "number": number.value})

    next_screens = {
        "application": "status_texted",
        "fee_due": "status_texted",
        "waiting": "status_texted_waiting",
        **CASE_SCREENS,
        "unknown": "no_such_number",
        "held": "too_many_numbers",
        "asked": "ask_number",
    }
    return (
        Step("texted_status", show_status, next_screens),
        Goodbye("status_texted"),
        Goodbye("status_texted_waiting"),
        Goodbye("complaint_texted"),
        Goodbye("feedback_texted"),
    )


def _registration_screens(services: JourneyServices) -> Journey:
    async def start_registration(context: StepContext) -> Outcome[Literal["named", "asked", "known"]]:
        if context.is_past(await services.accounts.find_registration_key(context.caller)):
            return Outcome("known")
        name = validators.person_name(context.facts["rest"], context.today)
        if isinstance(name, Invalid) or services.catalogue.is_service_name(name.value, by_sound=False):
            return Outcome("asked")
        return Outcome("named", {"name": name.value})

    return (
        Step(
            "texted_register",
            start_registration,
            {"named": "register_texted", "asked": NAME_QUESTION, "known": "has_account"},
        ),
        Question(NAME_QUESTION, "name", validators.person_name, goto="register_texted"),
    )


def _search_screens(services: JourneyServices) -> Journey:
    async def apply(context: StepContext) -> Outcome[Literal["form", "elsewhere", "several", "none", "asked"]]:
        if not context.facts["rest"]:
            return Outcome("asked")
        result = search_services(services, normalize_input(context.facts["rest"]))
        if len(result.codes) != 1 and not result.numbered:
            return Outcome("several" if result.codes else "none", search_result_facts(result))
        code = result.codes[0]
        facts = {"service": code, **service_facts(services.catalogue.get_service(code))}
        return Outcome(
            "form" if context.channel in services.catalogue.get_service(code).channels else "elsewhere", facts
        )

    async def search(context: StepContext) -> Outcome[Literal["several", "none", "asked"]]:
        if not context.facts["rest"]:
            return Outcome("asked")
        result = search_services(services, normalize_input(context.facts["rest"]))
        return Outcome("several" if result.codes else "none", search_result_facts(result))

    by_result = {"several": "found_services", "none": "nothing_found", "asked": "sectors"}
    return (
        Step("texted_apply", apply, {**by_result, "form": "start_form", "elsewhere": "service_elsewhere"}),
        Step("texted_services", search, by_result),
        Goodbye("nothing_found"),
    )


def _payment_screens(services: JourneyServices) -> Journey:
    async def start_payment(
        context: StepContext,
    ) -> Outcome[Literal["fee", "biller", "bills", "asked", "unknown", "held"] | CaseOutcome]:
        """A number leads to the fee of its application, the name of a biller to the question for the consumer number."""
        rest = context.facts["rest"]
        if not extract_digits(rest):
            codes = services.billers.find_by_name(context.citizen, rest) if rest else ()
            return Outcome("biller", {"biller": codes[0]}) if len(codes) == 1 else Outcome("bills")
        number = validators.tracking_number(rest, context.today)
        if isinstance(number, Invalid):
            return Outcome("asked", invalid=number)
        found = await find_status(services, context, number.value)
        if found.name in ("unknown", "held"):
            return Outcome(found.name, {"number": number.value})
        if case := _CASE_OUTCOMES.get(found.name):
            return Outcome(case, {**found.facts, "number": number.value})
        return Outcome("fee", {"number": number.value})

    next_screens = {
        "fee": "pay_fee",
        "biller": "bill_ask",
        "bills": "bills",
        "asked": "ask_number",
        "unknown": "no_such_number",
        "held": "too_many_numbers",
        **CASE_SCREENS,
    }
    return (Step("texted_pay", start_payment, next_screens),)


def _complaint_screens(services: JourneyServices) -> Journey:
    async def start_complaint(context: StepContext) -> Outcome[Literal["written", "asked"] | CaseOutcome]:
        """Without a text, the number of a complaint asks for its status, and any other one is what the complaint is about."""
        about, body = split_tracking_number(context.facts["rest"], context.today)
        if about and not body:
            found = await find_status(services, context, about)
            if case := _CASE_OUTCOMES.get(found.name):
                return Outcome(case, {**found.facts, "number": about})
        return Outcome("written" if body else "asked", {"about": about})

    async def complain(context: StepContext) -> Outcome[Literal["kept"]]:
        complaint = NewComplaint(
            msisdn=context.citizen,
            text=context.facts["rest"],
            language=context.citizen_language,
            channel=context.channel,
            about=context.facts["about"],
        )
        receipt = await services.complaints.submit_complaint(
            complaint, context.idempotency_key, by=build_author(context)
        )
        return Outcome("kept", complaint_receipt_facts(receipt))

    async def give_feedback(context: StepContext) -> Outcome[Literal["kept", "asked"]]:
        if not context.facts["rest"]:
            return Outcome("asked")
        feedback = NewFeedback(context.citizen, context.facts["rest"], context.citizen_language, context.channel)
        number = await services.complaints.submit_feedback(feedback, context.idempotency_key, by=build_author(context))
        return Outcome("kept", {"feedback": number})

    by_feedback = {"kept": "feedback_kept", "asked": "ask_feedback"}
    return (
        Step("texted_complaint", start_complaint, {"written": "complain", "asked": "ask_complaint", **CASE_SCREENS}),
        Question("ask_complaint", "rest", complaint_text, goto="complain", secret=True),
        Step("complain", complain, {"kept": "complaint_kept"}, commits=True, needs=ANYONE, subject=("about",)),
        Step("texted_feedback", give_feedback, by_feedback, commits=True, needs=ANYONE),
        Question("ask_feedback", "rest", complaint_text, goto="texted_feedback", secret=True),
    )


def _language_screens(services: JourneyServices, languages: Sequence[str]) -> Journey:
    async def choose_language(context: StepContext) -> Outcome[Literal["kept", "asked"]]:
        """The rest is the code of a locale, if the sender named one; LATIN_SUFFIX stands for the letters alone."""
        rest = context.facts["rest"]
        if rest == LATIN_SUFFIX:
            await services.contacts.choose_letters(context.caller, latin=True)
            return Outcome("kept")
        if rest not in LOCALE_CODES or (language := language_of_locale(rest)).code not in languages:
            return Outcome("asked")
        await store_language_choice(services, context, language.code)
        if not language.is_latin:
            await services.contacts.choose_letters(context.caller, latin=rest == language.latin_locale)
        return Outcome("kept", language=language.code)

    return (
        Step("texted_language", choose_language, {"kept": "language_kept", "asked": "change_language"}),
        Goodbye("language_kept"),
    )


def split_tracking_number(text: str, today: date) -> tuple[str, str]:
    """The tracking number at the start of the text, empty without one, and the text after it."""
    text = normalize_input(text)
    digits, rest = split_leading_digits(text, TRACKING_NUMBER_DIGITS)
    number = validators.tracking_number(digits, today)
    return ("", text) if isinstance(number, Invalid) else (str(number.value), rest)
