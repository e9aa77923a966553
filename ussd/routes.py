"""The routes that Africa's Talking calls for USSD: one for each key press, one when a call has ended."""

import logging
from time import perf_counter

import structlog
from aiohttp import web

from answers import answer
from callbacks import BadCallback, Guard, form
from sessions.exchange import Desk, hop
from ussd.callback import HOP_METADATA, Line, call_of, ended_of, said
from ussd.hops import Hops

KEY_PRESS = "/ussd/africastalking"

log = structlog.get_logger()


def routes(desk: Desk, line: Line, guard: Guard, hops: Hops) -> list[web.RouteDef]:
    """Both routes, over one desk."""
    hop_log = log.bind()  # once, and not on the way of every hop
    each = hop_log.is_enabled_for(logging.DEBUG)

    async def key_press(request: web.Request) -> web.StreamResponse:
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
        hops.count(heard.taken_for, seconds)
        if each:
            hop_log.debug("hop", taken_for=heard.taken_for, ends=heard.answer.ends, ms=round(seconds * 1000, 1))
        return answer(request, said(heard.answer), (HOP_METADATA, str(heard.trace)) if heard.trace else None)

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
        web.post(KEY_PRESS, key_press),
        web.post(f"{KEY_PRESS}/events", ended),
    ]
