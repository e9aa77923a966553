"""Errors of the department API as RFC 9457 problem documents, including errors of aiohttp and unexpected exceptions."""

import functools
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from core.deadline import NotRecordedError
from core.http.request_limiter import RETRY_AFTER
from core.http.webhooks import MAX_BODY_BYTES
from core.logging import error_facts
from web.api.models.common import FieldError, Problem

CONTENT_TYPE = "application/problem+json"

ProblemSpec: TypeAlias = tuple[int, str, str]
"""Status, title and detail of a problem."""

HTTP_PROBLEMS: Mapping[int, ProblemSpec] = {
    404: (404, "Not found", "There is nothing at this address; tracking numbers are 12 digits."),
    405: (405, "Method not allowed", "Use one of the methods that the header Allow names."),
    408: (408, "Too slow", "The body of a request must arrive within a few seconds."),
    413: (413, "Too large", f"A body is at most {MAX_BODY_BYTES} bytes long."),
}
INTERNAL_ERROR: ProblemSpec = (
    500,
    "Failed",
    "Something is wrong on our side. Send it again in a minute, with the same Idempotency-Key.",
)
UNAVAILABLE: ProblemSpec = (
    503,
    "Busy",
    "Too much is to be done just now, and nothing was recorded. Send it again after as many seconds as Retry-After says.",
)
STATUS_HEADERS: Mapping[int, Mapping[str, str]] = {
    401: {"WWW-Authenticate": "Bearer"},
    503: {"Retry-After": str(RETRY_AFTER)},
}

log = structlog.get_logger()


class ApiError(Exception):
    """A request is rejected. The client reads the problem, and for an invalid query or body one error for each field."""

    def __init__(
        self, spec: ProblemSpec, *, errors: Sequence[FieldError] | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(spec[1])
        self._spec = spec
        self.status, self.title, _ = spec
        self._errors = errors
        self._headers = headers or {}

    def to_response(self) -> web.Response:
        """The problem document as an HTTP response."""
        status, title, detail = self._spec
        problem = Problem(title=title, status=status, detail=detail, errors=self._errors)
        body = problem.model_dump_json(exclude_none=True).encode()
        headers = {**STATUS_HEADERS.get(status, {}), **self._headers}
        return web.Response(status=status, body=body, content_type=CONTENT_TYPE, charset="utf-8", headers=headers)


def with_problem_responses(handler: Handler) -> Handler:
    """Wrap a handler so that every exception becomes a problem document. Of an unexpected one only type and place are logged.

    This is not a middleware: one middleware in a sub-application slows down every request of the process, USSD included.
    """

    @functools.wraps(handler)
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except ApiError as error:
            return error.to_response()
        except web.HTTPException as error:
            spec = HTTP_PROBLEMS.get(error.status, (error.status, error.reason, error.reason))
            headers = {name: error.headers[name] for name in ("Allow",) if name in error.headers}
            return ApiError(spec, headers=headers).to_response()
        except NotRecordedError as error:
            log.error("department_api_unavailable", **error_facts(error))
            return ApiError(UNAVAILABLE).to_response()
        except Exception as error:  # noqa: BLE001 - the client must get a problem document whatever fails
            log.error("department_api_failed", **error_facts(error))
            return ApiError(INTERNAL_ERROR).to_response()

    return handle
