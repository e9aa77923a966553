"""Complaints in the department API."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from core.pagination import Page, PageRequest
from core.phone_numbers import attached_or_none
from services.complaints.department_view import DepartmentComplaints
from services.complaints.models import ComplaintDetail, ComplaintSummary
from web.api.cases import CaseType, build_case_operations
from web.api.errors import ProblemSpec
from web.api.models.common import Empty
from web.api.models.complaints import Complaint, ComplaintEvent, Complaints, ComplaintsQuery, ComplaintStatusChange
from web.api.operations import AnyOperation, ApiRequest
from web.api.pagination import PageReader

PROBLEMS: Final[Mapping[str, ProblemSpec]] = {
    "unknown": (404, "Not found", "Your department has no complaint with this number."),
    "no_such_status": (422, "No such status", "A department moves a complaint to under_review, answered or closed."),
    "note_missing": (422, "Note missing", "An answer needs a note: it is what the citizen reads."),
    "backwards": (
        422,
        "Reason missing",
        "The complaint was further than this status. Say why in a note to the citizen.",
    ),
    "closed": (409, "Closed", "This complaint is closed and moves no further."),
    "conflict": (409, "Key used before", "This Idempotency-Key came with another request before; use a fresh one."),
}


def build_operations(complaints: DepartmentComplaints, pages: PageReader) -> tuple[AnyOperation, ...]:
    """The operations on complaints: list, read, change the status."""

    async def list_page(request: ApiRequest[ComplaintsQuery, None], page: PageRequest) -> Page[Any]:
        results = await complaints.list_page(request.department, page, status=request.query.status or "")
        return Page(tuple(map(_build_fields, results.items)), results.next_position)

    async def read(request: ApiRequest[Empty, None]) -> Complaint | None:
        detail = await complaints.get(request.department, request.number, by=request.actor)
        return None if detail is None else _build_model(detail)

    case = CaseType(
        name="complaint",
        plural="complaints",
        number_name="complaint_number",
        list_model=Complaints,
        detail_model=Complaint,
        change_model=ComplaintStatusChange,
        query_model=ComplaintsQuery,
        event_model=ComplaintEvent,
        read_description="With the citizen's words, and every status it has had. The audit records the reading.",
        change_summary="Answer a complaint, or move it on",
        change_description="The citizen gets an SMS in their language, and may say that the answer settles nothing.",
        problems=PROBLEMS,
        list_page=list_page,
        read=read,
        move=complaints.move,
    )
    return build_case_operations(case, pages)


def _build_fields(summary: ComplaintSummary) -> dict[str, Any]:
    """The fields by their names in the API; an empty code or number is null."""
    fields = asdict(summary)
    optional = {name: fields[name] or None for name in ("service", "tracking_number")}
    return {**fields, **optional, "complaint_number": fields.pop("number")}


def _build_model(detail: ComplaintDetail) -> Complaint:
    return Complaint.model_validate(
        {
            **_build_fields(detail.summary),
            "text": detail.text,
            "complainant": {
                "number": attached_or_none(detail.citizen),
                "language": detail.language,
                "channel": detail.channel,
            },
            "note": detail.note,
            "events": detail.events,
        }
    )
