"""Track an application, a complaint or feedback by its number, or the caller's own applications after signing in.

Whoever has a number learns its status and nothing about a person. A caller who types one unknown number after another has
to wait; that screen has the same keys as the screen for an unknown number, so that a replayed path ends alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from menus import validators
from menus.journeys.services import JourneyServices
from menus.journeys.twin_rows import mark_twins
from menus.model import (
    Choice,
    Facts,
    Journey,
    ListScreen,
    Option,
    Outcome,
    Question,
    Step,
    StepContext,
    number_options,
)
from menus.proof import NO_PROOF, REVEALS, SIGNED_IN
from services.applications import models as applications
from services.applications.models import ANSWERED_STATUSES, ASKING_STATUS, FINAL_STATUSES
from services.cases.models import HistoryEntry
from services.complaints import models as complaints

SETTLED_COMPLAINT_STATUSES = frozenset({"answered", "closed"})
"""Statuses of a complaint that no officer works on any more."""

FAILED_LOOKUPS = frozenset({"no_such_number", "too_many_numbers"})
"""Questions that say that a number was not found, and take another one."""


TrackingOutcome = Literal["application", "fee_due", "complaint", "answered", "feedback", "unknown", "held"]
OwnOutcome = Literal["own", "own_due"]
AskingOutcome = Literal["application_asking", "fee_due_asking", "own_asking", "own_due_asking"]
_OWN_OUTCOMES: Mapping[TrackingOutcome, OwnOutcome] = {"application": "own", "fee_due": "own_due"}
_ASKING_OUTCOMES: Mapping[TrackingOutcome | OwnOutcome, AskingOutcome] = {
    "application": "application_asking",
    "fee_due": "fee_due_asking",
    "own": "own_asking",
    "own_due": "own_due_asking",
}
"""The same where the department asks the caller for more information."""
ANSWER_KEY = "8"
"""The key of the option to answer: the others keep theirs."""


def build_tracking_journey(services: JourneyServices) -> Journey:
    """The question, the status, its history, and the caller's own list."""

    async def look_up(context: StepContext) -> Outcome[TrackingOutcome | OwnOutcome | AskingOutcome]:
        outcome = await find_status(services, context, context.facts["number"])
        is_open = outcome.facts.get("status") not in FINAL_STATUSES and _is_own_application(
            context.facts, context.facts["number"]
        )
        name = _OWN_OUTCOMES.get(outcome.name, outcome.name) if is_open else outcome.name
        return Outcome(_ASKING_OUTCOMES[name] if outcome.facts.get("to_answer") else name, outcome.facts)

    async def list_own(context: StepContext) -> Outcome[Literal["listed"]]:
        account = context.facts["account"]
        return Outcome(
            "listed",
            {"applications": list_application_rows(await services.application_status.list_own(account))},
        )

    async def send(context: StepContext) -> Outcome[Literal["sent"]]:
        await services.application_status.send_status(
            context.citizen, context.facts["number"], context.citizen_language, context.idempotency_key
        )
        return Outcome("sent")

    by_outcome = {
        "application": "status",
        "fee_due": "status_due",
        "own": "status_own",
        "own_due": "status_own_due",
        "application_asking": "status_asking",
        "fee_due_asking": "status_due_asking",
        "own_asking": "status_own_asking",
        "own_due_asking": "status_own_due_asking",
        "complaint": "complaint_status",
        "answered": "complaint_answered",
        "feedback": "feedback_status",
        "unknown": "no_such_number",
        "held": "too_many_numbers",
    }
    history, again = Option("history", goto="history"), Option("again", goto="ask_number")
    in_order = (
        Option("by_sms", goto="send_status", hidden_on="sms"),
        Option("complain", goto="complaint"),
        history,
        again,
    )
    options = tuple(
        replace(option, key=key) for key, option in number_options(in_order)
    )  # the keys stay the same if other options precede them
    answer = Option("answer", goto="ask_answer", key=ANSWER_KEY)
    pay, withdraw = Option("pay", goto="pay_fee", key="5"), Option("withdraw", goto="withdraw", key="6")
    help_option = (Option("help", goto="get_help", key="7"),)
    return (
        Question(
            "ask_number", "number", validators.tracking_number, goto="look_up", options=(Option("own", goto="own"),)
        ),
        Question(
            "no_such_number",
            "number",
            validators.tracking_number,
            goto="look_up",
            options=help_option,
            retry_of="ask_number",
        ),
        Question(
            "too_many_numbers",
            "number",
            validators.tracking_number,
            goto="look_up",
            options=help_option,
            retry_of="ask_number",
        ),
        Step("look_up", look_up, by_outcome),
        Choice("status", options, key_fact="status"),
        Choice("status_due", (pay, *options), key_fact="status"),
        Choice("status_own", (*options, replace(withdraw, key="5")), key_fact="status"),
        Choice("status_own_due", (pay, *options, withdraw), key_fact="status"),
        Choice("status_asking", (answer, *options), key_fact="status"),
        Choice("status_due_asking", (answer, pay, *options), key_fact="status"),
        Choice("status_own_asking", (answer, *options, replace(withdraw, key="5")), key_fact="status"),
        Choice("status_own_due_asking", (answer, pay, *options, withdraw), key_fact="status"),
        Choice("complaint_status", (history, again), key_fact="status"),
        Choice(
            "complaint_answered",
            (
                Option("settled", goto="settle_complaint", means="yes"),
                Option("not_settled", goto="raise_complaint", means="no"),
                history,
                again,
            ),
            key_fact="status",
        ),
        Choice("feedback_status", (again,), key_fact="passed_on"),
        # to the caller's own phone
        Step("send_status", send, {"sent": "status_sent"}, commits=True, needs=NO_PROOF, subject=("number",)),
        Choice("status_sent", (again,)),
        Step("own", list_own, {"listed": "own_list"}, effects=REVEALS, needs=SIGNED_IN),
        ListScreen("own_list", application_rows, save_as="number", goto="look_up", goto_if_empty="own_none"),
        Choice("own_none", (Option("find", goto="sectors"),)),
        *_history_screens(services),
    )


def _history_screens(services: JourneyServices) -> Journey:
    async def list_history(context: StepContext) -> Outcome[Literal["listed"]]:
        entries = await _get_history(services, context.facts["number"])
        turns = [str(turn) for turn in range(len(entries), 0, -1)]  # the newest is first
        rows = mark_twins([_event_facts(entry) for entry in entries], turns)
        history = [{"event": entry.id, **row} for entry, row in zip(entries, rows, strict=True)]
        return Outcome("listed", {"history": history})

    async def show_event(context: StepContext) -> Outcome[Literal["told", "asking"]]:
        entries = await _get_history(services, context.facts["number"])
        event = next(entry for entry in entries if entry.id == context.facts["event"])
        asks = event.status == ASKING_STATUS and context.facts.get("to_answer")
        return Outcome("asking" if asks else "told", {**_event_facts(event), "event_note": dict(event.note)})

    everything = Option("all", goto="history", key="1")
    return (
        Step("history", list_history, {"listed": "history_list"}),
        ListScreen("history_list", _history_rows, save_as="event", goto="look_at_event", goto_if_empty="history_none"),
        Choice("history_none", (Option("again", goto="ask_number"),)),
        Step("look_at_event", show_event, {"told": "history_event", "asking": "history_event_asking"}),
        Choice("history_event", (everything,)),
        Choice("history_event_asking", (Option("answer", goto="ask_answer", key=ANSWER_KEY), everything)),
    )


async def find_status(services: JourneyServices, context: StepContext, number: str) -> Outcome[TrackingOutcome]:
    """The outcome for a number, and the facts of its screen."""
    result = await services.tracking.find(
        number,
        context.caller,
        account=int(context.facts.get("account") or 0),
        own=_is_own_application(context.facts, number),
    )
    if result.application:
        is_offered = context.consent_id or services.fees.is_taken_by_wallet(result.application.service)
        fee = result.fee if result.fee != "due" or is_offered else "none"
        facts = {
            **application_facts(result.application),
            "fee_state": None if fee == "none" else fee,
            "delivery": "waiting" if result.is_waiting else None,
            "to_answer": result.application.number if result.may_answer else None,
        }
        return Outcome("fee_due" if fee == "due" else "application", facts)
    if result.complaint:
        may_judge = result.complaint.status == "answered" and result.complaint.belongs_to(context.citizen)
        return Outcome("answered" if may_judge else "complaint", complaint_facts(result.complaint))
    if result.feedback:
        return Outcome("feedback", feedback_facts(result.feedback))
    return Outcome("held" if result.kind == "held" else "unknown")


def application_facts(status: applications.Status) -> dict[str, object]:
    """The facts of an application; a finished one has no promised date."""
    is_open = status.status not in ANSWERED_STATUSES
    return {
        "number": status.number,
        "service": status.service,
        "status": status.status,
        "changed": status.changed.isoformat(),
        "promised": status.promised.isoformat() if status.promised and is_open else None,
        "late": status.late or None,
        "note": dict(status.note),
        "answered": status.answered.isoformat() if status.answered else None,
    }


def complaint_facts(status: complaints.Status) -> dict[str, object]:
    """The facts of a complaint: the officer's post while one works on it, or the level if the post has no name."""
    is_open = status.status not in SETTLED_COMPLAINT_STATUSES
    return {
        "complaint": status.number,
        "status": status.status,
        "officer": dict(status.officer) if is_open else None,
        "level": status.level if is_open and not status.officer else None,
        "changed": status.changed.isoformat(),
        "answer_by": status.promised.isoformat() if status.promised else None,
        "late": status.late or None,
        "note": dict(status.note),
    }


def feedback_facts(feedback: complaints.FeedbackStatus) -> dict[str, object]:
    """The facts of feedback."""
    passed = "yes" if feedback.passed_on else "not_yet"
    return {"feedback": feedback.number, "changed": feedback.day.isoformat(), "passed_on": passed}


def list_application_rows(statuses: Sequence[applications.Status]) -> Sequence[Mapping[str, object]]:
    """The rows of the caller's own applications; those that would read alike have the end of their number."""
    shown = [{"service": one.service, "status": one.status, "late": one.late or None} for one in statuses]
    rows = mark_twins(shown, [one.number for one in statuses])
    return [{"number": one.number, **row} for one, row in zip(statuses, rows, strict=True)]


def application_rows(facts: Facts) -> Sequence[Facts]:
    """The caller's own applications, from the facts of the step before."""
    rows: Sequence[Facts] = facts.get("applications", ())
    return rows


def _is_own_application(facts: Facts, number: str) -> bool:
    return any(row["number"] == number for row in application_rows(facts))


async def _get_history(services: JourneyServices, number: str) -> Sequence[HistoryEntry]:
    """The events of an application or a complaint, the newest first."""
    return await services.application_status.get_history(number) or await services.complaint_status.get_history(number)


def _event_facts(event: HistoryEntry) -> dict[str, object]:
    return {"event_status": event.status, "event_day": event.day.isoformat()}


def _history_rows(facts: Facts) -> Sequence[Facts]:
    rows: Sequence[Facts] = facts.get("history", ())
    return rows
