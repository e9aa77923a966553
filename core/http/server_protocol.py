"""The server side of one HTTP connection: aiohttp's, with deadlines, a limit of connections, and errors that quote nothing."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from time import monotonic
from typing import Any, Final, TypeAlias, cast

import structlog
from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import RawRequestMessage
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.streams import StreamReader

from core.http.connection_limiter import ConnectionLimiter
from core.http.descriptors import DescriptorGuard
from core.http.draining import Drain
from core.http.limits import HttpLimits
from core.http.security_headers import SECURITY_HEADER_LINES, add_security_headers
from core.http.transports import descriptor_number, limit_unacknowledged_time, peer_address
from core.logging import LogThrottle, error_facts

FULL_RESPONSE: Final = (
    "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 25\r\n"
    f"{SECURITY_HEADER_LINES}Retry-After: 5\r\nConnection: close\r\n\r\n503: Service Unavailable\n"
).encode("ascii")
"""The response on a connection above the limit; it is not read."""
CLOSE_REASONS: Final = ("full", "headers", "body", "reader")
"""Why the server closes a connection: a limit of connections, a deadline of the headers or the body, a slow reader."""
UNREADABLE_BODY: Final = (web.RequestPayloadError, web.PayloadAccessError, HttpProcessingError)

BuildRequest: TypeAlias = Callable[..., web.BaseRequest]
Handler: TypeAlias = Callable[[Any], Awaitable[web.StreamResponse]]

log = structlog.get_logger()


class BodyTimeoutError(TimeoutError):
    """The body of a request did not arrive in time; handlers that read it get this error."""


class HttpRequest(web.Request):
    """A request whose response gets the security headers, and closes its connection where the server is about to end."""

    @property
    def keep_alive(self) -> bool:
        """Whether the connection stays open after the response."""
        return not self._message.should_close and not cast("HttpProtocol", self._protocol).is_draining

    def replace_path(self, path: str) -> None:
        """Become a request for another path, with the same query. Nobody may have seen more of it than `rel_url` before."""
        self._rel_url = self._rel_url.with_path(path, encoded=True, keep_query=True)
        self._message = self._message._replace(path=str(self._rel_url), url=self._rel_url)
        self._cache["rel_url"] = self._rel_url
        self._cache.pop("url", None)  # of a request with an absolute URL

    async def _prepare_hook(self, response: web.StreamResponse) -> None:
        await super()._prepare_hook(response)
        add_security_headers(response.headers)


class HttpServer(web.Server):
    """aiohttp's server with limits."""

    def __init__(
        self,
        handler: Handler,
        build_request: BuildRequest,
        *,
        limits: HttpLimits,
        closed: Counter[str],
        drain: Drain,
        descriptors: DescriptorGuard,
        **options: Any,
    ) -> None:
        """Count the connections that the server closes in `closed`, each by one of `CLOSE_REASONS`.

        `build_request` is that of the application; `options` are those of `aiohttp.web.Server`.
        """
        super().__init__(handler, request_factory=self._build_request, **options)
        self._build = partial(build_request, _cls=HttpRequest)
        self.limits = limits
        self.limiter = ConnectionLimiter(
            max_connections=limits.max_connections,
            max_per_address=limits.max_connections_per_address,
            exempt=limits.trusted_proxies,
        )
        self.throttle = LogThrottle()
        self.closed = closed
        self.drain = drain
        self.descriptors = descriptors
        self.last_connected = 0.0
        self.on_connection: Callable[[], None] = lambda: None
        """Called for each new connection."""

    @property
    def open_connections(self) -> Sequence["HttpProtocol"]:
        """Those that are open now."""
        return [one for one in self._connections if isinstance(one, HttpProtocol) and one.transport is not None]

    def __call__(self) -> "HttpProtocol":
        """The protocol of a new connection."""
        return HttpProtocol(self, loop=self._loop, keepalive_timeout=self.limits.keep_alive, **self._kwargs)

    def log_error(self, event: str, facts: Mapping[str, object]) -> None:
        """Log an event that a stranger can cause as often as they want."""
        left_out = self.throttle.admit(f"{event} {facts}")
        if left_out is not None:
            log.warning(event, **facts, **left_out)

    def _build_request(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: web.RequestHandler,
        writer: AbstractStreamWriter,
        task: "asyncio.Task[None]",
    ) -> web.BaseRequest:
        if not payload.is_eof() and isinstance(protocol, HttpProtocol):
            protocol.start_body_deadline(payload)
        return self._build(message, payload, protocol, writer, task)


class HttpProtocol(web.RequestHandler):
    """One connection. It costs a fast request nothing but the call of `data_received`."""

    __slots__ = (
        "_body_timer",
        "_header_since",
        "_header_timer",
        "_limits",
        "_network",
        "_part_of",
        "_send_timer",
        "_server",
        "received_at",
    )

    received_at: float
    """When the newest bytes were read, in seconds of `time.monotonic`."""

    def __init__(self, server: HttpServer, **options: Any) -> None:
        """`options` are those of `aiohttp.web.RequestHandler`."""
        super().__init__(server, **options)
        self._server = server
        self._limits = server.limits
        self._network: str | None = None
        self._header_since = 0.0  # when we began to wait for the headers that have not arrived; 0: for none
        self._part_of = -1  # the number of requests before the one of which a part has arrived
        self._header_timer: asyncio.TimerHandle | None = None
        self._body_timer: asyncio.TimerHandle | None = None
        self._send_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Serve the connection, or close it where a limit is reached."""
        self._server.on_connection()
        if self._server.descriptors.admit(descriptor_number(transport)):
            self._network = self._server.limiter.admit(peer_address(transport))
        if self._network is None:
            self._server.closed["full"] += 1
            self._force_close = True  # what arrives is not parsed
            cast("asyncio.Transport", transport).write(FULL_RESPONSE)
            transport.close()
            return
        self._server.last_connected = self._loop.time()
        limit_unacknowledged_time(transport, self._limits.send_deadline)
        super().connection_made(transport)
        self._wait_for_headers()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Release what the connection held."""
        for timer in (self._header_timer, self._body_timer, self._send_timer):
            if timer is not None:
                timer.cancel()
        if self._network is not None:
            self._server.limiter.release(self._network)
            self._network = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse the data, and notice the begin and the end of headers."""
        before = self._request_count
        self.received_at = monotonic()
        super().data_received(data)
        if self._request_count != before:
            self._header_since = 0.0
        elif self._waiter is not None:  # a part of the next request
            self._part_of = before
            if not self._header_since:
                self._wait_for_headers()

    @property
    def is_draining(self) -> bool:
        """Whether the server is about to end."""
        return self._server.drain.is_active

    @property
    def idle_since(self) -> float | None:
        """The loop time since which it waits for a request without a byte of it; None while there is one."""
        if self._waiter is None or self._waiter.done() or self._part_of == self._request_count:
            return None
        return self._next_keepalive_close_time - self._keepalive_timeout

    def fileno(self) -> int:
        """The descriptor of the socket; -1 where there is none any more."""
        return -1 if self.transport is None else descriptor_number(self.transport)

    def _wait_for_headers(self) -> None:
        self._header_since = self._loop.time()
        if self._header_timer is None:
            self._header_timer = self._loop.call_later(self._limits.header_deadline, self._check_headers)

    def _check_headers(self) -> None:
        self._header_timer = None
        if not self._header_since:
            return
        due = self._header_since + self._limits.header_deadline
        if self._loop.time() < due:  # the timer was set for an earlier request
            self._header_timer = self._loop.call_at(due, self._check_headers)
            return
        self._server.closed["headers"] += 1
        self.force_close()

    def start_body_deadline(self, payload: StreamReader) -> None:
        """Fail whoever reads this body after the deadline."""
        if self._body_timer is not None:
            self._body_timer.cancel()
        self._body_timer = self._loop.call_later(self._limits.body_deadline, self._check_body, payload)

    def _check_body(self, payload: StreamReader) -> None:
        self._body_timer = None
        if not payload.is_eof() and payload.exception() is None:
            self._server.closed["body"] += 1
            payload.set_exception(BodyTimeoutError("the body of the request did not arrive in time"))

    def pause_writing(self) -> None:
        """The client reads slower than we write: from now on it has a deadline."""
        super().pause_writing()
        self._send_timer = self._loop.call_later(self._limits.send_deadline, self._abort_slow_reader)

    def resume_writing(self) -> None:
        """The client has read."""
        if self._send_timer is not None:
            self._send_timer.cancel()
        super().resume_writing()

    def _abort_slow_reader(self) -> None:
        self._server.closed["reader"] += 1
        if self.transport is not None:
            self.transport.abort()

    def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> Coroutine[Any, Any, tuple[web.StreamResponse, bool]]:
        """Send the response; without the header Expect, which aiohttp quotes in its error about it."""
        if isinstance(resp, web.HTTPExpectationFailed):
            resp.text = f"{resp.status}: {resp.reason}"
        return super().finish_response(request, resp, start_time)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 (it quotes the request)
    ) -> web.StreamResponse:
        """Respond with the status in one plain line, and log kind and place.

        Raises:
            ConnectionError: The client has gone, or a part of the response is already sent.
        """
        if isinstance(exc, ConnectionError) and self.transport is None:
            raise exc  # the client has gone
        body_error = request.content.exception() or exc
        if isinstance(body_error, BodyTimeoutError):
            status = HTTPStatus.REQUEST_TIMEOUT
        elif isinstance(exc, UNREADABLE_BODY):
            status = HTTPStatus.BAD_REQUEST
        if status == HTTPStatus.INTERNAL_SERVER_ERROR:
            log.error("http_request_failed", **(error_facts(exc) if exc else {}))
        else:
            self._server.log_error("http_request_rejected", {"status": int(status), "error": type(body_error).__name__})
        if request.writer.output_size > 0:
            raise ConnectionError("a part of the response is already sent")
        response = web.Response(status=status, text=f"{int(status)}: {HTTPStatus(status).phrase}\n")
        response.force_close()
        return response

    def log_exception(self, *_: Any, **options: Any) -> None:
        """Log kind and place of what aiohttp found wrong with a connection or a response."""
        error = options.get("exc_info")
        facts = error_facts(error) if isinstance(error, BaseException) else {"error": "", "at": "web_protocol.py"}
        self._server.log_error("http_connection_failed", facts)


def arrival_time(request: web.BaseRequest) -> float:
    """When the request was read, in seconds of `time.monotonic`; now, where another protocol served it."""
    return getattr(request.protocol, "received_at", None) or monotonic()
