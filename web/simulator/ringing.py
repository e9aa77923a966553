"""A voice call that is hoped to be rejected, on the wire as Africa's Talking puts it there."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

import phonenumbers
from aiohttp import ClientSession

from web.simulator.line import Line, Reply, new_id, post, written

ENDED = {"durationInSeconds": "0", "amount": "0.000", "status": "Success", "currencyCode": "KES"}

_rejects = re.compile(r"\s*(<\?xml[^>]*\?>)?\s*<Response>\s*<Reject\s*/>\s*</Response>\s*").fullmatch


@dataclass(frozen=True, slots=True)
class Rung:
    """What came of a ring: `why` says what came where it was not rejected, and `answered` whether anything did."""

    rejected: bool
    answered: bool
    why: str = ""


async def ring(http: ClientSession, line: Line, to: str) -> Rung:
    """Ring `to` until the gateway rejects the call or does something else, and tell it that the call is over."""
    form = {
        "callSessionState": "Ringing",
        "direction": "Inbound",
        "callerCountryCode": country_code(line.number),
        "callerNumber": line.number,
        "sessionId": new_id("ATVId_"),
        "destinationNumber": to,
        "callerCarrierName": line.network_name,
        "callStartTime": written(datetime.now(UTC)),
        "isActive": "1",
    }
    try:
        return _rung(await post(http, line.voice, form))
    finally:
        await post(http, line.voice, form | {"callSessionState": "Completed", "isActive": "0"} | ENDED)


def rung(dialled: str, numbers: Iterable[str]) -> str | None:
    """Which of `numbers` was dialled, with `+`, with `00` or with neither; None when it is none of them."""
    plain = re.sub(r"\D", "", dialled).removeprefix("00")
    return next((number for number in numbers if re.sub(r"\D", "", number) == plain), None)


def country_code(number: str) -> str:
    """`+8801700000001` → `880`; `-1`, as the provider has it, for what begins with no country's code."""
    try:
        return str(phonenumbers.parse(number).country_code)
    except phonenumbers.NumberParseException:
        return "-1"


def _rung(reply: Reply) -> Rung:
    rejected = reply.status == HTTPStatus.OK and _rejects(reply.body) is not None
    return Rung(rejected, bool(reply.status), "" if rejected else reply.failure)
