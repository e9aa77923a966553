"""One USSD call, on the wire as Africa's Talking puts it there."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Literal

from aiohttp import ClientSession

from web.simulator.line import Line, Reply, new_id, post, written

HOP_METADATA = "at-ussd-hop-metadata"  # what an answer says here comes back with the next request

Status = Literal["Success", "Incomplete", "Failed"]


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of a hop; `text` is the screen without its prefix, or says why there is none."""

    kind: Literal["CON", "END", "failed"]
    text: str


@dataclass(slots=True)
class Call:
    """A call to be dialled once and answered until it ends; whoever leaves it earlier hangs up."""

    http: ClientSession
    line: Line
    session_id: str = field(default_factory=lambda: new_id("ATUid_"))
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    begun: float = field(default_factory=time.monotonic)
    path: str = ""
    hops: int = 0
    labels: list[str] = field(default_factory=list)
    last_response: str = ""
    echo: str = ""
    over: bool = False

    async def dial(self, beyond: str = "") -> Heard:
        """Dial; `beyond` is what stands past the short code in a deep dial."""
        self.path = beyond
        return await self._hop()

    async def answer(self, typed: str) -> Heard:
        """Send one answer."""
        self.path = f"{self.path}*{typed}" if self.path else typed
        return await self._hop()

    async def hang_up(self) -> None:
        """End a call that still waits for an answer; nothing happens to one that is over."""
        await self._finish("Incomplete")

    async def _hop(self) -> Heard:
        self.hops += 1
        heard = _heard(await self._request())
        if heard.kind != "CON":
            await self._finish("Success" if heard.kind == "END" else "Failed", heard)
        return heard

    async def _request(self) -> Reply:
        brought = {HOP_METADATA: self.echo} if self.echo else {}
        reply = await post(self.http, self.line.callback, self._request_form(), brought)
        if reply.status:
            self.last_response = reply.body
            self.echo = reply.headers.get(HOP_METADATA, "")
            self.labels += [self.echo] if self.echo else []
        return reply

    async def _finish(self, status: Status, heard: Heard | None = None) -> None:
        if self.over:
            return
        self.over = True
        why = heard.text if heard and heard.kind == "failed" else ""
        await post(self.http, self.line.events, self._event_form(status, why))  # the provider's is a best effort too

    def _request_form(self) -> dict[str, str]:
        return {
            "phoneNumber": self.line.number,
            "serviceCode": self.line.service_code,
            "text": self.path,
            "sessionId": self.session_id,
            "networkCode": self.line.network,
        }

    def _event_form(self, status: Status, why: str) -> dict[str, str]:
        return {
            "durationInMillis": str(round((time.monotonic() - self.begun) * 1000)),
            "phoneNumber": self.line.number,
            "errorMessage": why,
            "serviceCode": self.line.service_code,
            "lastAppResponse": self.last_response,
            "hopsMetadata": "|".join(self.labels),
            "hopsCount": str(self.hops),
            "status": status,
            "sessionId": self.session_id,
            "cost": "0.00",
            "date": written(self.now()),
            "networkCode": self.line.network,
            "input": self.path,
        }


def beyond(dialled: str, service_code: str) -> str | None:
    """`*123*2*123456789012#` under the short code `*123#` → `2*123456789012`; None when it is no code of ours."""
    if dialled == service_code:
        return ""
    stem = service_code.removesuffix("#") + "*"
    return dialled[len(stem) : -1] if dialled.startswith(stem) and dialled.endswith("#") else None


def _heard(reply: Reply) -> Heard:
    prefix, _, text = reply.body.partition(" ")
    if reply.status == HTTPStatus.OK and prefix in ("CON", "END"):
        return Heard("CON" if prefix == "CON" else "END", text)
    return Heard("failed", reply.failure)
