"""Following what one has a number for: an application, a complaint, a feedback; or one's own list, once signed in.

Whoever has a number learns its status and nothing of a person. Who asks for number after number that nothing has is told
to wait; that screen takes the same keys as the one for an unknown number, so that a path heard again ends alike.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Literal, NamedTuple, Protocol

from menus import checks
from menus.model import Choice, Facts, Journey, Listing, Option, Outcome, Question, Step, Texts, Visit, keyed

CLOSED = frozenset({"rejected", "ready", "delivered", "withdrawn"})
"""The statuses after which nothing is promised any more."""

JUDGED = frozenset({"answered", "closed"})
"""The statuses of a complaint that is with nobody any more."""

Kind = Literal["application", "complaint", "feedback", "unknown", "held"]
FeeState = Literal["none", "due", "pending", "paid"]


class Standing(Protocol):
    """What anyone may know who has the number of an application or of a complaint."""

    @property
    def number(self) -> str:
        """Twelve digits."""

    @property
    def status(self) -> str:
        """One of the eight statuses of applications, or of the five of complaints."""

    @property
    def changed(self) -> date:
        """The day of the last event."""

    @property
    def promised(self) -> date | None:
        """The day that it, or an answer, was promised for."""

    @property
    def late(self) -> int:
        """For how many days it has been overdue, where its office is."""

    @property
    def note(self) -> Texts:
        """What the office said, by language; empty where it said nothing."""


class Status(Standing, Protocol):
    """Of an application also what it is for."""

    @property
    def service(self) -> str:
        """The service's code in the catalogue."""


class ComplaintStatus(Standing, Protocol):
    """Of a complaint also with whom it is."""

    @property
    def level(self) -> int:
        """How often it was raised."""

    @property
    def officer(self) -> Texts:
        """The post that it is with; empty where that has no name."""

    def is_of(self, number: str) -> bool:
        """Whether this MSISDN has made the complaint."""


class Given(Protocol):
    """What anyone who has the number of a feedback may know."""

    @property
    def number(self) -> str:
        """Twelve digits."""

    @property
    def day(self) -> date:
        """The day it came."""

    @property
    def passed_on(self) -> bool:
        """Whether the department was sent it already."""


class Found(Protocol):
    """What a number stands for: the one of its kind, and nothing where it is unknown or its asker is held back."""

    @property
    def kind(self) -> Kind:
        """One of the five."""

    @property
    def application(self) -> Status | None:
        """An application's status."""

    @property
    def fee(self) -> FeeState:
        """What became of an application's fee; `due` only where it can be paid here."""

    @property
    def waits(self) -> bool:
        """Whether an application waits for its office's own system, which does not answer just now."""

    @property
    def complaint(self) -> ComplaintStatus | None:
        """A complaint's."""

    @property
    def feedback(self) -> Given | None:
        """A feedback's."""


class Past(Protocol):
    """One day of its way."""

    @property
    def id(self) -> int:
        """The event's."""

    @property
    def status(self) -> str:
        """What it was moved to."""

    @property
    def day(self) -> date:
        """When, where its office is."""

    @property
    def note(self) -> Texts:
        """What was added."""


class Find(Protocol):
    """Finds what has a number."""

    def __call__(self, number: str, who: str, *, own: bool = False) -> Awaitable[Found]:
        """`who` asks; `own`: the number was picked from a list of their own, and is no guess."""


FindOwn = Callable[[int], Awaitable[Sequence[Status]]]
SendStatus = Callable[[str, str, str, str], Awaitable[bool]]
"""Sends an application's status by SMS: to whom, tracking number, language, effect."""


class Following(NamedTuple):
    """The calls that this journey makes.

    `history`: newest first, of an application or of a complaint.
    """

    find: Find
    own: FindOwn
    send_status: SendStatus
    history: Callable[[str], Awaitable[Sequence[Past]]]


Way = Literal["application", "fee_due", "complaint", "answered", "feedback", "unknown", "held"]
FINAL = frozenset({"delivered", "withdrawn"})
"""The statuses after which an application can no longer be taken back."""
_OWN: Mapping[Way, Literal["own", "own_due"]] = {"application": "own", "fee_due": "own_due"}


def track(calls: Following) -> Journey:
    """The question, what has the number, its history, and one's own list."""

    async def look_up(visit: Visit) -> Outcome[Way | Literal["own", "own_due"]]:
        outcome = await looked_up(calls, visit, visit.facts["number"])
        open_still = outcome.facts.get("status") not in FINAL and _is_own(visit.facts, visit.facts["number"])
        return Outcome(_OWN.get(outcome.name, outcome.name) if open_still else outcome.name, outcome.facts)

    async def own(visit: Visit) -> Outcome[Literal["signed_out", "listed"]]:
        account = visit.facts.get("account")
        if not account:
            return Outcome("signed_out", {"then": "own"})
        return Outcome("listed", {"applications": [row_of(one) for one in await calls.own(account)]})

    async def send(visit: Visit) -> Outcome[Literal["sent"]]:
        await calls.send_status(visit.citizen, visit.facts["number"], visit.told_in, visit.effect)
        return Outcome("sent")

    found = {
        "application": "status",
        "fee_due": "status_due",
        "own": "status_own",
        "own_due": "status_own_due",
        "complaint": "complaint_status",
        "answered": "complaint_answered",
        "feedback": "feedback_status",
        "unknown": "no_such_number",
        "held": "too_many_numbers",
    }
    history, again = Option("history", goto="history"), Option("again", goto="ask_number")
    in_order = (
        Option("by_sms", goto="send_status", not_on="sms"),
        Option("complain", goto="complaint"),
        history,
        again,
    )
    options = tuple(replace(option, key=key) for key, option in keyed(in_order))  # theirs, whatever stands above them
    pay, withdraw = Option("pay", goto="pay_fee", key="5"), Option("withdraw", goto="withdraw", key="6")
    helped = (Option("help", goto="get_help", key="7"),)
    return (
        Question("ask_number", "number", checks.tracking_number, goto="look_up", options=(Option("own", goto="own"),)),
        Question("no_such_number", "number", checks.tracking_number, goto="look_up", options=helped),
        Question("too_many_numbers", "number", checks.tracking_number, goto="look_up", options=helped),
        Step("look_up", look_up, found),
        Choice("status", options),
        Choice("status_due", (pay, *options)),
        Choice("status_own", (*options, replace(withdraw, key="5"))),
        Choice("status_own_due", (pay, *options, withdraw)),
        Choice("complaint_status", (history, again)),
        Choice(
            "complaint_answered",
            (
                Option("settled", goto="settle_complaint"),
                Option("not_settled", goto="raise_complaint"),
                history,
                again,
            ),
        ),
        Choice("feedback_status", (again,)),
        Step("send_status", send, {"sent": "status_sent"}, commits=True),
        Choice("status_sent", (again,)),
        Step("own", own, {"listed": "own_list", "signed_out": "gate"}),
        Listing("own_list", own_rows, saves="number", goto="look_up", empty="own_none"),
        Choice("own_none", (Option("find", goto="sectors"),)),
        *_history(calls),
    )


def _history(calls: Following) -> Journey:
    async def history(visit: Visit) -> Outcome[Literal["listed"]]:
        past = await calls.history(visit.facts["number"])
        return Outcome("listed", {"history": [{"event": one.id, **_event(one)} for one in past]})

    async def look_at(visit: Visit) -> Outcome[Literal["told"]]:
        past = await calls.history(visit.facts["number"])
        event = next(one for one in past if one.id == visit.facts["event"])
        return Outcome("told", {**_event(event), "event_note": dict(event.note)})

    return (
        Step("history", history, {"listed": "history_list"}),
        Listing("history_list", _history_rows, saves="event", goto="look_at_event", empty="history_none"),
        Choice("history_none", (Option("again", goto="ask_number"),)),
        Step("look_at_event", look_at, {"told": "history_event"}),
        Choice("history_event", (Option("all", goto="history"),)),
    )


async def looked_up(calls: Following, visit: Visit, number: str) -> Outcome[Way]:
    """What has this number, and what is said of it."""
    found = await calls.find(number, visit.caller, own=_is_own(visit.facts, number))
    if found.application:
        fee, waits = None if found.fee == "none" else found.fee, "waiting" if found.waits else None
        facts = {**told(found.application), "fee_state": fee, "delivery": waits}
        return Outcome("fee_due" if fee == "due" else "application", facts)
    if found.complaint:
        judges = found.complaint.status == "answered" and found.complaint.is_of(visit.citizen)
        return Outcome("answered" if judges else "complaint", complaint_told(found.complaint))
    if found.feedback:
        return Outcome("feedback", given_told(found.feedback))
    return Outcome("held" if found.kind == "held" else "unknown")


def told(status: Status) -> dict[str, object]:
    """What a screen says of an application; nothing is promised any more of what the office is done with."""
    open_still = status.status not in CLOSED
    return {
        "number": status.number,
        "service": status.service,
        "status": status.status,
        "changed": status.changed.isoformat(),
        "promised": status.promised.isoformat() if status.promised and open_still else None,
        "late": status.late or None,
        "note": dict(status.note),
    }


def complaint_told(status: ComplaintStatus) -> dict[str, object]:
    """What a screen says of a complaint: with which post it is while it is, one without a name by its level."""
    awaited = status.status not in JUDGED
    return {
        "complaint": status.number,
        "status": status.status,
        "officer": dict(status.officer) if awaited else None,
        "level": status.level if awaited and not status.officer else None,
        "changed": status.changed.isoformat(),
        "answer_by": status.promised.isoformat() if status.promised else None,
        "late": status.late or None,
        "note": dict(status.note),
    }


def given_told(given: Given) -> dict[str, object]:
    """What a screen says of a feedback."""
    passed = "yes" if given.passed_on else "not_yet"
    return {"feedback": given.number, "changed": given.day.isoformat(), "passed_on": passed}


def row_of(status: Status) -> Mapping[str, object]:
    """An application in a list of one's own."""
    late = status.late or None
    return {"number": status.number, "service": status.service, "status": status.status, "late": late}


def own_rows(facts: Facts) -> Sequence[Facts]:
    """One's own applications, as the step before has put them among the facts."""
    rows: Sequence[Facts] = facts.get("applications", ())
    return rows


def _is_own(facts: Facts, number: str) -> bool:
    return any(row["number"] == number for row in own_rows(facts))


def _event(past: Past) -> dict[str, object]:
    return {"event_status": past.status, "event_day": past.day.isoformat()}


def _history_rows(facts: Facts) -> Sequence[Facts]:
    rows: Sequence[Facts] = facts.get("history", ())
    return rows
