"""The route by which M-Pesa tells what became of a request: whatever comes is acknowledged, kept, and never lost.

Nothing in a callback is signed. What it names a payment by stands in the address it is posted to, where nobody can guess it,
beside the token that every callback has.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias

import structlog
from aiohttp import web

from callbacks import BadCallback, Guard, octets
from failures import told
from services.payments.daraja import read_callback
from services.payments.port import Report

DARAJA: Final = "/payments/daraja"
KEY: Final = "[0-9A-Za-z_-]+"  # of a payment: what else is posted to was never an address of ours
ACCEPTED: Final = {"ResultCode": 0, "ResultDesc": "Accepted"}
TOO_LARGE: Final = web.HTTPRequestEntityTooLarge.status_code

Take: TypeAlias = Callable[[str, Report], Awaitable[object]]
"""A payment's key, and what became of it; None where no payment has this key."""
Keep: TypeAlias = Callable[[str, str, Mapping[str, str]], Awaitable[object]]
"""Keeps what could not be read: its route, why, and what it said."""

log = structlog.get_logger()


def routes(guard: Guard, take: Take, keep: Keep) -> list[web.RouteDef]:
    """The one route."""

    async def daraja(request: web.Request) -> web.Response:
        if (refusal := guard.refuse(request)) is not None:
            return refusal
        try:
            body = await octets(request)
        except BadCallback as bad:
            if bad.status == TOO_LARGE:
                return bad.answer()
            log.warning("callback did not arrive", route=DARAJA, line=bad.line)
            return web.Response(status=503)
        return await _tried(_taken(request.match_info["key"], body, take, keep))

    return [web.post(f"{DARAJA}/{{key:{KEY}}}", daraja)]


async def _taken(key: str, body: bytes, take: Take, keep: Keep) -> None:
    report = read_callback(body)
    if report is None:
        why = "A callback has a Body with a stkCallback in it."
        log.warning("callback not read", route=DARAJA, line=why)
        await keep(DARAJA, why, {"key": key, "body": body.decode(errors="replace")})
        return
    payment = await take(key, report)
    log.info("payment reported", payment=payment, outcome=report.outcome, reason=report.reason)


async def _tried(work: Awaitable[None]) -> web.Response:
    """Acknowledged; or 503, where only a repeat or our asking can mend it."""
    try:
        await work
    except Exception as error:  # noqa: BLE001 - whatever it is
        log.error("callback not kept", route=DARAJA, **told(error))
        return web.Response(status=503)
    return web.json_response(ACCEPTED)
