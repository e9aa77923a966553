"""Applications in the department API."""

from collections.abc import Mapping
from typing import Any, Final

from core.pagination import Page, PageRequest
from core.phone_numbers import attached_or_none
from services.applications.department_view import DepartmentApplications
from services.applications.models import ApplicationDetail
from web.api.cases import CaseType, build_case_operations
from web.api.errors import ProblemSpec
from web.api.models.applications import (
    Application,
    ApplicationEvent,
    Applications,
    ApplicationsQuery,
    ApplicationStatusChange,
)
from web.api.models.common import Empty
from web.api.operations import AnyOperation, ApiRequest
from web.api.pagination import PageReader

PROBLEMS: Final[Mapping[str, ProblemSpec]] = {
    "unknown": (404, "Not found", "Your department has no application with this tracking number."),
    "no_such_status": (422, "No such status", "Use one of the eight statuses."),
    "backwards": (
        422,
        "Reason missing",
        "The application was further than this status. Say why in a note to the citizen.",
    ),
    "final": (409, "Final", "This application is delivered or withdrawn and moves no further."),
    "conflict": (409, "Key used before", "This Idempotency-Key came with another request before; use a fresh one."),
}


def build_operations(applications: DepartmentApplications, pages: PageReader) -> tuple[AnyOperation, ...]:
    """The operations on applications: list, read, change the status."""

    async def list_page(request: ApiRequest[ApplicationsQuery, None], page: PageRequest) -> Page[Any]:
        query = request.query
        return await applications.list_page(request.department, page, service=query.service, status=query.status or "")

    async def read(request: ApiRequest[Empty, None]) -> Application | None:
        detail = await applications.get(request.department, request.number, by=request.actor)
        return None if detail is None else _build_model(detail)

    case = CaseType(
        name="application",
        plural="applications",
        number_name="tracking_number",
        list_model=Applications,
        detail_model=Application,
        change_model=ApplicationStatusChange,
        query_model=ApplicationsQuery,
        event_model=ApplicationEvent,
        read_description="With what the citizen typed, and every status it has had. The audit records the reading.",
        change_summary="Move an application on",
        change_description="The citizen gets an SMS in their language, and tracking shows the new status from then on.",
        problems=PROBLEMS,
        list_page=list_page,
        read=read,
        move=applications.move,
    )
    return build_case_operations(case, pages)


def _build_model(detail: ApplicationDetail) -> Application:
    same_names = Application.model_fields.keys() - {"applicant", "beneficiary", "fee"}
    return Application.model_validate(
        {
            **{name: getattr(detail, name) for name in same_names},
            "applicant": {
                "name": detail.name or None,
                "number": attached_or_none(detail.msisdn),
                "language": detail.language,
                "channel": detail.channel,
            },
            "beneficiary": {"number": attached_or_none(detail.beneficiary)} if detail.beneficiary else None,
            "fee": {"amount_minor": detail.fee_minor, "currency": detail.currency, "state": detail.fee_state},
        }
    )
