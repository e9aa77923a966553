"""Where departments' systems tell of their own accord what moved there: signed events, each done once."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final, Literal, TypeAlias

from aiohttp import web
from pydantic import Field, TypeAdapter, ValidationError

from callbacks import BadCallback, octets
from services import complaints
from services.applications import NotMoved
from services.departments.events import Event, Result
from services.departments.signing import NotSigned, verified
from web.api.models.applications import Status
from web.api.models.common import Heard, Notes, Number, Wrong
from web.api.models.complaints import MovedTo
from web.api.problems import Refused, Said, as_problems

Keys: TypeAlias = Mapping[str, Sequence[bytes]]
"""The departments that sign, by code, with the keys that are good."""
Hear: TypeAlias = Callable[[str, str, Event], Awaitable[Result | Literal["again"]]]
"""Does what an event tells: whose, under which id, what."""


class ApplicationMoved(Heard):
    """An application was moved to a status there."""

    type: Literal["application.moved"]
    tracking_number: Number
    status: Status
    note: Notes = Field(default_factory=dict)

    def event(self) -> Event:
        """As it is done here."""
        return Event("application", self.tracking_number, self.status, dict(self.note.items()))


class ComplaintMoved(Heard):
    """A complaint was moved to a status there."""

    type: Literal["complaint.moved"]
    complaint_number: Number
    status: MovedTo
    note: Notes = Field(default_factory=dict)

    def event(self) -> Event:
        """As it is done here."""
        return Event("complaint", self.complaint_number, self.status, dict(self.note.items()))


Posted: TypeAlias = Annotated[ApplicationMoved | ComplaintMoved, Field(discriminator="type")]
POSTED: Final[TypeAdapter[ApplicationMoved | ComplaintMoved]] = TypeAdapter(Posted)

NOT_CONNECTED: Final[Said] = (404, "Not connected", "No department of this code signs events to us.")
NOT_AS_IT_MUST_BE: Final[Said] = (422, "Not as it must be", "See errors for each place.")
NOT_JSON: Final[Said] = (400, "Not JSON", 'Send a JSON object such as {"type": "application.moved", …} in UTF-8.')
REASONS: Final[Mapping[str, Said]] = {
    "unknown": (404, "Not found", "Your department has nothing with this number."),
    "no_such_status": (422, "No such status", "Use one of the statuses that docs/connector.md names."),
    "final": (409, "Final", "This application is delivered or withdrawn and moves no further."),
    "closed": (409, "Closed", "This complaint is closed and moves no further."),
    "conflict": (409, "Id used before", "This webhook-id came with another event before; use a fresh one."),
}


def routes(keys: Keys, hear: Hear, now: Callable[[], datetime]) -> list[web.RouteDef]:
    """`POST /departments/{code}/events`."""

    async def heard(request: web.Request) -> web.Response:
        code = request.match_info["code"]
        if code not in keys:
            raise Refused(NOT_CONNECTED)
        body = await _body(request)
        try:
            message = verified(keys[code], request.headers, body, now())
        except NotSigned as wrong:
            raise Refused((401, "Not signed", str(wrong))) from None
        result = await hear(code, message, _read(body).event())
        if isinstance(result, NotMoved | complaints.NotMoved):
            raise Refused(REASONS[result.reason])
        return web.json_response({"done": "before" if result == "again" or result.again else "now"})

    async def others(request: web.Request) -> web.Response:
        raise web.HTTPMethodNotAllowed(request.method, ["POST"])

    path = "/departments/{code}/events"
    return [web.post(path, as_problems(heard)), web.route("*", path, as_problems(others))]


async def _body(request: web.Request) -> bytes:
    try:
        return await octets(request)
    except BadCallback as bad:
        raise Refused((bad.status, "Not a body we take", bad.line)) from None


def _read(body: bytes) -> ApplicationMoved | ComplaintMoved:
    try:
        return POSTED.validate_json(body)
    except ValidationError as invalid:
        errors = invalid.errors(include_url=False, include_input=False, include_context=False)
        if errors[0]["type"] == "json_invalid":
            raise Refused(NOT_JSON) from None
        raise Refused(
            NOT_AS_IT_MUST_BE, errors=[Wrong(where=_place(one["loc"]), problem=one["msg"]) for one in errors]
        ) from None


def _place(loc: tuple[int | str, ...]) -> str:
    """`note.en` for where the library says it went wrong, which tells the type of the event first."""
    return ".".join(str(part) for part in loc[1:] if part != "[key]") or "type"
