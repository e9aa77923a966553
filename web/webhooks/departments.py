"""The route for signed events of departments' systems about status changes. Each event is applied once."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final, Literal, TypeAlias

from aiohttp import web
from pydantic import Field, TypeAdapter, ValidationError

from core.http.signatures import SignatureError, verify
from core.http.webhooks import BadWebhookError, RejectionLog, describe_method, read_body
from services.cases.models import StatusRejected
from services.departments.models import DepartmentEvent
from services.departments.webhooks import MoveResult
from web.api.cases import rejection_error
from web.api.errors import ApiError, ProblemSpec, with_problem_responses
from web.api.models.applications import ApplicationStatus
from web.api.models.common import FieldError, Notes, ReferenceNumber, RequestModel
from web.api.models.complaints import DepartmentStatus

VerificationKeys: TypeAlias = Mapping[str, Sequence[bytes]]
"""The valid keys of each department that signs events, by its code."""
HandleEvent: TypeAlias = Callable[[str, str, DepartmentEvent], Awaitable[MoveResult | Literal["again"]]]
"""Applies an event: the department's code, the id of the webhook, the event."""


class ApplicationMovedEvent(RequestModel):
    """A department has changed the status of an application."""

    type: Literal["application.moved"]
    tracking_number: ReferenceNumber
    status: ApplicationStatus
    note: Notes = Field(default_factory=dict)

    def to_event(self) -> DepartmentEvent:
        """The event in the form of the service."""
        return DepartmentEvent("application", self.tracking_number, self.status, dict(self.note.items()))


class ComplaintMovedEvent(RequestModel):
    """A department has changed the status of a complaint."""

    type: Literal["complaint.moved"]
    complaint_number: ReferenceNumber
    status: DepartmentStatus
    note: Notes = Field(default_factory=dict)

    def to_event(self) -> DepartmentEvent:
        """The event in the form of the service."""
        return DepartmentEvent("complaint", self.complaint_number, self.status, dict(self.note.items()))


WebhookEvent: TypeAlias = Annotated[ApplicationMovedEvent | ComplaintMovedEvent, Field(discriminator="type")]
EVENT_ADAPTER: Final[TypeAdapter[ApplicationMovedEvent | ComplaintMovedEvent]] = TypeAdapter(WebhookEvent)

PATH: Final = "/departments/{code}/events"
NOT_CONNECTED: Final[ProblemSpec] = (404, "Not connected", "No department of this code signs events to us.")
INVALID_EVENT: Final[ProblemSpec] = (422, "Not as it must be", "See errors for each place.")
NOT_JSON: Final[ProblemSpec] = (
    400,
    "Not JSON",
    'Send a JSON object such as {"type": "application.moved", …} in UTF-8.',
)
REJECTIONS: Final[Mapping[str, ProblemSpec]] = {
    "unknown": (404, "Not found", "Your department has nothing with this number."),
    "no_such_status": (422, "No such status", "Use one of the statuses that docs/connector.md names."),
    "note_missing": (422, "Note missing", "An answer needs a note: it is what the citizen reads."),
    "backwards": (422, "Reason missing", "The case was further than this status. Say why in a note to the citizen."),
    "final": (409, "Final", "This application is delivered or withdrawn and moves no further."),
    "closed": (409, "Closed", "This complaint is closed and moves no further."),
    "conflict": (409, "Id used before", "This webhook-id came with another event before; use a fresh one."),
}


def routes(keys: VerificationKeys, handle_event: HandleEvent, clock: Callable[[], datetime]) -> list[web.RouteDef]:
    """`POST /departments/{code}/events`."""
    rejections = RejectionLog()

    async def receive_event(request: web.Request) -> web.Response:
        try:
            return await handle_request(request)
        except ApiError as error:
            rejections.record(PATH, error.title, status=error.status)
            raise

    async def handle_request(request: web.Request) -> web.Response:
        code = request.match_info["code"]
        if code not in keys:
            raise ApiError(NOT_CONNECTED)
        body = await _read_body(request)
        try:
            message = verify(keys[code], request.headers, body, clock())
        except SignatureError as wrong:
            raise ApiError((401, "Not signed", str(wrong))) from None
        result = await handle_event(code, message, _parse_event(body).to_event())
        if isinstance(result, StatusRejected):
            raise rejection_error(REJECTIONS, result)
        return web.json_response({"done": "before" if result == "again" or result.is_repeat else "now"})

    async def reject_method(request: web.Request) -> web.Response:
        rejections.record(PATH, "method", method=describe_method(request))
        raise web.HTTPMethodNotAllowed(request.method, ["POST"])

    return [
        web.post(PATH, with_problem_responses(receive_event)),
        web.route("*", PATH, with_problem_responses(reject_method)),
    ]


async def _read_body(request: web.Request) -> bytes:
    try:
        return await read_body(request)
    except BadWebhookError as bad:
        raise ApiError((bad.status, "Not a body we take", bad.message)) from None


def _parse_event(body: bytes) -> ApplicationMovedEvent | ComplaintMovedEvent:
    try:
        return EVENT_ADAPTER.validate_json(body)
    except ValidationError as invalid:
        errors = invalid.errors(include_url=False, include_input=False, include_context=False)
        if errors[0]["type"] == "json_invalid":
            raise ApiError(NOT_JSON) from None
        raise ApiError(
            INVALID_EVENT, errors=[FieldError(where=_field_path(one["loc"]), problem=one["msg"]) for one in errors]
        ) from None


def _field_path(loc: tuple[int | str, ...]) -> str:
    """The path of a field such as `note.en`, from a location that starts with the type of the event."""
    return ".".join(str(part) for part in loc[1:] if part != "[key]") or "type"
