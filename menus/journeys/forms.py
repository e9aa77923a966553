"""The form of a service: resume a draft, choose the beneficiary, prefill from the profile, ask the questions.

The idempotency key of an application is fixed when its form is opened. So one form is one application, however often its
last input is repeated: in this session, in the next one after a drop, or weeks later from a draft, which keeps the key.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final, Literal, TypeAlias

from core.validation import Invalid
from menus import validators
from menus.journeys.services import JourneyServices
from menus.model import (
    Choice,
    Fact,
    Facts,
    Form,
    FormField,
    Journey,
    ListScreen,
    Option,
    Outcome,
    Question,
    Step,
    StepContext,
)
from menus.proof import COMMITS, REVEALS, SESSION_OR_PIN, SIGNED_IN
from services.applications.models import Draft
from services.catalogue.models import AppliedFor

_SCREENS_BY_PERSON: Final[Mapping[str, str]] = {
    "self": "for_me",
    "another": "ask_other",
    "dependent": "for_dependent",
}
_REJECTIONS: Final = {"too_many": Invalid("for_other_too_many"), "refused": Invalid("for_other_refused")}
"""Why the caller may not apply for the other person now."""
FormStart: TypeAlias = Literal["several", "self", "another", "dependent"]
"""Whom the form is for; `several`: the citizen says it."""
KNOWN_PREFIX: Final = "known_"
KNOWN_KEYS: Final = ("name", "phone", "born", "gender", "father", "mother", "house", "area", "district", "postcode")
"""The keys of a profile whose answers a form shows before it asks."""
KNOWN_FACTS: Final = tuple(KNOWN_PREFIX + key for key in KNOWN_KEYS)
"""Prefix of the facts that display what a profile has; the profile key follows."""


def build_form_journey(services: JourneyServices) -> Journey:
    """From the start of an application to the summary of the answers."""
    return (
        *_start_screens(services),
        *_beneficiary_screens(services),
        *_prefill_screens(services),
        *_question_screens(services),
    )


def is_answered(field: FormField, form: Mapping[str, Any]) -> bool:
    """Whether the form has an answer to this field; a choice that is no longer offered does not count."""
    value = form.get(field.name)
    return value is not None and (not field.choices or value in {code for code, _ in field.choices})


def _start_screens(services: JourneyServices) -> Journey:
    def open_form(context: StepContext) -> Outcome[FormStart]:
        facts = {
            "draft": context.input_key,
            "begun": context.today.isoformat(),
            "form": {},
            "beneficiary": "",
            "applied_for": "",
            "hints": {},
        }
        persons = services.catalogue.get_service(context.facts["service"]).for_whom
        return Outcome("several" if len(persons) > 1 else persons[0], facts)

    async def start_form(context: StepContext) -> Outcome[Literal["left"] | FormStart]:
        account, service = context.facts["account"], context.facts["service"]
        draft = await services.drafts.find_unfinished(account, service, context.input_key)
        if draft is None:
            return open_form(context)
        return Outcome("left", {"draft": draft.idempotency_key, "begun": draft.started_on.isoformat()})

    async def begin_afresh(context: StepContext) -> Outcome[FormStart]:
        await services.drafts.discard(context.facts["account"], context.facts["draft"], context.input_key)
        return open_form(context)

    async def resume_draft(context: StepContext) -> Outcome[Literal["taken"] | FormStart]:
        draft = await services.drafts.resume(context.facts["account"], context.facts["draft"], context.input_key)
        if draft is None:
            return open_form(context)
        taken = {"form": dict(draft.form), "beneficiary": draft.beneficiary, "applied_for": draft.applied_for}
        return Outcome("taken", {**taken, "hints": {}})

    next_screens = {"several": "for_whom", **_SCREENS_BY_PERSON}
    return (
        Step("start_form", start_form, {**next_screens, "left": "draft_left"}, needs=SIGNED_IN),
        Choice("draft_left", (Option("go_on", goto="take_up_draft"), Option("afresh", goto="begin_afresh"))),
        Step("begin_afresh", begin_afresh, next_screens, effects=COMMITS, needs=SESSION_OR_PIN, subject=("draft",)),
        Step("take_up_draft", resume_draft, {**next_screens, "taken": "ask_missing"}, effects=REVEALS, needs=SIGNED_IN),
    )


def applied_for(facts: Facts) -> AppliedFor:
    """Whom the form with these facts is for; before it is said, the applicant."""
    person: AppliedFor | None = facts.get("applied_for") or None
    return person or ("another" if facts.get("beneficiary") else "self")


def _beneficiary_screens(services: JourneyServices) -> Journey:
    def rows(facts: Facts) -> Sequence[Facts]:
        people = services.catalogue.get_service(facts["service"]).for_whom
        of_visit = {"self": "citizen"} if facts.get("consent") else {}
        return [{"for_whom": person, "for_whom_said": of_visit.get(person, person)} for person in people]

    async def choose_person(context: StepContext) -> Outcome[AppliedFor]:
        person: AppliedFor = context.facts["for_whom"]
        return Outcome(person)

    async def check_beneficiary(context: StepContext) -> Outcome[Literal["good", "refused"]]:
        number = validators.other_number(
            context.facts["other"], context.citizen, services.is_supported_number, mobile_only=True
        )
        if isinstance(number, Invalid):
            return Outcome("refused", invalid=number)
        account, draft = int(context.facts.get("account") or 0), context.facts["draft"]
        rejection = await services.application_forms.find_beneficiary_rejection(
            account, number.value, lambda key: key != draft and context.is_past(key)
        )
        if rejection:
            return Outcome("refused", invalid=_REJECTIONS[rejection])
        return Outcome("good", {**_beneficiary_facts(context, "another", number.value), "hints": {}})

    return (
        ListScreen("for_whom", rows, save_as="for_whom", goto="choose_person", goto_if_empty="for_me"),
        Step("choose_person", choose_person, _SCREENS_BY_PERSON),
        Step("for_me", _apply_for_self, {"mine": "prefill"}),
        Step("for_dependent", _apply_for_dependent, {"theirs": "ask_missing"}),
        Question("ask_other", "other", validators.phone_text, goto="check_other", secret=True),
        Step("check_other", check_beneficiary, {"good": "ask_missing", "refused": "ask_other"}),
    )


async def _apply_for_self(context: StepContext) -> Outcome[Literal["mine"]]:
    return Outcome("mine", _beneficiary_facts(context, "self"))


async def _apply_for_dependent(context: StepContext) -> Outcome[Literal["theirs"]]:
    """For somebody without a number: nothing of the caller's profile is used, and nobody else gets SMS."""
    return Outcome("theirs", {**_beneficiary_facts(context, "dependent"), "hints": {}})


def _beneficiary_facts(context: StepContext, person: AppliedFor, number: str = "") -> dict[str, Fact]:
    """Whom the form is for now. Answers about one person do not apply to the next one: they are dropped."""
    is_same = applied_for(context.facts) == person
    return {"beneficiary": number, "applied_for": person, **({} if is_same else {"form": {}})}


def _prefill_screens(services: JourneyServices) -> Journey:
    async def read_profile(context: StepContext) -> Outcome[Literal["known", "nothing"]]:
        service = context.facts["service"]
        prefill = await services.application_forms.prefill(context.facts["account"], service, context.is_past)
        fields = {field.name: field for field in services.application_forms.fields(service)}
        displayed = {
            KNOWN_PREFIX + answer.profile_key: fields[answer.field_name].display_value(answer.value)
            for answer in prefill.answers
        }
        cleared = {name: None for name in context.facts if name.startswith(KNOWN_PREFIX)}
        known = {answer.field_name: answer.value for answer in prefill.answers}
        facts = {**cleared, **displayed, "known": known, "hints": dict(prefill.hints)}
        return Outcome("known" if known else "nothing", facts)

    async def use_known_answers(context: StepContext) -> Outcome[Literal["used"]]:
        return Outcome("used", {"form": {**context.facts["form"], **context.facts["known"]}})

    by_profile = {"known": "from_profile", "nothing": "ask_missing"}
    return (
        Step("prefill", read_profile, by_profile, effects=REVEALS, needs=SIGNED_IN, facts=KNOWN_FACTS),
        Choice(
            "from_profile",
            (Option("use", goto="use_known", means="yes"), Option("again", goto="ask_missing", means="no")),
            key_fact="known_name",
        ),
        Step("use_known", use_known_answers, {"used": "ask_missing"}),
    )


def _question_screens(services: JourneyServices) -> Journey:
    def current_fields(facts: Facts) -> Sequence[FormField]:
        """The fields to ask; none if one of them left the form, because the others may have moved."""
        by_name = {field.name: field for field in services.application_forms.fields(facts["service"])}
        names: Sequence[str] = facts.get("ask", ())
        return [by_name[name] for name in names] if by_name.keys() >= set(names) else ()

    async def find_missing(context: StepContext) -> Outcome[Literal["some", "none"]]:
        form = context.facts["form"]
        names = [
            field.name
            for field in services.application_forms.fields(context.facts["service"])
            if not is_answered(field, form)
        ]
        return Outcome("some" if names else "none", {"ask": names})

    async def save_draft(context: StepContext) -> None:
        facts: Mapping[str, Fact] = context.facts
        draft = Draft(
            idempotency_key=facts["draft"],
            account=facts["account"],
            service=facts["service"],
            started_on=date.fromisoformat(facts["begun"]),
            form=facts["form"],
            beneficiary=facts["beneficiary"],
            applied_for=applied_for(facts),
        )
        await services.drafts.save(draft)

    return (
        Step("ask_missing", find_missing, {"some": "form", "none": "summary"}),
        Form(
            "form",
            current_fields,
            save_as="form",
            goto="summary",
            on_answer=save_draft,
            needs=SIGNED_IN,
            hints_fact="hints",
            intro_fact="applied_for",
        ),
    )
