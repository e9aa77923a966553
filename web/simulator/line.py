"""One SIM card in one gateway's network: its number, the gateway's paths, and how the provider posts to them."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout

ANSWERS_WITHIN = ClientTimeout(10)  # seconds; the provider gives up on a gateway then
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True)
class Line:
    """Where what one SIM card does is posted: paths of the gateway, with the callback token where there is one."""

    callback: str
    events: str
    inbound: str
    delivery: str
    voice: str
    number: str
    network: str
    network_name: str
    service_code: str
    sms_code: str

    @classmethod
    def of(cls, phone: Mapping[str, Any], number: str, network: Mapping[str, Any]) -> "Line":
        """The line of `number` on a network of `phone`, the gateway's `phone.json`."""
        return cls(
            callback=phone["callback"],
            events=phone["events"],
            inbound=phone["inbound"],
            delivery=phone["delivery"],
            voice=phone["voice"],
            number=number,
            network=network["code"],
            network_name=network["name"],
            service_code=phone["serviceCode"],
            sms_code=phone["smsCode"],
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """What a callback was answered; status 0 where nobody answered, and `body` then says why."""

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def failure(self) -> str:
        """Why it is no answer, in a word or two."""
        return f"HTTP {self.status}" if self.status else self.body


def new_id(prefix: str) -> str:
    """As the provider's look: `ATUid_`, `ATXid_` or `ATVId_`, and 32 hexadecimal digits."""
    return f"{prefix}{secrets.token_hex(16)}"


def written(moment: datetime) -> str:
    """A moment as the provider writes it, `2026-01-02 03:04:05`; give it in UTC."""
    return f"{moment:%Y-%m-%d %H:%M:%S}"


async def post(
    http: ClientSession, path: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None
) -> Reply:
    """Post one callback in the provider's spelling and with its patience; raises nothing."""
    try:
        async with http.post(
            path, data=urlencode(form), headers={**FORM, **(headers or {})}, timeout=ANSWERS_WITHIN
        ) as answer:
            return await _read(answer)
    except (ClientError, TimeoutError) as error:
        return Reply(0, type(error).__name__)


async def _read(answer: ClientResponse) -> Reply:
    return Reply(answer.status, await answer.text(), answer.headers)
