"""The route by which Africa's Talking tells what became of an SMS."""

from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from callbacks import BadCallback, Guard, form
from sms.delivery import Report
from sms.providers.africastalking import read_report

Keep = Callable[[Report], Awaitable[object]]

log = structlog.get_logger()


def routes(guard: Guard, keep: Keep | None = None) -> list[web.RouteDef]:
    """The routes; `keep` is given every report that can be read, in the order and as often as they come."""

    async def delivery(request: web.Request) -> web.Response:
        """200 for whatever came, that the provider stop repeating it; 413 for a flood; 503 when ours to repeat."""
        if (refusal := guard.refuse(request)) is not None:
            return refusal
        try:
            report = read_report(await form(request))
        except BadCallback as bad:
            log.warning("delivery report not read", status=bad.status, line=bad.line)
            return bad.answer() if bad.status == web.HTTPRequestEntityTooLarge.status_code else web.Response()
        return await _kept(report, keep)

    return [web.post("/sms/africastalking/delivery", delivery)]


async def _kept(report: Report | None, keep: Keep | None) -> web.Response:
    if report is None:
        log.warning("delivery report not understood")
        return web.Response()
    log.info("delivery report", id=report.provider_id, delivery=report.delivery, word=report.word, reason=report.reason)
    try:
        if keep is not None:
            await keep(report)
    except Exception as error:  # noqa: BLE001 - whatever it is, only a repeat can mend it
        failure = type(error).__name__
    else:
        return web.Response()
    log.error("delivery report not kept", id=report.provider_id, error=failure)
    return web.Response(status=503)
