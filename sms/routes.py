"""The routes by which Africa's Talking hands over an SMS, tells what became of one, and who wants none."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NamedTuple, TypeAlias

import structlog
from aiohttp import web

from callbacks import MOST, BadCallback, Guard, form
from failures import told
from services.messages import Report
from sms.providers.africastalking import read_optout, read_report

INBOUND = "/sms/africastalking"
DELIVERY, OPTOUT = f"{INBOUND}/delivery", f"{INBOUND}/optout"

TOO_LARGE: Final = web.HTTPRequestEntityTooLarge.status_code
SEGMENTS, UNITS, ESCAPED = 255, 67, 9  # of one SMS; of a segment; octets of a unit, as %E0%A6%95 writes three in UTF-8
LONGEST_SMS: Final = SEGMENTS * UNITS * ESCAPED + MOST  # octets of a body: no network carries a longer text

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.Response]]
Form: TypeAlias = Mapping[str, str]

log = structlog.get_logger()


class Kept(NamedTuple):
    """What is done with that which can be read, and with that which cannot: route, why, and its fields.

    `sms` reads for itself, and says False where it cannot.
    """

    report: Callable[[Report], Awaitable[object]]
    optout: Callable[[str], Awaitable[object]]
    sms: Callable[[Form], Awaitable[bool]]
    unread: Callable[[str, str, Form], Awaitable[object]]


class Unreadable(Exception):
    """A form in which something is missing; its text says what would be right and quotes nothing."""


def routes(guard: Guard, kept: Kept) -> list[web.RouteDef]:
    """All three; what is posted to them is taken in the order and as often as it comes."""

    async def report(fields: Form) -> None:
        read = read_report(fields)
        if read is None:
            raise Unreadable("A delivery report has an id and a status that is one word.")
        facts = {"id": read.provider_id, "delivery": read.delivery, "word": read.word, "reason": read.reason}
        log.info("delivery report", noted_with=await kept.report(read), **facts)

    async def optout(fields: Form) -> None:
        number = read_optout(fields)
        if number is None:
            raise Unreadable("An opt-out has a phoneNumber in the form +254700000001.")
        await kept.optout(number)
        log.info("opt-out by the provider")

    async def inbound(fields: Form) -> None:
        if not await kept.sms(fields):
            raise Unreadable("An SMS has a from and a text.")

    return [
        web.post(INBOUND, _acknowledged(INBOUND, guard, inbound, kept, LONGEST_SMS)),
        web.post(DELIVERY, _acknowledged(DELIVERY, guard, report, kept)),
        web.post(OPTOUT, _acknowledged(OPTOUT, guard, optout, kept)),
    ]


def _acknowledged(
    route: str, guard: Guard, take: Callable[[Form], Awaitable[None]], kept: Kept, most: int = MOST
) -> Handler:
    """200 for whatever came, that the provider stop repeating it; 503 for what only a repeat can save; 413 for a flood.

    What did not arrive whole is lost if it is not asked for again: nobody knows what it said, or who wrote it.
    """

    async def handle(request: web.Request) -> web.Response:
        if (refusal := guard.refuse(request)) is not None:
            return refusal
        try:
            fields = await form(request, most)
        except BadCallback as bad:
            if not _arrived(request, bad):
                log.warning("callback did not arrive", route=route, line=bad.line)
                return web.Response(status=503)
            if bad.status == TOO_LARGE and route != INBOUND:
                return bad.answer()
            return await _tried(route, _unread(route, bad.line, {}, kept))
        return await _tried(route, _taken(route, fields, take, kept))

    return handle


def _arrived(request: web.Request, bad: BadCallback) -> bool:
    """Whether all of a body came, or more than we read; not what stayed out, or broke off."""
    return bad.status != web.HTTPRequestTimeout.status_code and request.content.exception() is None


async def _taken(route: str, fields: Form, take: Callable[[Form], Awaitable[None]], kept: Kept) -> None:
    try:
        await take(fields)
    except Unreadable as unreadable:
        await _unread(route, str(unreadable), fields, kept)


async def _unread(route: str, why: str, fields: Form, kept: Kept) -> None:
    log.warning("callback not read", route=route, line=why)
    await kept.unread(route, why, fields)


async def _tried(route: str, work: Awaitable[None]) -> web.Response:
    try:
        await work
    except Exception as error:  # noqa: BLE001 - whatever it is, only a repeat can mend it
        log.error("callback not kept", route=route, **told(error))
        return web.Response(status=503)
    return web.Response()
