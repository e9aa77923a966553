"""The routes of the department API: authentication, rate limit, validation; then the handler of the operation."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any, Final, TypeAlias, TypeVar

from aiohttp import web
from pydantic import ValidationError

from core.http.webhooks import BadWebhookError, read_body
from services.departments.api_keys import ApiKeyHolder, ApiKeys
from web.api.errors import HTTP_PROBLEMS, ApiError, ProblemSpec, with_problem_responses
from web.api.models.common import FieldError, RequestModel
from web.api.operations import AnyOperation, ApiRequest, ApiResponse
from web.api.rate_limit import RateLimiter

PREFIX: Final = "/api/v1"
MAX_KEY_LENGTH: Final = 128
JSON: Final = "application/json"

UNKNOWN_KEY: Final[ProblemSpec] = (401, "Key not known", "Send Authorization: Bearer and a key that is good today.")
OTHER_KIND_OF_KEY: Final[ProblemSpec] = (
    403,
    "Key of another kind",
    "A network's key is for number notices, and a department's key for everything else.",
)
TOO_MANY_REQUESTS: Final[ProblemSpec] = (429, "Too many requests", "Wait as many seconds as Retry-After says.")
MISSING_IDEMPOTENCY_KEY: Final[ProblemSpec] = (
    400,
    "No Idempotency-Key",
    f"Send the header Idempotency-Key, at most {MAX_KEY_LENGTH} characters.",
)
NOT_JSON: Final[ProblemSpec] = (400, "Not JSON", 'Send a JSON object such as {"status": "ready"} in UTF-8.')
UNSUPPORTED_MEDIA_TYPE: Final[ProblemSpec] = (415, "Not sent as JSON", f"Send the header Content-Type: {JSON}.")
INVALID_REQUEST: Final[ProblemSpec] = (422, "Not as it must be", "See errors for each place.")

Model = TypeVar("Model", bound=RequestModel)
Handlers: TypeAlias = Mapping[str, Callable[[web.Request], Awaitable[web.StreamResponse]]]


def build_routes(
    operations: Sequence[AnyOperation],
    *,
    api_keys: ApiKeys,
    rate_limiter: RateLimiter,
    build_openapi_json: Callable[[], bytes],
) -> list[web.RouteDef]:
    """The routes of every operation and of openapi.json, and a 404 problem for every other path under the prefix."""

    async def handle(operation: AnyOperation, request: web.Request) -> web.StreamResponse:
        key_holder, rate_limit_headers = await _authenticate(request, api_keys, rate_limiter)
        try:
            response = _render_response(await operation.handler(await _parse_request(operation, key_holder, request)))
        except ApiError as error:
            response = error.to_response()
        response.headers.update(rate_limit_headers)
        return response

    async def describe(_: web.Request) -> web.StreamResponse:
        return web.Response(body=build_openapi_json(), content_type=JSON, headers={"Cache-Control": "max-age=300"})

    routes: list[web.RouteDef] = []
    for path, same_path in groupby(operations, lambda operation: operation.path):
        handlers: Handlers = {operation.method: partial(handle, operation) for operation in same_path}
        routes += _routes_at(_route_path(path), handlers)
    return [
        *routes,
        *_routes_at(f"{PREFIX}/openapi.json", {"GET": describe}),
        web.route("*", f"{PREFIX}{{nothing:(/.*)?}}", _not_found),
    ]


def _routes_at(path: str, handlers: Handlers) -> Iterator[web.RouteDef]:
    """The routes of every method at one path: the given ones, OPTIONS, and a 405 problem for others."""
    allowed = ",".join(sorted({*handlers, "OPTIONS", *(["HEAD"] if "GET" in handlers else [])}))

    async def options(_: web.Request) -> web.StreamResponse:
        return web.Response(status=204, headers={"Allow": allowed})

    async def others(request: web.Request) -> web.StreamResponse:
        raise web.HTTPMethodNotAllowed(request.method, allowed.split(","))

    for method, handler in handlers.items():
        yield web.route(method, path, with_problem_responses(handler))  # aiohttp adds HEAD to GET
    yield web.route("OPTIONS", path, options)
    yield web.route("*", path, with_problem_responses(others))


def _route_path(path: str) -> str:
    """The path for aiohttp: each name in braces matches twelve digits."""
    return PREFIX + path.replace("}", ":[0-9]{12}}")


async def _authenticate(
    request: web.Request, api_keys: ApiKeys, rate_limiter: RateLimiter
) -> tuple[ApiKeyHolder, Mapping[str, str]]:
    """The holder of the API key, and the rate limit headers of the response.

    Raises:
        ApiError: the key is unknown, or made too many requests.
    """
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    holder = await api_keys.find_holder(key.strip()) if scheme.casefold() == "bearer" else None
    if holder is None:
        raise ApiError(UNKNOWN_KEY)
    status = await rate_limiter.count_request(holder.key_id)
    if status is None:
        return holder, {}
    if status.remaining < 0:
        raise ApiError(TOO_MANY_REQUESTS, headers={**status.headers, "Retry-After": str(status.reset_seconds)})
    return holder, status.headers


async def _parse_request(
    operation: AnyOperation, key_holder: ApiKeyHolder, request: web.Request
) -> ApiRequest[Any, Any]:
    """The request with its query and its body validated.

    Raises:
        ApiError: the key is of another kind, the Idempotency-Key is missing, or the query or the body is invalid.
    """
    if key_holder.kind != operation.key_kind:
        raise ApiError(OTHER_KIND_OF_KEY)
    query = _parse_query(operation.query_model, request)
    number = next(iter(request.match_info.values()), "")
    if operation.body_model is None:
        return ApiRequest(key_holder, query, None, request.path, number)
    key = request.headers.get("Idempotency-Key", "")
    if not key or len(key) > MAX_KEY_LENGTH:
        raise ApiError(MISSING_IDEMPOTENCY_KEY)
    return ApiRequest(key_holder, query, await _parse_body(operation.body_model, request), request.path, number, key)


def _parse_query(model: type[Model], request: web.Request) -> Model:
    """The query, validated. An empty parameter counts as missing; a repeated one is rejected as ambiguous.

    Raises:
        ApiError: the query is invalid.
    """
    values_by_name = {name: request.query.getall(name) for name in request.query}
    if repeated := [name for name, values in values_by_name.items() if len(values) > 1]:
        raise ApiError(
            INVALID_REQUEST, errors=[FieldError(where=name, problem="It is given twice") for name in repeated]
        )
    try:
        return model.model_validate({name: value for name, (value,) in values_by_name.items() if value})
    except ValidationError as invalid:
        raise ApiError(INVALID_REQUEST, errors=_field_errors(invalid)) from None


async def _parse_body(model: type[Model], request: web.Request) -> Model:
    if request.content_type != JSON and "Content-Type" in request.headers:
        raise ApiError(UNSUPPORTED_MEDIA_TYPE)
    try:
        body = await read_body(request)
    except BadWebhookError as bad:
        raise ApiError(HTTP_PROBLEMS.get(bad.status, NOT_JSON)) from None
    try:
        return model.model_validate_json(body)
    except ValidationError as invalid:
        if invalid.errors(include_url=False, include_input=False)[0]["type"] == "json_invalid":
            raise ApiError(NOT_JSON) from None
        raise ApiError(INVALID_REQUEST, errors=_field_errors(invalid)) from None


def _field_errors(invalid: ValidationError) -> list[FieldError]:
    errors = invalid.errors(include_url=False, include_input=False, include_context=False)
    return [
        FieldError(where=".".join(str(part) for part in error["loc"] if part != "[key]"), problem=error["msg"])
        for error in errors
    ]


def _render_response(response: ApiResponse) -> web.Response:
    body = response.model.model_dump_json().encode()
    return web.Response(
        status=response.status, body=body, content_type=JSON, charset="utf-8", headers=dict(response.headers)
    )


@with_problem_responses
async def _not_found(_: web.Request) -> web.StreamResponse:
    raise web.HTTPNotFound
