"""Errors of the department API as RFC 9457 problem documents, those that aiohttp and we ourselves make among them."""

import functools
import json
from collections.abc import Mapping
from typing import TypeAlias

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from callbacks import MOST
from failures import told

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

log = structlog.get_logger()


def problem(status: int, title: str, detail: str, **more: object) -> web.Response:
    """One error: `title` names the kind, `detail` says what was wrong here and what would be right."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    headers = {"WWW-Authenticate": "Bearer"} if status == web.HTTPUnauthorized.status_code else None
    return web.Response(
        status=status, text=json.dumps(body, ensure_ascii=False), content_type=CONTENT_TYPE, headers=headers
    )


def as_problems(handler: Handler) -> Handler:
    """Answers every error with a problem; of a failure of ours only its kind and place are written down.

    It is no middleware: one in a sub-application makes aiohttp take a longer way with every request, hops too.
    """

    @functools.wraps(handler)
    async def answered(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as refused:
            response = problem(*HTTP.get(refused.status, (refused.status, refused.reason, refused.reason)))
            if "Allow" in refused.headers:
                response.headers["Allow"] = refused.headers["Allow"]
            return response
        except Exception as error:  # noqa: BLE001 (whatever it is, a department's system must be able to read it)
            log.error("department API failed", **told(error))
            return problem(*FAILED)

    return answered
