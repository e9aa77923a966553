"""Apply for a service: the form, a summary where every answer can be changed, the PIN, and the tracking number."""

from collections.abc import Sequence
from typing import Any, Final, Literal

from core.types import CHANNEL_SMS
from menus.journeys.forms import KNOWN_PREFIX, applied_for, build_form_journey, is_answered
from menus.journeys.service_details import service_facts
from menus.journeys.services import JourneyServices
from menus.model import (
    Choice,
    Facts,
    FormField,
    Goodbye,
    Journey,
    ListScreen,
    Option,
    Outcome,
    Step,
    StepContext,
)
from menus.proof import AFTER_SIGN_IN_FACT, FRESH_PIN
from services.applications.models import ApplicationRequest, BeneficiaryLimitError

SAID_BY_SMS_FACT: Final = "said_by_sms"  # fact: the receipt's SMS says everything, so no reply is sent besides


def build_apply_journey(services: JourneyServices, *, track_key: str) -> Journey:
    """From a service's screen to the tracking number. `track_key` is the main-menu key of tracking, which the receipt states."""
    return (
        *build_form_journey(services),
        *_summary_screens(services),
        *_change_screens(services),
        *_confirm_screens(services),
        *_submit_screens(services, track_key),
    )


def _summary_screens(services: JourneyServices) -> Journey:
    async def summarize(context: StepContext) -> Outcome[Literal["fee", "free", "changed"]]:
        facts, fields = context.facts, services.application_forms.fields(context.facts["service"])
        if not all(is_answered(field, facts["form"]) for field in fields):
            return Outcome("changed")
        known = {
            "summary": [_display_answer(field, facts) for field in fields],
            **await _summary_facts(services, facts),
        }
        return Outcome("fee" if known["fee"] else "free", known)

    async def list_documents_to_bring(context: StepContext) -> Outcome[Literal["some", "nothing"]]:
        return Outcome("some" if context.facts["bring"] else "nothing")

    send = (Option("apply", goto="sure", means="yes"),)
    options = (*send, Option("change", goto="change_which"), Option("bring", goto="what_to_bring"))
    return (
        Step("summary", summarize, {"fee": "confirm", "free": "confirm_free", "changed": "form_changed"}),
        Choice("form_changed", (Option("go_on", goto="ask_missing"),)),
        Choice("confirm", options, key_fact="summary"),
        Choice("confirm_free", options, key_fact="summary"),
        Step("what_to_bring", list_documents_to_bring, {"some": "bring", "nothing": "bring_nothing"}),
        Choice("bring", send),
        Choice("bring_nothing", send),
    )


async def _summary_facts(services: JourneyServices, facts: Facts) -> dict[str, Any]:
    """The facts of a summary besides the answers: today's fee and time, documents, identity numbers that differ from the profile.

    An application for somebody else uses nothing of the caller's profile.
    """
    service, account = facts["service"], facts["account"] if applied_for(facts) == "self" else 0
    documents = await services.application_forms.required_documents(account, service)
    differing = (
        await services.application_forms.differing_identity_fields(account, service, facts["form"]) if account else ()
    )
    numbers = [
        _display_answer(field, facts) for field in services.application_forms.fields(service) if field.name in differing
    ]
    offered, bring = service_facts(services.catalogue.get_service(service)), list(documents.to_bring)
    to_bring = {"bring": bring, "bring_to": offered["office"] if bring else ""}
    return {**offered, **to_bring, "differing": numbers, "on_file": list(documents.on_file)}


def _change_screens(services: JourneyServices) -> Journey:
    def rows(facts: Facts) -> Sequence[Facts]:
        fields = services.application_forms.fields(facts["service"])
        answers = [
            {"changing": field.name, "answer": [_display_answer(field, facts)]}
            for field in fields
            if _has_answer(field, facts)
        ]
        other = facts.get("beneficiary")
        return [*answers, {"changing": "", "answer": [other]}] if other else answers

    async def change(context: StepContext) -> Outcome[Literal["answer", "number"]]:
        name = context.facts["changing"]
        return Outcome("answer", {"ask": [name]}) if name else Outcome("number")

    return (
        ListScreen("change_which", rows, save_as="changing", goto="change_answer", goto_if_empty="summary"),
        Step("change_answer", change, {"answer": "form", "number": "ask_other"}),
    )


def _confirm_screens(services: JourneyServices) -> Journey:
    async def confirm(context: StepContext) -> Outcome[Literal["unchanged", "changed"]]:
        """Compare the offer with the summary: a changed fee, time or form is shown again before it is submitted."""
        facts = context.facts
        offered = service_facts(services.catalogue.get_service(facts["service"]))
        is_unchanged = all(offered[name] == facts.get(name) for name in offered)
        if not is_unchanged or not all(
            is_answered(field, facts["form"]) for field in services.application_forms.fields(facts["service"])
        ):
            return Outcome("changed")
        return Outcome("unchanged", {AFTER_SIGN_IN_FACT: "start_form"})  # where a caller who forgot the PIN goes on

    return (Step("sure", confirm, {"unchanged": "submit", "changed": "summary"}),)


def _submit_screens(services: JourneyServices, track_key: str) -> Journey:
    async def submit(context: StepContext) -> Outcome[Literal["received", "payable", "waiting", "not_for_other"]]:
        facts, is_by_sms = context.facts, context.channel == CHANNEL_SMS
        request = ApplicationRequest(
            account=facts["account"],
            msisdn=context.citizen,
            service=facts["service"],
            form=facts["form"],
            beneficiary=facts["beneficiary"],
            applied_for=applied_for(facts),
            language=context.citizen_language,
            channel=context.channel,
            draft_key=facts["draft"],
            is_assisted=bool(context.consent_id),
        )
        try:
            receipt = await services.application_forms.submit(request, context.input_key)
        except BeneficiaryLimitError:
            return Outcome("not_for_other")
        # A replayed path may contain the payment: the repeated step must return the outcome that leads there.
        is_waiting = (
            not receipt.is_repeat and await services.deliveries.delivery_state(receipt.tracking_number) == "waiting"
        )
        payable = bool(facts.get("fee")) and services.fees.is_payable(facts["service"], context.citizen)
        known = {
            "number": receipt.tracking_number,
            "promised": receipt.promised.isoformat(),
            "bringing": len(facts["bring"]) or None,
            "due": None if payable else facts.get("fee"),
            "track_key": track_key,
            SAID_BY_SMS_FACT: is_by_sms and not receipt.is_repeat,
        }
        if payable and not is_by_sms and not is_waiting:  # one screen holds no more, and the fee can be paid later
            return Outcome("payable", {**known, **_cleared_facts(facts)})
        return Outcome("waiting" if is_waiting else "received", {**known, **_cleared_facts(facts)})

    return (
        Step(
            "submit",
            submit,
            {
                "received": "received",
                "payable": "received_to_pay",
                "waiting": "received_waiting",
                "not_for_other": "not_for_other",
            },
            commits=True,
            needs=FRESH_PIN,
            subject=("draft",),
        ),
        Goodbye("received"),
        Choice("not_for_other", (Option("help", goto="get_help", key="7"),)),
        Choice("received_to_pay", (Option("pay", goto="pay_fee"),)),
        Goodbye("received_waiting"),
    )


def _cleared_facts(facts: Facts) -> dict[str, Any]:
    """Empty values for facts that nobody needs after the submission."""
    known = {name: None for name in facts if name.startswith(KNOWN_PREFIX)}
    return {
        **known,
        "form": {},
        "known": {},
        "summary": [],
        "differing": [],
        "beneficiary": "",
        "applied_for": "",
        "then": "",
    }


def _display_answer(field: FormField, facts: Facts) -> Any:
    return field.display_value(facts["form"][field.name])


def _has_answer(field: FormField, facts: Facts) -> bool:
    return is_answered(field, facts["form"])
