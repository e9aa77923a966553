"""The routes that Africa's Talking calls for USSD: one for each key press, one when a call has ended."""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate
from time import perf_counter

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from callbacks import BadCallback, Guard, form
from sessions.exchange import TAKEN_FOR, Desk, hop
from ussd.callback import HOP_METADATA, Line, call_of, ended_of, said

log = structlog.get_logger()
BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Hops(Collector):
    """What is counted of hops: how many, what they were taken for, and how long they took.

    Plain numbers until somebody asks: the library's own metrics lock each of them, which one event loop need not.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._taken_for = dict.fromkeys(TAKEN_FOR, 0)
        self._within = [0] * (len(BUCKETS) + 1)
        self._seconds = 0.0
        registry.register(self)
        self.ended = Counter(
            "ekdial_ussd_calls_ended", "USSD calls ended, by the provider's status.", ["status"], registry=registry
        )

    def count(self, taken_for: str, seconds: float) -> None:
        """One more."""
        self._taken_for[taken_for] += 1
        self._within[bisect_left(BUCKETS, seconds)] += 1
        self._seconds += seconds

    def collect(self) -> Iterator[Metric]:
        """As Prometheus has them: what is within a bucket is within every larger one too."""
        hops = CounterMetricFamily("ekdial_ussd_hops", "USSD hops by what they were taken for.", labels=["as"])
        for kind, count in self._taken_for.items():
            hops.add_metric([kind], count)
        yield hops
        within = zip((*map(str, BUCKETS), "+Inf"), accumulate(self._within), strict=True)
        what = "Seconds from a USSD callback to its answer."
        yield HistogramMetricFamily("ekdial_ussd_hop_seconds", what, buckets=list(within), sum_value=self._seconds)


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
        hops.count(heard.taken_for, seconds)
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
