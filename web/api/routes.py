"""The department API: read an application of one's own department, and move it on."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal, Protocol
from unicodedata import category

from aiohttp import web
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import PydanticCustomError

from services.applications import Filed, Moved, NotMoved
from web.api.problems import as_problems, problem

LONGEST_NOTE = 160
LONGEST_KEY = 128
Status = Literal[
    "received", "under_review", "more_information", "approved", "rejected", "ready", "delivered", "withdrawn"
]


def _written(text: str) -> str:
    """A note as it can be kept and shown: a line break is the only control character that has a place in it."""
    if any(category(character) == "Cc" for character in text if character != "\n"):
        raise PydanticCustomError("unprintable", "A control character stands in it")
    return text


Note = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NOTE), AfterValidator(_written)
]
Language = Literal["en", "bn", "hi", "bn_Latn", "hi_Latn"]


class DepartmentOf(Protocol):
    """Knows whose key this is."""

    def __call__(self, key: str, /) -> Awaitable[str | None]:
        """The department's code, or None."""


class Filings(Protocol):
    """The applications, as their department sees them."""

    async def filed(self, department: str, tracking_number: str) -> Filed | None:
        """The application, or None when this department has none of this number."""

    async def move(
        self, department: str, tracking_number: str, status: str, note: Mapping[str, str], key: str
    ) -> Moved | NotMoved:
        """Moves it on, once for each key."""


class Event(BaseModel):
    """What a department reports: the new status, and what the citizen is told with it, by language."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: Status
    note: dict[Language, Note] = Field(default_factory=dict)


REASONS: Mapping[str, tuple[int, str, str]] = {
    "unknown": (404, "Not found", "Your department has no application with this tracking number."),
    "no_such_status": (422, "No such status", "Use one of the eight statuses."),
    "final": (409, "Final", "This application is delivered or withdrawn and moves no further."),
    "conflict": (409, "Key used before", "This Idempotency-Key came with another request before; use a fresh one."),
}

Handler = Callable[[web.Request, str], Awaitable[web.Response]]


PREFIX = "/api/v1"


def routes(department_of: DepartmentOf, filings: Filings) -> list[web.RouteDef]:
    """Both routes, and a problem for whatever else is asked under the prefix; a key sees its own department only."""

    async def read(request: web.Request, department: str) -> web.Response:
        filed = await filings.filed(department, request.match_info["tracking_number"])
        return web.json_response(_as_json(filed)) if filed else _refused("unknown")

    async def move(request: web.Request, department: str) -> web.Response:
        key = request.headers.get("Idempotency-Key", "")
        if not key or len(key) > LONGEST_KEY:
            return problem(
                400, "No Idempotency-Key", f"Send the header Idempotency-Key, at most {LONGEST_KEY} characters."
            )
        try:
            event = Event.model_validate_json(await request.read())
        except ValidationError as invalid:
            return _invalid(invalid)
        number = request.match_info["tracking_number"]
        moved = await filings.move(department, number, event.status, dict(event.note.items()), key)
        return _refused(moved.reason) if isinstance(moved, NotMoved) else _moved(moved)

    def known(handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def guarded(request: web.Request) -> web.Response:
            scheme, _, key = request.headers.get("Authorization", "").partition(" ")
            department = await department_of(key.strip()) if scheme.casefold() == "bearer" else None
            if department is None:
                return problem(401, "Key not known", "Send Authorization: Bearer and a key that is not revoked.")
            return await handler(request, department)

        return guarded

    path = PREFIX + r"/applications/{tracking_number:[0-9]{12}}"
    return [
        web.get(path, as_problems(known(read))),
        web.route("*", path, _only("GET", "HEAD")),
        web.post(f"{path}/events", as_problems(known(move))),
        web.route("*", f"{path}/events", _only("POST")),
        web.route("*", f"{PREFIX}{{nothing:(/.*)?}}", _nothing),
    ]


def _only(*methods: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    @as_problems
    async def refused(request: web.Request) -> web.StreamResponse:
        raise web.HTTPMethodNotAllowed(request.method, methods)

    return refused


@as_problems
async def _nothing(_: web.Request) -> web.StreamResponse:
    raise web.HTTPNotFound


def _refused(reason: str) -> web.Response:
    return problem(*REASONS[reason])


def _moved(moved: Moved) -> web.Response:
    body = {
        "tracking_number": moved.tracking_number,
        "status": moved.status,
        "note": dict(moved.note),
        "at": moved.at.isoformat(),
    }
    return web.json_response(body, status=200 if moved.again else 201)


def _invalid(invalid: ValidationError) -> web.Response:
    errors = invalid.errors(include_url=False, include_input=False, include_context=False)
    if errors[0]["type"] == "json_invalid":
        return problem(400, "Not JSON", 'Send a JSON object such as {"status": "ready"} in UTF-8.')
    where = [".".join(str(part) for part in error["loc"] if part != "[key]") for error in errors]
    found = [{"where": place, "problem": error["msg"]} for place, error in zip(where, errors, strict=True)]
    return problem(422, "Not as it must be", "See errors for each place.", errors=found)


def _as_json(filed: Filed) -> dict[str, Any]:
    return {
        "tracking_number": filed.tracking_number,
        "service": filed.service,
        "office": filed.office,
        "status": filed.status,
        "note": dict(filed.note),
        "promised": _plain(filed.promised),
        "received": _plain(filed.received),
        "changed": _plain(filed.changed),
        "applicant": {"number": filed.number, "language": filed.language, "channel": filed.channel},
        "form": dict(filed.form),
        "events": [{"status": one.status, "note": dict(one.note), "at": _plain(one.at)} for one in filed.events],
    }


def _plain(moment: date | datetime | None) -> str | None:
    return moment.isoformat() if moment else None
