"""Log the requests that no route takes, so that an operator sees a webhook's address with a mistake in it.

A path can contain a token or a number, and is never logged. In its place is the route that it resembles most.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from core.http.webhooks import describe_method
from core.logging import LogThrottle

MAX_COMPARED: Final = 100  # characters of a path
MIN_SIMILARITY: Final = 0.5

log = structlog.get_logger()


def build_middleware(prefixes: tuple[str, ...]) -> Middleware:
    """The middleware that logs posts to anywhere, and every request whose path begins with one of `prefixes`."""
    throttle = LogThrottle()

    @web.middleware
    async def log_unrouted(request: web.Request, handler: Handler) -> web.StreamResponse:
        error = request.match_info.http_exception
        if error is not None and (request.method == hdrs.METH_POST or request.path.startswith(prefixes)):
            left_out = throttle.admit(str(error.status))
            if left_out is not None:
                log.warning(
                    "webhook_rejected",
                    reason="method" if isinstance(error, web.HTTPMethodNotAllowed) else "unknown_path",
                    status=error.status,
                    method=describe_method(request),
                    nearest_route=_find_nearest(request.path, _posted_routes(request.app)),
                    **left_out,
                )
        return await handler(request)

    return log_unrouted


def _posted_routes(app: web.Application) -> Sequence[str]:
    """The patterns of the routes that take a POST."""
    posted = (route.resource for route in app.router.routes() if route.method == hdrs.METH_POST)
    return [resource.canonical for resource in posted if resource is not None]


def _find_nearest(path: str, routes: Sequence[str]) -> str:
    """The route that the path resembles most; empty where it resembles none."""
    return next(iter(get_close_matches(path[:MAX_COMPARED], routes, n=1, cutoff=MIN_SIMILARITY)), "")
