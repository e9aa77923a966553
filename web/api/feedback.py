"""Feedback in the department API."""

from dataclasses import asdict
from typing import Any

from core.pagination import Page
from services.complaints.department_view import DepartmentComplaints
from services.complaints.models import Feedback
from web.api.models.common import PageQuery
from web.api.models.complaints import FeedbackList
from web.api.operations import AnyOperation, ApiRequest, ApiResponse, Operation
from web.api.pagination import LIST_PROBLEMS, PageReader


def build_operations(complaints: DepartmentComplaints, pages: PageReader) -> tuple[AnyOperation, ...]:
    """The one operation on feedback: list it."""

    async def list_feedback(request: ApiRequest[PageQuery, None]) -> ApiResponse:
        page = await complaints.list_feedback(request.department, pages.parse_page_request(request))
        items = tuple(map(_build_fields, page.items))
        return pages.build_response(request, Page(items, page.next_position), FeedbackList)

    return (
        Operation(
            "listFeedback",
            "GET",
            "/feedback",
            "List feedback",
            "What citizens think of your department's services, oldest first.",
            FeedbackList,
            list_feedback,
            query_model=PageQuery,
            problems=LIST_PROBLEMS,
        ),
    )


def _build_fields(feedback: Feedback) -> dict[str, Any]:
    """The fields by their names in the API; an empty service code is null."""
    fields = asdict(feedback)
    return {**fields, "service": fields["service"] or None, "feedback_number": fields.pop("number")}
