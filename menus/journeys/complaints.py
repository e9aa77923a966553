"""Complain about an application or a service, give feedback, and accept or reject an answer.

The caller's own words are optional. They reach the step that records them and are never stored in the session.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Literal

from core.typed_input import clean_text
from core.validation import Invalid, Valid
from menus import validators
from menus.journeys.search import search_result_facts, search_services
from menus.journeys.services import JourneyServices
from menus.journeys.track import application_rows, list_application_rows
from menus.model import (
    Choice,
    Facts,
    FreeText,
    Goodbye,
    Journey,
    ListScreen,
    Option,
    Outcome,
    Question,
    Step,
    StepContext,
)
from menus.proof import ANYONE, NUMBER_OR_CODE, REVEALS, SIGNED_IN
from services.applications.models import Status
from services.audit.models import Actor
from services.complaints.models import REASONS, ComplaintReceipt, NewComplaint, NewFeedback, VerdictResult

RATINGS = ("1", "2", "3", "4", "5")
MAX_TEXT_LENGTH = 1000  # characters; seven SMS hold fewer


def build_complaints_journey(services: JourneyServices) -> Journey:
    """All screens of complaints and feedback."""
    about = (*_application_screens(services), *_service_screens(services))
    return (
        *_start_screens(services),
        *about,
        *_complaint_screens(services),
        *_feedback_screens(services),
        *_verdict_screens(services),
    )


def _start_screens(services: JourneyServices) -> Journey:
    async def start_complaint(context: StepContext) -> Outcome[Literal["application", "service", "open"]]:
        """Find out what the complaint is about: the application or service that the caller looked at last."""
        number, service = context.facts.get("number", ""), context.facts.get("service", "")
        result = await services.tracking.find(number, context.caller, own=True) if number else None
        if result and result.application and service in {"", result.application.service}:
            return Outcome("application", _application_facts(result.application))
        return Outcome("service", _subject_facts("", service)) if service else Outcome("open", _subject_facts("", ""))

    async def start_feedback(_: StepContext) -> Outcome[Literal["open"]]:
        return Outcome("open", {**_subject_facts("", ""), "writes": "feedback"})

    return (
        Choice(
            "complaint_start",
            (
                Option("complain", goto="complaint"),
                Option("suggest", goto="feedback"),
                Option("status", goto="ask_complaint_number"),
            ),
        ),
        Step(
            "complaint",
            start_complaint,
            {"application": "complaint_reason", "service": "complaint_reason", "open": "complaint_about"},
        ),
        Choice(
            "complaint_about",
            (
                Option("application", goto="complaint_number"),
                Option("service", goto="about_sectors"),
                Option("other", goto="complaint_reason"),
            ),
        ),
        Step("feedback", start_feedback, {"open": "feedback_about"}),
        Choice("feedback_about", (Option("service", goto="about_sectors"), Option("other", goto="feedback_rating"))),
        Question("ask_complaint_number", "number", validators.tracking_number, goto="look_up"),
    )


def _application_screens(services: JourneyServices) -> Journey:
    async def look_up(context: StepContext) -> Outcome[Literal["application", "other", "unknown", "held"]]:
        is_own = any(row["number"] == context.facts["number"] for row in application_rows(context.facts))
        result = await services.tracking.find(context.facts["number"], context.caller, own=is_own)
        if result.application:
            return Outcome("application", _application_facts(result.application))
        if result.kind == "held":
            return Outcome("held")
        return Outcome("unknown" if result.kind == "unknown" else "other")

    async def list_own(context: StepContext) -> Outcome[Literal["listed"]]:
        account = context.facts["account"]
        return Outcome(
            "listed",
            {"applications": list_application_rows(await services.application_status.list_own(account))},
        )

    own_option, help_option = (Option("own", goto="complaint_own"),), (Option("help", goto="get_help", key="7"),)
    next_screens = {
        "application": "complaint_reason",
        "other": "look_up",
        "unknown": "complaint_no_number",
        "held": "complaint_held",
    }
    return (
        Question("complaint_number", "number", validators.tracking_number, goto="complaint_found", options=own_option),
        Question(
            "complaint_no_number",
            "number",
            validators.tracking_number,
            goto="complaint_found",
            options=help_option,
            retry_of="complaint_number",
        ),
        Question(
            "complaint_held",
            "number",
            validators.tracking_number,
            goto="complaint_found",
            options=help_option,
            retry_of="complaint_number",
        ),
        Step("complaint_found", look_up, next_screens),
        Step("complaint_own", list_own, {"listed": "complaint_own_list"}, effects=REVEALS, needs=SIGNED_IN),
        ListScreen(
            "complaint_own_list", application_rows, save_as="number", goto="complaint_found", goto_if_empty="own_none"
        ),
    )


def _service_screens(services: JourneyServices) -> Journey:
    async def search(context: StepContext) -> Outcome[Literal["one", "several", "none"]]:
        result = search_services(services, context.facts["sought"])
        if len(result.codes) == 1:
            return Outcome("one", {"service": result.codes[0]})
        return Outcome("several", search_result_facts(result)) if result.codes else Outcome("none")

    async def choose_service(context: StepContext) -> Outcome[Literal["complaint", "feedback"]]:
        """Continue with the complaint or the feedback that the service was chosen for."""
        writes: Literal["complaint", "feedback"] = "feedback" if context.facts["writes"] == "feedback" else "complaint"
        return Outcome(writes, {**_subject_facts("", context.facts["service"]), "writes": writes})

    def found_rows(facts: Facts) -> Sequence[Facts]:
        return [{"service": code} for code in facts.get("found", ())]

    def sector_rows(_: Facts) -> Sequence[Facts]:
        return [{"sector": code} for code in services.listings.sectors()]

    def service_rows(facts: Facts) -> Sequence[Facts]:
        return [{"service": code} for code in services.listings.services(facts["sector"])]

    list_option = (Option("list", goto="about_sectors"),)
    return (
        Step("about_seek", search, {"one": "about_chosen", "several": "about_services", "none": "about_nothing"}),
        Question(
            "about_nothing",
            "sought",
            validators.search_text,
            goto="about_seek",
            secret=True,
            options=list_option,
            retry_of="about_sectors",
        ),
        _list_screen("about_services", found_rows, saves="service", goto="about_chosen"),
        _list_screen("about_sectors", sector_rows, saves="sector", goto="about_sector"),
        _list_screen("about_sector", service_rows, saves="service", goto="about_chosen"),
        Step("about_chosen", choose_service, {"complaint": "complaint_reason", "feedback": "feedback_rating"}),
    )


def _list_screen(name: str, rows: Callable[[Facts], Sequence[Facts]], *, saves: str, goto: str) -> ListScreen:
    """A list on which a name may be typed instead."""
    typed = FreeText("sought", validators.search_text, goto="about_seek")
    return ListScreen(name, rows, save_as=saves, goto=goto, goto_if_empty="nothing_here", free_text=typed)


def _complaint_screens(services: JourneyServices) -> Journey:
    async def send(context: StepContext) -> Outcome[Literal["kept"]]:
        facts = context.facts
        complaint = NewComplaint(
            msisdn=context.citizen,
            text=facts.get("words", ""),
            language=context.citizen_language,
            channel=context.channel,
            about=facts["about"],
            service=facts["about_service"],
            reason=facts["reason"],
        )
        receipt = await services.complaints.submit_complaint(
            complaint, context.idempotency_key, by=build_author(context)
        )
        return Outcome("kept", complaint_receipt_facts(receipt))

    reasons = tuple(
        Option(reason, goto="complaint_words", shown_if=_is_not_promised if reason == "late" else None)
        for reason in REASONS
    )
    return (
        Choice("complaint_reason", reasons, save_as="reason"),
        Question(
            "complaint_words",
            "words",
            complaint_text,
            goto="send_complaint",
            secret=True,
            options=(Option("none", goto="send_complaint"),),
        ),
        # anyone may complain: it begins a case, gives nothing away, and the citizen can close it
        Step(
            "send_complaint",
            send,
            {"kept": "complaint_kept"},
            commits=True,
            needs=ANYONE,
            subject=("about", "about_service"),
        ),
        Goodbye("complaint_kept"),
    )


def _feedback_screens(services: JourneyServices) -> Journey:
    async def send(context: StepContext) -> Outcome[Literal["kept"]]:
        facts = context.facts
        feedback = NewFeedback(
            msisdn=context.citizen,
            text=facts.get("words", ""),
            language=context.citizen_language,
            channel=context.channel,
            service=facts["about_service"],
            rating=int(facts["rating"]),
        )
        number = await services.complaints.submit_feedback(feedback, context.idempotency_key, by=build_author(context))
        return Outcome("kept", {"feedback": number})

    ratings = tuple(Option(rating, goto="feedback_words") for rating in RATINGS)
    return (
        Choice("feedback_rating", ratings, save_as="rating"),
        Question(
            "feedback_words",
            "words",
            complaint_text,
            goto="send_feedback",
            secret=True,
            options=(Option("none", goto="send_feedback"),),
        ),
        Step("send_feedback", send, {"kept": "feedback_kept"}, commits=True, needs=ANYONE, subject=("about_service",)),
        Goodbye("feedback_kept"),
    )


def _verdict_screens(services: JourneyServices) -> Journey:
    async def accept_answer(context: StepContext) -> Outcome[VerdictResult]:
        return Outcome(await judge(context, settled=True))

    async def reject_answer(context: StepContext) -> Outcome[VerdictResult]:
        return Outcome(await judge(context, settled=False))

    async def judge(context: StepContext, *, settled: bool) -> VerdictResult:
        return await services.verdicts.judge(
            context.facts["number"],
            context.citizen,
            settled=settled,
            channel=context.channel,
            idempotency_key=context.idempotency_key,
            by=build_author(context),
        )

    next_screens = {
        "closed": "complaint_closed",
        "raised": "complaint_raised",
        "last": "complaint_again",
        "not_answered": "look_up",
        "unknown": "look_up",
    }
    return (
        Step("settle_complaint", accept_answer, next_screens, commits=True, needs=NUMBER_OR_CODE, subject=("number",)),
        Step("raise_complaint", reject_answer, next_screens, commits=True, needs=NUMBER_OR_CODE, subject=("number",)),
        Choice("complaint_closed", (Option("suggest", goto="feedback"),)),
        Choice("complaint_raised", ()),
        Choice("complaint_again", ()),
    )


def build_author(context: StepContext) -> Actor:
    """The author for the audit log: the operator, or the citizen by their account, which is empty without one."""
    operator = str(context.facts.get("operator") or "") if context.consent_id else ""
    if operator:
        return Actor("operator", operator, context.channel)
    return Actor("citizen", str(context.facts.get("account") or ""), context.channel)


def complaint_receipt_facts(receipt: ComplaintReceipt) -> dict[str, object]:
    """The facts of a recorded complaint."""
    promised = receipt.promised.isoformat() if receipt.promised else None
    return {"complaint": receipt.complaint_number, "about": receipt.about, "answer_by": promised}


def _application_facts(application: Status) -> dict[str, object]:
    """The facts of a complaint about an application; `due_on` is the promised day until it has passed."""
    due_on = application.promised if not application.late else None
    facts = _subject_facts(application.number, application.service)
    return {**facts, "due_on": due_on.isoformat() if due_on else None}


def _subject_facts(number: str, service: str) -> dict[str, object]:
    return {"about": number, "about_service": service, "due_on": None, "writes": "complaint"}


def _is_not_promised(facts: Facts) -> bool:
    """Whether no day is promised that is still to come: before it, nothing is late."""
    return not facts.get("due_on")


def complaint_text(text: str, _today: date) -> Valid | Invalid:
    """A text of at most MAX_TEXT_LENGTH characters, without control and invisible characters."""
    text = clean_text(text)
    if not text:
        return Invalid("empty")
    return Valid(text) if len(text) <= MAX_TEXT_LENGTH else Invalid("too_long", {"most": MAX_TEXT_LENGTH})
