"""Refuse requests beside key presses before their work, while a process has too many: the sender sends them again.

Webhooks of providers, wallets and departments, the department API and links share a limit, so that a storm of them leaves the
event loop and the database to callers. While callers themselves are too many, the limit is a quarter.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from core.deadline import Deadline, NotRecordedError, running_until
from core.http.server_protocol import arrival_time
from core.logging import LogThrottle, error_facts
from core.timeouts import Timeout

RETRY_AFTER: Final = 5  # seconds
OVERLOADED_SHARE: Final = 4  # a quarter of the limit while callers are too many
WEBHOOK_SECONDS: Final = 8.0  # from the arrival of a webhook to its response; providers wait ten

log = structlog.get_logger()


class RequestLimiter:
    """Limits the requests in work whose path begins with one of `kinds`. One a process.

    `kinds` has the name of a kind in metrics by the beginning of its paths. Those in `webhooks` get a deadline. `streams` are the
    paths of responses without an end, which limit themselves: open ones must not take the places of requests.
    """

    def __init__(
        self,
        limit: int,
        *,
        kinds: Mapping[str, str],
        webhooks: tuple[str, ...],
        streams: frozenset[str] = frozenset(),
        is_overloaded: Callable[[], bool],
        build_refusal: Callable[[web.Request], web.Response],
    ) -> None:
        self._limit = limit
        self._prefixes = tuple(kinds)
        self._kinds = kinds
        self._webhooks = webhooks
        self._streams = streams
        self._is_overloaded = is_overloaded
        self._build_refusal = build_refusal
        self._throttle = LogThrottle(lines=1)
        self.in_flight = 0
        self.refused: Counter[str] = Counter(dict.fromkeys(kinds.values(), 0))

    async def handle(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The response of the handler; 503 where there are too many requests, or a webhook was not done in time."""
        if not request.path.startswith(self._prefixes) or request.path in self._streams:
            return await handler(request)
        limit = max(1, self._limit // OVERLOADED_SHARE) if self._is_overloaded() else self._limit
        if self.in_flight >= limit:
            return self._refuse(request)
        self.in_flight += 1
        try:
            if request.path.startswith(self._webhooks):
                return await self._handle_in_time(request, handler)
            return await handler(request)
        finally:
            self.in_flight -= 1

    async def _handle_in_time(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        deadline = Deadline(arrival_time(request), WEBHOOK_SECONDS, is_caller=False)
        try:
            with running_until(deadline):
                async with Timeout(deadline.answer_by - monotonic()):
                    return await handler(request)
        except (TimeoutError, NotRecordedError) as error:
            log.error("webhook_not_handled", kind=self._find_kind(request), **error_facts(error))
            return self._build_refusal(request)

    def _refuse(self, request: web.Request) -> web.Response:
        kind = self._find_kind(request)
        self.refused[kind] += 1
        left_out = self._throttle.admit("requests_shed")
        if left_out is not None:
            log.warning("requests_shed", kind=kind, in_flight=self.in_flight, **left_out)
        return self._build_refusal(request)

    def _find_kind(self, request: web.Request) -> str:
        return next(kind for prefix, kind in self._kinds.items() if request.path.startswith(prefix))


def build_unavailable_response() -> web.Response:
    """503 that asks to send the request again."""
    return web.Response(status=503, text="503: Service Unavailable\n", headers={"Retry-After": str(RETRY_AFTER)})


def build_middleware(limiter: RequestLimiter) -> Middleware:
    """The middleware of an application. The fast path of key presses does not pass through it."""

    @web.middleware
    async def limit_requests(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await limiter.handle(request, handler)

    return limit_requests
