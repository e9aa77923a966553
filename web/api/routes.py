"""The department API's routes, made of its operations: who asks, how often, what exactly; then whoever answers it."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any, Final, Protocol, TypeAlias, TypeVar

from aiohttp import web
from pydantic import ValidationError

from services.keys import Holder
from web.api.limits import Left
from web.api.models.common import Heard, Wrong
from web.api.operations import Answer, AnyOperation, Call
from web.api.problems import Refused, Said, as_problems

PREFIX: Final = "/api/v1"
LONGEST_KEY: Final = 128
JSON: Final = "application/json"

KEY_NOT_KNOWN: Final[Said] = (401, "Key not known", "Send Authorization: Bearer and a key that is good today.")
TOO_MANY: Final[Said] = (429, "Too many requests", "Wait as many seconds as Retry-After says.")
NO_KEY: Final[Said] = (
    400,
    "No Idempotency-Key",
    f"Send the header Idempotency-Key, at most {LONGEST_KEY} characters.",
)
NOT_JSON: Final[Said] = (400, "Not JSON", 'Send a JSON object such as {"status": "ready"} in UTF-8.')
NOT_SENT_AS_JSON: Final[Said] = (415, "Not sent as JSON", f"Send the header Content-Type: {JSON}.")
NOT_AS_IT_MUST_BE: Final[Said] = (422, "Not as it must be", "See errors for each place.")

Model = TypeVar("Model", bound=Heard)
Handlers: TypeAlias = Mapping[str, Callable[[web.Request], Awaitable[web.StreamResponse]]]


class HolderOf(Protocol):
    """Knows whose key this is."""

    def __call__(self, key: str, /) -> Awaitable[Holder | None]:
        """The department and the key's id, or None."""


class Take(Protocol):
    """Counts the requests of a key."""

    def __call__(self, key: str, /) -> Awaitable[Left | None]:
        """What is left of its minute; None where nobody counts."""


def routes(operations: Sequence[AnyOperation], holder_of: HolderOf, take: Take, described: bytes) -> list[web.RouteDef]:
    """Every operation, its description, and a problem for whatever else is asked under the prefix."""

    async def answered(operation: AnyOperation, request: web.Request) -> web.StreamResponse:
        caller, counted = await _let_in(request, holder_of, take)
        try:
            answer = await operation.answers(await _heard(operation, caller, request))
        except Refused as refused:
            response = refused.answer()
        else:
            response = _written(answer)
        response.headers.update(counted)
        return response

    async def describe(_: web.Request) -> web.StreamResponse:
        return web.Response(body=described, content_type=JSON, headers={"Cache-Control": "max-age=300"})

    found: list[web.RouteDef] = []
    for path, those in groupby(operations, lambda operation: operation.path):
        handlers: Handlers = {one.method: partial(answered, one) for one in those}
        found += _at(_address(path), handlers)
    return [
        *found,
        *_at(f"{PREFIX}/openapi.json", {"GET": describe}),
        web.route("*", f"{PREFIX}{{nothing:(/.*)?}}", _nothing),
    ]


def _at(address: str, handlers: Handlers) -> Iterator[web.RouteDef]:
    """All methods at one address: those there are, OPTIONS, and a problem for others."""
    allowed = ",".join(sorted({*handlers, "OPTIONS", *(["HEAD"] if "GET" in handlers else [])}))

    async def options(_: web.Request) -> web.StreamResponse:
        return web.Response(status=204, headers={"Allow": allowed})

    async def others(request: web.Request) -> web.StreamResponse:
        raise web.HTTPMethodNotAllowed(request.method, allowed.split(","))

    for method, handler in handlers.items():
        yield web.route(method, address, as_problems(handler))  # with GET comes HEAD
    yield web.route("OPTIONS", address, options)
    yield web.route("*", address, as_problems(others))


def _address(path: str) -> str:
    """With every name between braces standing for twelve digits."""
    return PREFIX + path.replace("}", ":[0-9]{12}}")


async def _let_in(request: web.Request, holder_of: HolderOf, take: Take) -> tuple[Holder, Mapping[str, str]]:
    """Who asks, and the headers that tell how much they have left to ask."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    holder = await holder_of(key.strip()) if scheme.casefold() == "bearer" else None
    if holder is None:
        raise Refused(KEY_NOT_KNOWN)
    left = await take(holder.key)
    if left is None:
        return holder, {}
    if left.requests < 0:
        raise Refused(TOO_MANY, headers={**left.headers, "Retry-After": str(left.seconds)})
    return holder, left.headers


async def _heard(operation: AnyOperation, caller: Holder, request: web.Request) -> Call[Any, Any]:
    """The request as its operation wants it."""
    query = _query(operation.query, request)
    number = next(iter(request.match_info.values()), "")
    if operation.body is None:
        return Call(caller, query, None, request.path, number)
    key = request.headers.get("Idempotency-Key", "")
    if not key or len(key) > LONGEST_KEY:
        raise Refused(NO_KEY)
    return Call(caller, query, await _body(operation.body, request), request.path, number, key)


def _query(model: type[Model], request: web.Request) -> Model:
    """What is empty is as if it was not given; what is given twice could mean either."""
    given = {name: request.query.getall(name) for name in request.query}
    if twice := [name for name, values in given.items() if len(values) > 1]:
        raise Refused(NOT_AS_IT_MUST_BE, errors=[Wrong(where=name, problem="It is given twice") for name in twice])
    try:
        return model.model_validate({name: value for name, (value,) in given.items() if value})
    except ValidationError as invalid:
        raise Refused(NOT_AS_IT_MUST_BE, errors=_places(invalid)) from None


async def _body(model: type[Model], request: web.Request) -> Model:
    if request.content_type != JSON and "Content-Type" in request.headers:
        raise Refused(NOT_SENT_AS_JSON)
    try:
        return model.model_validate_json(await request.read())
    except ValidationError as invalid:
        if invalid.errors(include_url=False, include_input=False)[0]["type"] == "json_invalid":
            raise Refused(NOT_JSON) from None
        raise Refused(NOT_AS_IT_MUST_BE, errors=_places(invalid)) from None


def _places(invalid: ValidationError) -> list[Wrong]:
    errors = invalid.errors(include_url=False, include_input=False, include_context=False)
    return [
        Wrong(where=".".join(str(part) for part in error["loc"] if part != "[key]"), problem=error["msg"])
        for error in errors
    ]


def _written(answer: Answer) -> web.Response:
    body = answer.model.model_dump_json().encode()
    return web.Response(
        status=answer.status, body=body, content_type=JSON, charset="utf-8", headers=dict(answer.headers)
    )


@as_problems
async def _nothing(_: web.Request) -> web.StreamResponse:
    raise web.HTTPNotFound
