"""Whether the gateway lives, whether it is ready, and what it has counted."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

DEADLINE = 2.0  # seconds that a part may take to say that it is there

Parts = Mapping[str, Callable[[], Awaitable[None]]]
"""The parts that a caller needs, each with a call that returns when it is there and raises when it is not."""


def routes(parts: Parts, registry: CollectorRegistry) -> list[web.RouteDef]:
    """`/healthz`, `/readyz` and `/metrics`."""

    async def alive(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def ready(_: web.Request) -> web.Response:
        states = dict(zip(parts, await asyncio.gather(*map(_state, parts.values())), strict=True))
        status = 200 if set(states.values()) <= {"ok"} else 503
        return web.json_response(states, status=status)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return [web.get("/healthz", alive), web.get("/readyz", ready), web.get("/metrics", metrics)]


async def _state(is_there: Callable[[], Awaitable[None]]) -> str:
    try:
        async with asyncio.timeout(DEADLINE):
            await is_there()
    except Exception:  # noqa: BLE001 (whatever it says, it is not ready)
        return "down"
    return "ok"
