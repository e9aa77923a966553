"""Build the web application and the runner that serves it, for `serve`, `dial`, gunicorn's workers and tests."""

import gc
import os
from contextlib import AsyncExitStack
from typing import Any, Final

from aiohttp import web

from app.open_files import fit_connections
from config.settings import Settings

GC_THRESHOLD: Final = 10_000
"""Generation-0 threshold of the garbage collector: above the number of objects that are alive in requests in flight."""
PRIVATE_UMASK: Final = 0o077
"""What a server process writes is for its user only."""
SHUTDOWN_TIMEOUT: Final = 10.0
"""Seconds in which requests in flight are finished; no provider waits longer."""
CANCEL_TIMEOUT: Final = 1.0
"""Seconds that a request which is still in flight after the drain gets to end, and again after it is cancelled."""
STOP_TIMEOUT: Final = 60.0
"""Seconds that everything else may take to end after the requests: replies that are pushed, messages that are being sent.

A message whose sending takes longer is recovered as unknown by another process.
"""
LINGERING_TIME: Final = 1.0
"""Seconds for which a connection stays open after its request was rejected before the body was read."""


async def build_app(settings: Settings, *, shares_metrics: bool = False) -> web.Application:
    """Return the gateway, with everything opened that its routes need. Its cleanup closes all of it.

    With `shares_metrics`, its metrics are those of all worker processes of this server.

    Raises:
        CommandError: Something that the gateway needs is missing or invalid; the message has one line for each.
    """
    from app.bootstrap import open_app

    stack = AsyncExitStack()
    app = await stack.enter_async_context(open_app(settings, shares_metrics=shares_metrics))

    async def close(_: web.Application) -> None:
        await stack.aclose()

    app.on_cleanup.append(close)
    return app


async def build_long_running_app(settings: Settings, *, shares_metrics: bool = False) -> web.Application:
    """Return the gateway of a server process, which may open as many files as its connections need.

    What is loaded by now is excluded from garbage collection.

    Raises:
        CommandError: Something that the gateway needs is missing or invalid.
    """
    os.umask(PRIVATE_UMASK)
    app = await build_app(fit_connections(settings), shares_metrics=shares_metrics)
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
    return app


def build_runner(app: web.Application, *, drains: bool = False, **options: Any) -> web.AppRunner:
    """Return the runner of the gateway, which with `drains` ends as `core.http.draining` says.

    `options` are those of `aiohttp.web.AppRunner`.
    """
    from core.http.fast_router import DRAIN, FAST_PATHS, HTTP_LIMITS, FastPathRunner

    return FastPathRunner(
        app,
        app[FAST_PATHS],
        limits=app[HTTP_LIMITS],
        drain=app[DRAIN] if drains else None,
        shutdown_timeout=CANCEL_TIMEOUT if drains else SHUTDOWN_TIMEOUT,
        lingering_time=LINGERING_TIME,
        **options,
    )
