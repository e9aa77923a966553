"""The route that Africa's Talking calls when somebody rings a number of ours, and again when they have hung up."""

from time import perf_counter
from typing import Final, get_args

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter

from callbacks import BadCallback, Guard, form
from voice.callback import ring_of, said
from voice.missed_calls import MissedCalls, TakenFor

MALFORMED: Final = "malformed"

log = structlog.get_logger()


class Rings:
    """What is counted of callbacks: how many, by what they were taken for; each call is `repeated` when it has ended."""

    def __init__(self, registry: CollectorRegistry) -> None:
        what = "Voice callbacks by what they were taken for."
        self._taken_for = Counter("ekdial_voice_callbacks", what, ["as"], registry=registry)
        for kind in (*get_args(TakenFor), MALFORMED):
            self._taken_for.labels(kind)

    def count(self, taken_for: str) -> None:
        """One more."""
        self._taken_for.labels(taken_for).inc()


def routes(missed_calls: MissedCalls, guard: Guard, rings: Rings) -> list[web.RouteDef]:
    """The route, over all calls."""

    async def rang(request: web.Request) -> web.Response:
        """A call is rejected while there is one, whoever calls and whatever becomes of it: nobody pays for it then."""
        if (refused := guard.refuse(request)) is not None:
            return refused
        started = perf_counter()
        try:
            ring = ring_of(await form(request))
        except BadCallback as bad:
            rings.count(MALFORMED)
            log.warning("bad callback", status=bad.status, line=bad.line)
            return bad.answer()
        taken_for = await missed_calls.heard(ring)
        rings.count(taken_for)
        log.info("call", taken_for=taken_for, active=ring.active, ms=round((perf_counter() - started) * 1000, 1))
        return web.Response(text=said(ring))  # as text/plain, which the provider's own samples have

    return [web.post("/voice/africastalking", rang)]
