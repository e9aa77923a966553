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
        states = dict(zip(checks, await asyncio.gather(*map(_run_check, checks.values())), strict=True))
        status = 200 if set(states.values()) <= {"ok"} else 503
        return web.json_response(states, status=status)

    async def handle_metrics(_: web.Request) -> web.Response:
        return web.Response(body=await render_metrics(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return [*public_routes(), web.get("/readyz", handle_readiness), web.get("/metrics", handle_metrics)]


async def _run_check(check: Callable[[], Awaitable[None]]) -> str:
    try:
        async with Timeout(DEADLINE):
            await check()
    except Exception:  # noqa: BLE001 - after any failure the service is not ready
        return "down"
    return "ok"
