"""Complaints in the department API: listed, read, and answered."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final, Protocol

from services.audit import Who
from services.complaints import Case, Listed, Moved, NotMoved
from services.given import Texts
from services.pages import Page, Span
from web.api.lists import LIST_REFUSALS, Lists
from web.api.models.common import Nothing
from web.api.models.complaints import Complaint, ComplaintEvent, ComplaintMoved, Complaints, ComplaintsAsked
from web.api.operations import Answer, AnyOperation, Call, Operation
from web.api.problems import Refused, Said

PATH: Final = "/complaints/{complaint_number}"
UNKNOWN: Final[Said] = (404, "Not found", "Your department has no complaint with this number.")
REASONS: Final[Mapping[str, Said]] = {
    "unknown": UNKNOWN,
    "no_such_status": (422, "No such status", "A department moves a complaint to under_review, answered or closed."),
    "closed": (409, "Closed", "This complaint is closed and moves no further."),
    "conflict": (409, "Key used before", "This Idempotency-Key came with another request before; use a fresh one."),
}


class Cases(Protocol):
    """The complaints, as their department sees them."""

    async def listed(self, department: str, span: Span, *, status: str) -> Page[Listed]:
        """Those of a department, in the order in which they changed."""

    async def one(self, department: str, number: str, *, by: Who) -> Case | None:
        """The complaint, or None when this department has none of this number."""

    async def move(
        self, department: str, number: str, status: str, note: Texts, key: str, *, by: Who
    ) -> Moved | NotMoved:
        """Moves it on, once for each key."""


def operations(cases: Cases, lists: Lists) -> tuple[AnyOperation, ...]:
    """What can be asked about complaints."""

    async def list_them(call: Call[ComplaintsAsked, None]) -> Answer:
        page = await cases.listed(call.department, lists.span(call), status=call.query.status or "")
        return lists.answer(call, Page(tuple(map(_facts, page.items)), page.last), Complaints)

    async def read(call: Call[Nothing, None]) -> Answer:
        case = await cases.one(call.department, call.number, by=call.who)
        if case is None:
            raise Refused(UNKNOWN)
        return Answer(_told(case))

    async def move(call: Call[Nothing, ComplaintEvent]) -> Answer:
        event = call.body
        note: Texts = dict(event.note.items())
        moved = await cases.move(call.department, call.number, event.status, note, call.key, by=call.who)
        if isinstance(moved, NotMoved):
            raise Refused(REASONS[moved.reason])
        facts = {"complaint_number": moved.number, "status": moved.status, "note": moved.note, "at": moved.at}
        return Answer.of_change(ComplaintMoved.model_validate(facts), again=moved.again)

    return (
        Operation(
            "listComplaints",
            "GET",
            "/complaints",
            "List complaints",
            "Those of your department, in the order in which they changed.",
            Complaints,
            list_them,
            query=ComplaintsAsked,
            refusals=LIST_REFUSALS,
        ),
        Operation(
            "readComplaint",
            "GET",
            PATH,
            "Read a complaint",
            "With the citizen's words, and all that has become of it. That it was read is noted in the audit.",
            Complaint,
            read,
            refusals={"unknown": UNKNOWN},
        ),
        Operation(
            "moveComplaint",
            "POST",
            f"{PATH}/events",
            "Answer a complaint, or move it on",
            "The citizen is told by SMS in their language, and may say that the answer has settled nothing.",
            ComplaintMoved,
            move,
            body=ComplaintEvent,
            refusals=REASONS,
        ),
    )


def _facts(listed: Listed) -> dict[str, Any]:
    """By the names of the API; what names nothing is null."""
    facts = asdict(listed)
    unsaid = {name: facts[name] or None for name in ("service", "tracking_number")}
    return {**facts, **unsaid, "complaint_number": facts.pop("number")}


def _told(case: Case) -> Complaint:
    complainant = {"number": case.citizen, "language": case.language, "channel": case.channel}
    more = {"text": case.text, "complainant": complainant, "note": case.note, "events": case.events}
    return Complaint.model_validate({**_facts(case.listed), **more})
