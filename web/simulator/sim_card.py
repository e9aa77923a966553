"""A simulated SIM card: its number, the gateway's webhook paths, and how the provider posts to them."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout

WEBHOOK_TIMEOUT = ClientTimeout(10)  # seconds, like the provider
FORM_HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True)
class SimCard:
    """A number on a network, and the gateway's webhook paths, with the token if there is one."""

    ussd_path: str
    ussd_events_path: str
    sms_path: str
    delivery_path: str
    voice_path: str
    msisdn: str
    network_code: str
    network_name: str
    service_code: str
    sms_code: str

    @classmethod
    def from_phone_json(cls, phone: Mapping[str, Any], msisdn: str, network: Mapping[str, Any]) -> "SimCard":
        """The SIM card of `msisdn` on a network of the gateway's `phone.json`."""
        line = {**phone, **network}  # a network on another wire has paths and a short code of its own
        return cls(
            ussd_path=line["callback"],
            ussd_events_path=line["events"],
            sms_path=line["inbound"],
            delivery_path=line["delivery"],
            voice_path=line["voice"],
            msisdn=msisdn,
            network_code=network["code"],
            network_name=network["name"],
            service_code=line["serviceCode"],
            sms_code=line["smsCode"],
        )


@dataclass(frozen=True, slots=True)
class WebhookResponse:
    """The response to a webhook. Without a response, status is 0 and `body` holds the reason."""

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def failure(self) -> str:
        """The reason of a failure, in a word or two."""
        return f"HTTP {self.status}" if self.status else self.body


def new_id(prefix: str) -> str:
    """An id in the provider's form: `ATUid_`, `ATXid_` or `ATVId_`, and 32 hexadecimal digits."""
    return f"{prefix}{secrets.token_hex(16)}"


def format_timestamp(moment: datetime) -> str:
    """A time in UTC in the provider's form: `2026-01-02 03:04:05`."""
    return f"{moment:%Y-%m-%d %H:%M:%S}"


async def post_webhook(
    http: ClientSession, path: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None
) -> WebhookResponse:
    """Post one webhook with the provider's encoding and timeout. Nothing is raised."""
    try:
        async with http.post(
            path, data=urlencode(form), headers={**FORM_HEADERS, **(headers or {})}, timeout=WEBHOOK_TIMEOUT
        ) as answer:
            return await _read_response(answer)
    except (ClientError, TimeoutError) as error:
        return WebhookResponse(0, type(error).__name__)


async def _read_response(response: ClientResponse) -> WebhookResponse:
    return WebhookResponse(response.status, await response.text(), response.headers)
