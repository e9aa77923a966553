"""The page of complaints."""

from core.pagination import Page
from services.complaints.department_view import DepartmentComplaints
from services.complaints.models import DEPARTMENT_STATUSES, STATUSES, ComplaintSummary
from services.complaints.transitions import ANSWERED_STATUSES
from web.console.cases.listing import CaseFilter
from web.console.cases.page import CasePage, CaseType, ConsoleTools

FINAL_STATUSES = frozenset({"closed"})


def build_complaints_page(complaints: DepartmentComplaints, tools: ConsoleTools) -> CasePage:
    """The page of the complaints of the member's department, or of all."""

    async def list_page(chosen: CaseFilter) -> Page[ComplaintSummary]:
        return await complaints.list_newest(chosen.scope, chosen.page, status=chosen.status)

    case = CaseType(
        name="complaints",
        statuses=STATUSES,
        settable=DEPARTMENT_STATUSES,
        final=FINAL_STATUSES,
        answered=ANSWERED_STATUSES,
        has_gateway_cases=True,
        list_page=list_page,
        service=complaints,
        find_status=lambda detail: detail.summary.status,
        find_changed=lambda detail: detail.summary.changed,
    )
    return CasePage(case, tools)
