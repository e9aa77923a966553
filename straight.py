"""Runs the application with a short way to its busiest route: what a key press asks for, need not be looked for.

To find the handler, aiohttp walks its routes and makes an object that tells what was found, which is a twentieth of a
hop. Here the one path is compared; everything else goes the usual way.
"""

from collections.abc import Awaitable, Callable, Mapping
from logging import Logger
from typing import Any

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from callbacks import AccessLog

Answers = Callable[[Any], Awaitable[web.StreamResponse]]


class StraightRunner(web.AppRunner):
    """An `AppRunner` whose application is asked only for what is not POSTed to one of `paths`.

    Their handlers get requests that know no `match_info` and no `app`. Where there is an access log, which writes a
    request down by its route, every request goes the usual way.
    """

    __slots__ = ("_paths",)

    def __init__(
        self, app: web.Application, paths: frozenset[str], *, access_log: Logger | None = None, **options: Any
    ) -> None:
        """`options` are those of any runner."""
        super().__init__(app, access_log_class=AccessLog, access_log=access_log, **options)
        self._paths = paths if access_log is None else frozenset[str]()

    async def setup(self) -> None:
        """As of any runner."""
        await super().setup()
        assert self.server is not None  # noqa: S101 (it is what has just been set up)
        self.server.request_handler = _straight(self._handlers(), self.server.request_handler)

    def _handlers(self) -> Mapping[str, Handler]:
        posted = (route for route in self.app.router.routes() if route.method == hdrs.METH_POST)
        by_path = {route.resource.canonical: route.handler for route in posted if route.resource}
        return {path: by_path[path] for path in self._paths}


def _straight(handlers: Mapping[str, Handler], others: Answers) -> Answers:
    def answers(request: web.Request) -> Awaitable[web.StreamResponse]:
        handler = handlers.get(request.rel_url.raw_path)
        if handler is None or request.method != hdrs.METH_POST or hdrs.EXPECT in request.headers:
            return others(request)
        return handler(request)

    return answers
