"""Errors of the department API as RFC 9457 problem documents, those that aiohttp and we ourselves make among them."""

import functools
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from callbacks import MOST
from failures import told
from web.api.models.common import Problem, Wrong

CONTENT_TYPE = "application/problem+json"

Said: TypeAlias = tuple[int, str, str]
"""Status, title and detail of a problem."""

HTTP: Mapping[int, Said] = {
    404: (404, "Not found", "There is nothing at this address; tracking numbers are 12 digits."),
    405: (405, "Method not allowed", "Use one of the methods that the header Allow names."),
    413: (413, "Too large", f"A body is at most {MOST} octets long."),
}
FAILED: Said = (
    500,
    "Failed",
    "Something is wrong on our side. Send it again in a minute, with the same Idempotency-Key.",
)
WITH: Mapping[int, Mapping[str, str]] = {401: {"WWW-Authenticate": "Bearer"}}

log = structlog.get_logger()


class Refused(Exception):
    """Something is not done, for a reason that its caller is told: `said`, and for a body every place that is wrong."""

    def __init__(
        self, said: Said, *, errors: Sequence[Wrong] | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(said[1])
        self._said = said
        self._errors = errors
        self._headers = headers or {}

    def answer(self) -> web.Response:
        """As the caller reads it."""
        status, title, detail = self._said
        problem = Problem(title=title, status=status, detail=detail, errors=self._errors)
        body = problem.model_dump_json(exclude_none=True).encode()
        headers = {**WITH.get(status, {}), **self._headers}
        return web.Response(status=status, body=body, content_type=CONTENT_TYPE, charset="utf-8", headers=headers)


def as_problems(handler: Handler) -> Handler:
    """Answers every error with a problem; of a failure of ours only its kind and place are written down.

    It is no middleware: one in a sub-application makes aiohttp take a longer way with every request, hops too.
    """

    @functools.wraps(handler)
    async def answered(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refused as refused:
            return refused.answer()
        except web.HTTPException as refused:
            said = HTTP.get(refused.status, (refused.status, refused.reason, refused.reason))
            allowed = {name: refused.headers[name] for name in ("Allow",) if name in refused.headers}
            return Refused(said, headers=allowed).answer()
        except Exception as error:  # noqa: BLE001 (whatever it is, a department's system must be able to read it)
            log.error("department API failed", **told(error))
            return Refused(FAILED).answer()

    return answered
