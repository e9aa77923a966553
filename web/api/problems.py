"""Errors of the department API as RFC 9457 problem documents."""

import json

from aiohttp import web

CONTENT_TYPE = "application/problem+json"


def problem(status: int, title: str, detail: str, **more: object) -> web.Response:
    """One error: `title` names the kind, `detail` says what was wrong here and what would be right."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    headers = {"WWW-Authenticate": "Bearer"} if status == web.HTTPUnauthorized.status_code else None
    return web.Response(
        status=status, text=json.dumps(body, ensure_ascii=False), content_type=CONTENT_TYPE, headers=headers
    )
