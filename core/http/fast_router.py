"""Fast path: an AppRunner that dispatches POST requests to the given paths directly and skips aiohttp's router.

The router walks the routes and builds an object that describes the match, which costs 5 % of a USSD request.
"""

import asyncio
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack, suppress
from itertools import islice
from logging import Logger
from typing import Any, Final, cast

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from core.http.descriptors import DescriptorGuard
from core.http.draining import Drain, accept_waiting
from core.http.limits import HttpLimits
from core.http.paths import normalize_path
from core.http.server_protocol import HttpRequest, HttpServer
from core.http.webhooks import AccessLog

FAST_PATHS: web.AppKey[frozenset[str]] = web.AppKey("fast_paths", frozenset)
"""Key of an application under which it has the paths that are dispatched directly."""
HTTP_LIMITS: web.AppKey[HttpLimits] = web.AppKey("http_limits", HttpLimits)
"""Key of an application under which it has the limits of its connections."""
CLOSED_CONNECTIONS: web.AppKey[Counter[str]] = web.AppKey("closed_connections", Counter)
"""Key of an application under which it has the counter of closed connections, by `server_protocol.CLOSE_REASONS`."""
DESCRIPTORS: web.AppKey[DescriptorGuard] = web.AppKey("descriptors", DescriptorGuard)
"""Key of an application under which it has what guards the last file descriptors."""
DRAIN: web.AppKey[Drain] = web.AppKey("drain", Drain)
"""Key of an application under which it has what it does before it ends."""

LISTEN_BACKLOG: Final = 2048
"""Connections that the system completes before we accept them; gunicorn's default.

With aiohttp's 128 the system drops some of a burst: the other side takes itself for connected, and sends its request again and
again for ten seconds and more. The limit of the system (`net.core.somaxconn`) applies too.
"""

MAX_ACCEPTS: Final = 64
"""Connections accepted at once from one listener; other processes of the same listener get theirs."""

RequestHandler = Callable[[Any], Awaitable[web.StreamResponse]]


class FastPathRunner(web.AppRunner):
    """An `AppRunner` that calls the handlers of POST requests to `paths` itself; other requests go to the router.

    These handlers get requests without `match_info` and `app`. With an access log, which needs the route of a request,
    every request goes to the router. Connections have the limits and errors of `core.http.server_protocol`.
    """

    __slots__ = ("_burst", "_drain", "_is_closing", "_limits", "_listeners", "_paths")

    def __init__(
        self,
        app: web.Application,
        paths: frozenset[str] = frozenset(),
        *,
        limits: HttpLimits | None = None,
        drain: Drain | None = None,
        access_log: Logger | None = None,
        **options: Any,
    ) -> None:
        """Drain the server at the end, where there is a `drain`; `options` are those of `aiohttp.web.AppRunner`."""
        super().__init__(app, access_log_class=AccessLog, access_log=access_log, **options)
        self._paths = paths if access_log is None else frozenset[str]()
        self._limits = limits or HttpLimits()
        self._drain = drain
        self._burst: asyncio.Task[None] | None = None
        self._listeners: list[socket.socket] = []
        self._is_closing = False

    def _accept_burst_soon(self) -> None:
        if self._burst is None:
            self._burst = asyncio.get_running_loop().create_task(self._accept_burst())

    async def _accept_burst(self) -> None:
        """Accept what waits behind a new connection: uvloop accepts one in an iteration of the loop, few under load."""
        try:
            with suppress(OSError):  # no descriptor is left, or a connection has gone
                for listener in self._open_listeners():
                    for connection in islice(accept_waiting(listener), MAX_ACCEPTS):
                        await asyncio.get_running_loop().connect_accepted_socket(
                            cast("HttpServer", self.server), connection
                        )
        finally:
            self._burst = None

    def _open_listeners(self) -> list[socket.socket]:
        """The listeners once more, with descriptors of our own; none where they are being closed."""
        if not self._listeners and not self._is_closing:
            servers = [site._server for site in self.sites]  # noqa: SLF001 (aiohttp has no public way to the sockets)
            sockets = [one for server in servers for one in getattr(server, "sockets", ())]
            self._listeners = [socket.fromfd(one.fileno(), one.family, one.type) for one in sockets]
        return self._listeners

    def _close_listeners(self) -> None:
        self._is_closing = True
        while self._listeners:
            self._listeners.pop().close()

    async def cleanup(self) -> None:
        """Drain the server, then close everything."""
        if self._drain is not None and isinstance(self.server, HttpServer):
            await self._drain.run(self.server, self._stop_listening)
        self._close_listeners()
        await super().cleanup()

    def _reg_site(self, site: web.BaseSite) -> None:
        """Let every listener have the backlog, also those that gunicorn's worker starts."""
        super()._reg_site(site)
        site._backlog = LISTEN_BACKLOG  # noqa: SLF001 (a worker of gunicorn gives no parameter)

    async def _stop_listening(self) -> None:
        """Close the listeners, and serve what has connected to them."""
        servers = [site._server for site in self.sites]  # noqa: SLF001 (aiohttp has no public way to the sockets)
        sockets = [one for server in servers for one in getattr(server, "sockets", ())]
        connections: list[socket.socket] = []
        with ExitStack() as stack, suppress(OSError):  # no descriptor is left
            listeners = [stack.enter_context(socket.fromfd(one.fileno(), one.family, one.type)) for one in sockets]
            self._close_listeners()
            for site in self.sites:
                await site.stop()
            for listener in listeners:
                connections += accept_waiting(listener)
        for connection in connections:
            await asyncio.get_running_loop().connect_accepted_socket(cast("HttpServer", self.server), connection)

    async def _make_server(self) -> web.Server:
        """The server with our protocol, and with the dispatcher before its request handler."""
        server = await super()._make_server()
        http_server = HttpServer(
            _build_dispatcher(self._handlers_by_path(), server.request_handler),
            server.request_factory,
            limits=self._limits,
            closed=self.app.get(CLOSED_CONNECTIONS, Counter()),
            drain=self._drain or Drain(),
            descriptors=self.app.get(DESCRIPTORS) or DescriptorGuard(),
            **server._kwargs,  # noqa: SLF001 (aiohttp has no public way to another protocol class)
        )
        http_server.on_connection = self._accept_burst_soon
        return http_server

    def _handlers_by_path(self) -> Mapping[str, Handler]:
        posted = (route for route in self.app.router.routes() if route.method == hdrs.METH_POST)
        by_path = {route.resource.canonical: route.handler for route in posted if route.resource}
        return {path: by_path[path] for path in self._paths}


def _build_dispatcher(handlers: Mapping[str, Handler], fallback: RequestHandler) -> RequestHandler:
    """The handler of every request. A path that is not among `handlers` is normalized, before anything else sees it."""

    def answers(request: HttpRequest) -> Awaitable[web.StreamResponse]:
        path = request.rel_url.raw_path
        handler = handlers.get(path)
        if handler is None and (normalized := normalize_path(path)) != path:
            request.replace_path(normalized)
            handler = handlers.get(normalized)
        if handler is None or request.method != hdrs.METH_POST or hdrs.EXPECT in request.headers:
            return fallback(request)
        return handler(request)

    return answers
