"""The three operations that applications and complaints share: list them, read one, change the status of one."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from pydantic import BaseModel

from core.pagination import Page, PageRequest
from services.cases.models import NOTE_REASONS, StatusChanged, StatusRejected
from web.api.errors import ApiError, ProblemSpec
from web.api.models.common import Empty, FieldError, PageModel, PageQuery, RequestModel
from web.api.operations import AnyOperation, ApiRequest, ApiResponse, Operation
from web.api.pagination import LIST_PROBLEMS, PageReader

ListPage: TypeAlias = Callable[[ApiRequest[Any, None], PageRequest], Awaitable[Page[Any]]]
Read: TypeAlias = Callable[[ApiRequest[Empty, None]], Awaitable[BaseModel | None]]
Move: TypeAlias = Callable[..., Awaitable[StatusChanged | StatusRejected]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseType:
    """One type of case, as its department sees it: its names and models, and the functions that do the work.

    `plural` is the path of the list, `number_name` the name of the twelve digits in the path of one case. `problems` has
    the problem for each reason that a service rejects a status with, and for `unknown`. `list_page` and `read` give what
    the list model and the detail model are built from; `read` gives None where the department has no such case.
    `move` takes department, number, status, note and idempotency key, and `by` whom.
    """

    name: str
    plural: str
    number_name: str
    list_model: type[PageModel]
    detail_model: type[BaseModel]
    change_model: type[BaseModel]
    query_model: type[PageQuery]
    event_model: type[RequestModel]
    read_description: str
    change_summary: str
    change_description: str
    problems: Mapping[str, ProblemSpec]
    list_page: ListPage
    read: Read
    move: Move


def build_case_operations(case: CaseType, pages: PageReader) -> tuple[AnyOperation, ...]:
    """The operations list, read and change status of one type of case."""
    not_found = case.problems["unknown"]

    async def list_cases(request: ApiRequest[Any, None]) -> ApiResponse:
        page = await case.list_page(request, pages.parse_page_request(request))
        return pages.build_response(request, page, case.list_model)

    async def read_case(request: ApiRequest[Empty, None]) -> ApiResponse:
        detail = await case.read(request)
        if detail is None:
            raise ApiError(not_found)
        return ApiResponse(detail)

    async def change_status(request: ApiRequest[Empty, Any]) -> ApiResponse:
        event = request.body
        note = dict(event.note.items())
        change = await case.move(
            request.department, request.number, event.status, note, request.idempotency_key, by=request.actor
        )
        if isinstance(change, StatusRejected):
            raise rejection_error(case.problems, change)
        fields = {case.number_name: change.number, "status": change.status, "note": change.note, "at": change.at}
        return ApiResponse.for_change(case.change_model.model_validate(fields), replayed=change.is_repeat)

    path = f"/{case.plural}/{{{case.number_name}}}"
    return (
        Operation(
            f"list{case.plural.capitalize()}",
            "GET",
            f"/{case.plural}",
            f"List {case.plural}",
            "Those of your department, in the order in which they changed.",
            case.list_model,
            list_cases,
            query_model=case.query_model,
            problems=LIST_PROBLEMS,
        ),
        Operation(
            f"read{case.name.capitalize()}",
            "GET",
            path,
            f"Read {_with_article(case.name)}",
            case.read_description,
            case.detail_model,
            read_case,
            problems={"unknown": not_found},
        ),
        Operation(
            f"move{case.name.capitalize()}",
            "POST",
            f"{path}/events",
            case.change_summary,
            case.change_description,
            case.change_model,
            change_status,
            body_model=case.event_model,
            problems=case.problems,
        ),
    )


def rejection_error(problems: Mapping[str, ProblemSpec], rejected: StatusRejected) -> ApiError:
    """The problem of a status that is rejected; it names the field `note` where a note is missing."""
    problem = problems[rejected.reason]
    errors = [FieldError(where="note", problem=problem[2])] if rejected.reason in NOTE_REASONS else None
    return ApiError(problem, errors=errors)


def _with_article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
