"""The page of applications."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from core.pagination import Page
from core.types import Translations
from services.applications.department_view import DepartmentApplications
from services.applications.models import (
    ANSWERED_STATUSES,
    FINAL_STATUSES,
    STATUSES,
    ApplicationDetail,
    ApplicationSummary,
)
from services.catalogue.models import pick_translation
from services.privacy.form_answers import FormAnswers
from web.console.cases.listing import CaseFilter
from web.console.cases.page import CasePage, CaseType, ConsoleTools
from web.console.requests import ConsoleRequest


class ShownAnswer(NamedTuple):
    """A question of the form, and what was typed."""

    question: str
    answer: str


def build_applications_page(
    applications: DepartmentApplications, answers: FormAnswers, tools: ConsoleTools
) -> CasePage:
    """The page of the applications of the member's department, or of all."""

    async def list_page(chosen: CaseFilter) -> Page[ApplicationSummary]:
        return await applications.list_newest(
            chosen.scope, chosen.page, status=chosen.status, service=chosen.service, office=chosen.office
        )

    def build_facts(request: ConsoleRequest, detail: ApplicationDetail, is_revealed: bool) -> Mapping[str, Any]:
        """What was typed, for those who work on the case; identity numbers are masked until they are revealed."""
        shows_answers = request.may("applications.reveal")
        form = answers.format(detail.service, detail.form, masked=not is_revealed) if shows_answers else ()
        return {"shows_answers": shows_answers, "answers": _translate(form, request.member.language)}

    case = CaseType(
        name="applications",
        statuses=STATUSES,
        settable=STATUSES,
        final=FINAL_STATUSES,
        answered=ANSWERED_STATUSES,
        has_gateway_cases=False,
        list_page=list_page,
        service=applications,
        find_status=lambda detail: detail.status,
        find_changed=lambda detail: detail.changed,
    )
    return CasePage(case, tools, build_facts)


def _translate(form: Sequence[tuple[Translations, str | Translations]], language: str) -> Sequence[ShownAnswer]:
    return [
        ShownAnswer(
            pick_translation(question, language),
            answer if isinstance(answer, str) else pick_translation(answer, language),
        )
        for question, answer in form
    ]
