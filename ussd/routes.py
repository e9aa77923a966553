"""The routes that Africa's Talking calls for USSD: one for each key press, one when a call has ended."""

from time import perf_counter

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Histogram

from callbacks import BadCallback, Guard, form
from sessions.exchange import TAKEN_FOR, Desk, hop
from ussd.callback import HOP_METADATA, Line, call_of, ended_of, said

log = structlog.get_logger()
BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Hops:
    """What is counted of hops: how many, what they were taken for, and how long they took."""

    def __init__(self, registry: CollectorRegistry) -> None:
        counted = Counter("ekdial_ussd_hops", "USSD hops by what they were taken for.", ["as"], registry=registry)
        self.counted = {kind: counted.labels(kind) for kind in TAKEN_FOR}
        self.seconds = Histogram(
            "ekdial_ussd_hop_seconds", "Seconds from a USSD callback to its answer.", buckets=BUCKETS, registry=registry
        )
        self.ended = Counter(
            "ekdial_ussd_calls_ended", "USSD calls ended, by the provider's status.", ["status"], registry=registry
        )


def routes(desk: Desk, line: Line, guard: Guard, hops: Hops) -> list[web.RouteDef]:
    """Both routes, over one desk."""
    hop_log = log.bind()  # once, and not on the way of every hop

    async def key_press(request: web.Request) -> web.Response:
        refused = guard.refuse(request)
        if refused is not None:
            return refused
        started = perf_counter()
        try:
            call = call_of(await form(request), request.headers.get(HOP_METADATA, ""), line)
        except BadCallback as bad:
            log.warning("bad callback", status=bad.status, line=bad.line)
            return bad.answer()
        heard = await hop(desk, call)
        seconds = perf_counter() - started
        hops.counted[heard.taken_for].inc()
        hops.seconds.observe(seconds)
        hop_log.debug("hop", taken_for=heard.taken_for, ends=heard.answer.ends, ms=round(seconds * 1000, 1))
        headers = {HOP_METADATA: str(heard.trace)} if heard.trace else None
        return web.Response(text=said(heard.answer), headers=headers)

    async def ended(request: web.Request) -> web.Response:
        refused = guard.refuse(request)
        if refused is not None:
            return refused
        try:
            event = ended_of(await form(request))
        except BadCallback as bad:
            return bad.answer()
        hops.ended.labels(event.status).inc()
        log.info("call ended", status=event.status, hops=event.hops, ms=event.milliseconds, error=event.error)
        return web.Response()

    return [
        web.post("/ussd/africastalking", key_press),
        web.post("/ussd/africastalking/events", ended),
    ]
