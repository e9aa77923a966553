"""One USSD session in Africa's Talking's wire format."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Literal

from aiohttp import ClientSession

from web.simulator.sim_card import SimCard, WebhookResponse, format_timestamp, new_id, post_webhook

HOP_METADATA = "at-ussd-hop-metadata"  # a response sets it, and the next request returns it

CallStatus = Literal["Success", "Incomplete", "Failed"]


@dataclass(frozen=True, slots=True)
class UssdResponse:
    """The response to a key press; `text` is the screen without its prefix, or the reason of a failure."""

    kind: Literal["CON", "END", "failed"]
    text: str


@dataclass(slots=True)
class SimulatedCall:
    """A session: dial once, send inputs until it ends, or hang up."""

    http: ClientSession
    sim_card: SimCard
    session_id: str = field(default_factory=lambda: new_id("ATUid_"))
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    started_at: float = field(default_factory=time.monotonic)
    path: str = ""
    hop_count: int = 0
    hop_labels: list[str] = field(default_factory=list)
    last_response: str = ""
    echoed_metadata: str = ""
    is_over: bool = False

    async def dial(self, deep_path: str = "") -> UssdResponse:
        """Dial; `deep_path` is the part of a deep dial past the short code."""
        self.path = deep_path
        return await self._send_request()

    async def send_input(self, text: str) -> UssdResponse:
        """Send one input."""
        self.path = f"{self.path}*{text}" if self.path else text
        return await self._send_request()

    async def end(self) -> None:
        """End the session if it still waits for an input."""
        await self._finish("Incomplete")

    async def _send_request(self) -> UssdResponse:
        self.hop_count += 1
        response = _parse_response(await self._post_request())
        if response.kind != "CON":
            await self._finish("Success" if response.kind == "END" else "Failed", response)
        return response

    async def _post_request(self) -> WebhookResponse:
        headers = {HOP_METADATA: self.echoed_metadata} if self.echoed_metadata else {}
        reply = await post_webhook(self.http, self.sim_card.ussd_path, self._request_form(), headers)
        if reply.status:
            self.last_response = reply.body
            self.echoed_metadata = reply.headers.get(HOP_METADATA, "")
            self.hop_labels += [self.echoed_metadata] if self.echoed_metadata else []
        return reply

    async def _finish(self, status: CallStatus, response: UssdResponse | None = None) -> None:
        if self.is_over:
            return
        self.is_over = True
        why = response.text if response and response.kind == "failed" else ""
        await post_webhook(
            self.http, self.sim_card.ussd_events_path, self._event_form(status, why)
        )  # a best effort, like the provider's

    def _request_form(self) -> dict[str, str]:
        return {
            "phoneNumber": self.sim_card.msisdn,
            "serviceCode": self.sim_card.service_code,
            "text": self.path,
            "sessionId": self.session_id,
            "networkCode": self.sim_card.network_code,
        }

    def _event_form(self, status: CallStatus, error: str) -> dict[str, str]:
        return {
            "durationInMillis": str(round((time.monotonic() - self.started_at) * 1000)),
            "phoneNumber": self.sim_card.msisdn,
            "errorMessage": error,
            "serviceCode": self.sim_card.service_code,
            "lastAppResponse": self.last_response,
            "hopsMetadata": "|".join(self.hop_labels),
            "hopsCount": str(self.hop_count),
            "status": status,
            "sessionId": self.session_id,
            "cost": "0.00",
            "date": format_timestamp(self.clock()),
            "networkCode": self.sim_card.network_code,
            "input": self.path,
        }


def parse_deep_dial(dial_string: str, service_code: str) -> str | None:
    """`*123*2*123456789012#` under the short code `*123#` → `2*123456789012`; None for another code."""
    if dial_string == service_code:
        return ""
    stem = service_code.removesuffix("#") + "*"
    return dial_string[len(stem) : -1] if dial_string.startswith(stem) and dial_string.endswith("#") else None


def _parse_response(webhook_response: WebhookResponse) -> UssdResponse:
    prefix, _, text = webhook_response.body.partition(" ")
    if webhook_response.status == HTTPStatus.OK and prefix in ("CON", "END"):
        return UssdResponse("CON" if prefix == "CON" else "END", text)
    return UssdResponse("failed", webhook_response.failure)
