"""Liveness, readiness and metrics."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from core.timeouts import Timeout

DEADLINE = 2.0  # seconds that one check may take

HealthCheck = Callable[[], Awaitable[None]]
HealthChecks = Mapping[str, HealthCheck]
"""Checks of the services that a caller needs, by name. A check returns, or raises if the service is not available."""
RenderMetrics = Callable[[], Awaitable[bytes]]
"""Returns metrics in Prometheus' text format."""


class NotReadyError(Exception):
    """A service is not ready; the message is one line that says why, without secrets."""


def public_routes() -> list[web.RouteDef]:
    """`/healthz`, which tells nothing but that the process runs."""

    async def handle_liveness(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    return [web.get("/healthz", handle_liveness)]


def admin_routes(
    checks: HealthChecks, render_metrics: RenderMetrics, *, is_draining: Callable[[], bool] = lambda: False
) -> list[web.RouteDef]:
    """`/healthz`, `/readyz` and `/metrics`. A gateway that is about to end is not ready, and checks nothing."""

    async def handle_readiness(_: web.Request) -> web.Response:
        if is_draining():
            return web.json_response({"gateway": "draining"}, status=503)
        problems = dict(zip(checks, await asyncio.gather(*map(_find_problem, checks.values())), strict=True))
        states: dict[str, object] = {name: "down" if problem else "ok" for name, problem in problems.items()}
        why = {name: problem for name, problem in problems.items() if problem}
        if not why:
            return web.json_response(states)
        return web.json_response({**states, "why": why}, status=web.HTTPServiceUnavailable.status_code)

    async def handle_metrics(_: web.Request) -> web.Response:
        return web.Response(body=await render_metrics(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return [*public_routes(), web.get("/readyz", handle_readiness), web.get("/metrics", handle_metrics)]


async def _find_problem(check: HealthCheck) -> str:
    """Why the service is not available; empty where it is.

    Of an error of a library only the class is said: its message can have an address with a password.
    """
    try:
        async with Timeout(DEADLINE):
            await check()
    except NotReadyError as error:
        return str(error)
    except TimeoutError:
        return f"no answer within {DEADLINE:g} seconds"
    except Exception as error:  # noqa: BLE001 - after any failure the service is not ready
        return _describe(error)
    return ""


def _describe(error: BaseException) -> str:
    """The class of an error, and of what caused it."""
    root = error
    while root.__cause__ is not None:
        root = root.__cause__
    name = type(error).__name__
    return name if root is error else f"{name} ({type(root).__name__})"
