"""A gateway with a script: it answers the paths it was told of, keeps what it was sent, and refuses anything odd."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from aiohttp import web

from sms.providers.sandbox import Sandbox
from web.simulator.routes import Network, PhoneSettings, add_routes

NUMBER = "+8801700000001"
HOP_FIELDS = ["phoneNumber", "serviceCode", "text", "sessionId", "networkCode"]
EVENT_FIELDS = [
    "durationInMillis", "phoneNumber", "errorMessage", "serviceCode", "lastAppResponse", "hopsMetadata", "hopsCount",
    "status", "sessionId", "cost", "date", "networkCode", "input",
]  # fmt: skip
SMS_FIELDS = ["linkId", "text", "to", "id", "date", "from", "networkCode"]
DELIVERY_FIELDS = ["phoneNumber", "retryCount", "id", "status", "networkCode"]
RING_FIELDS = [
    "callSessionState", "direction", "callerCountryCode", "callerNumber", "sessionId", "destinationNumber",
    "callerCarrierName", "callStartTime", "isActive",
]  # fmt: skip
RUNG_FIELDS = [*RING_FIELDS, "durationInSeconds", "amount", "status", "currencyCode"]
RING = {
    "callSessionState": "Ringing", "direction": "Inbound", "callerCountryCode": "880", "callerNumber": NUMBER,
    "callerCarrierName": "Grameenphone", "isActive": "1",
}  # fmt: skip
RUNG = {
    "callSessionState": "Completed", "isActive": "0", "durationInSeconds": "0", "amount": "0.000", "status": "Success",
    "currencyCode": "KES",
}  # fmt: skip
REJECT = '<?xml version="1.0" encoding="UTF-8"?><Response><Reject/></Response>'
LINK_NUMBER, MENU_NUMBER = "+8809600000001", "+8809600000002"
MENU = (
    "CON Ekdial\n1 Find a service\n2 Track application\n3 Documents\n4 Complain or suggest\n5 My account\n"
    "6 Get the app\n7 Help\n8 Language"
)
SCREENS = {
    "": "CON Ekdial: public services\n1 English\n2 Bangla\n3 Hindi",
    "1": MENU,
    "1*2": "CON Type the 12-digit tracking\nnumber\n0 Back",
    "1*5": "CON Type your name\n0 Back",
    "1*5*Amina Begum": "END Thank you,   Amina Begum.\n\nDial again.",
    "2": "CON একডায়াল\n1 সেবা খুঁজুন\n2 আবেদনের অবস্থা",
    "2*123456789012": "CON Birth certificate\n1234 5678 9012\nBeing checked, 21 Nov 2026\n1 Send me this by SMS\n0 Back",
    "2*123456789012*1": "END Sent.",
    "3": "Nothing a phone could show",
}
PHONE = PhoneSettings(
    service_code="*123#",
    networks=(Network("47001", "Grameenphone"), Network("99999", "Sandbox", unicode=True)),
    sms_code="123",
    missed_calls={LINK_NUMBER: "download_link", MENU_NUMBER: "call_back_menu"},
)


@dataclass(slots=True)
class Gateway:
    """What was said and sent; `held` keeps answers back until it is set.

    `sends` are the SMS that go out after a hop, after an SMS that came in, and after a ring, by what was typed or rung.
    """

    screens: Mapping[str, str]
    sms: Sandbox = field(default_factory=lambda: Sandbox(sender="123"))
    hops: list[dict[str, str]] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    brought: list[str | None] = field(default_factory=list)
    events: list[dict[str, str]] = field(default_factory=list)
    sends: dict[str, str] = field(default_factory=dict)
    received: list[dict[str, str]] = field(default_factory=list)
    reports: list[dict[str, str]] = field(default_factory=list)
    rings: list[dict[str, str]] = field(default_factory=list)
    takes_sms: bool = True
    ring_answer: str = REJECT
    held: asyncio.Event = field(default_factory=asyncio.Event)
    told: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    async def hop(self, request: web.Request) -> web.Response:
        """One key press."""
        form = await self._form(request, HOP_FIELDS)
        self.hops.append(form)
        self.brought.append(request.headers.get("at-ussd-hop-metadata"))
        await self.held.wait()
        if form["text"] in self.sends:
            await self.sms.send(form["phoneNumber"], self.sends[form["text"]])
        step = f"step {form['text'].count('*')}" if form["text"] else "welcome"
        return web.Response(text=self.screens[form["text"]], headers={"at-ussd-hop-metadata": step})

    async def event(self, request: web.Request) -> web.Response:
        """The end of a session."""
        self.events.append(await self._form(request, EVENT_FIELDS))
        self.told.set()
        return web.Response()

    async def inbound(self, request: web.Request) -> web.Response:
        """An SMS that the phone wrote; one that comes again is not answered again."""
        form = await self._form(request, SMS_FIELDS)
        known = form["id"] in {sms["id"] for sms in self.received}
        self.received.append(form)
        await self.held.wait()
        if not self.takes_sms:
            return web.Response(status=503)
        if form["text"] in self.sends and not known:
            await self.sms.send(form["from"], self.sends[form["text"]])
        self.told.set()
        return web.Response()

    async def delivery(self, request: web.Request) -> web.Response:
        """What became of an SMS that was sent."""
        self.reports.append(await self._form(request, DELIVERY_FIELDS))
        self.told.set()
        return web.Response()

    async def voice(self, request: web.Request) -> web.Response:
        """A call that rings, or has ended."""
        rings = "isActive=1" in await request.text()
        form = await self._form(request, RING_FIELDS if rings else RUNG_FIELDS)
        known = form["sessionId"] in {ring["sessionId"] for ring in self.rings}
        self.rings.append(form)
        await self.held.wait()
        if form["destinationNumber"] in self.sends and not known:
            await self.sms.send(form["callerNumber"], self.sends[form["destinationNumber"]])
        self.told.set()
        return web.Response(text=self.ring_answer, content_type="application/xml") if rings else web.Response()

    async def _form(self, request: web.Request, fields: list[str]) -> dict[str, str]:
        body = await request.text()
        if request.path.startswith("/ussd/"):
            self.bodies.append(body)
        pairs = parse_qsl(body, keep_blank_values=True, strict_parsing=True)
        assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
        assert [name for name, _ in pairs] == fields
        assert not re.search(r"[!'()*]| ", body), "the provider escapes these"
        return dict(pairs)


@asynccontextmanager
async def serving(
    *, screens: Mapping[str, str] = SCREENS, phone: PhoneSettings = PHONE, port: int = 0, heartbeat: float = 15.0
) -> AsyncIterator[Gateway]:
    """The scripted gateway and its simulator as they are in production: on a runner, which cancels no handler."""
    gateway = Gateway(screens)
    gateway.held.set()
    app = web.Application()
    app.add_routes(
        [
            web.post("/ussd/africastalking", gateway.hop),
            web.post("/ussd/africastalking/events", gateway.event),
            web.post("/sms/africastalking", gateway.inbound),
            web.post("/sms/africastalking/delivery", gateway.delivery),
            web.post("/voice/africastalking", gateway.voice),
        ]
    )
    add_routes(app, phone, gateway.sms, heartbeat=heartbeat)
    runner = web.AppRunner(app, handler_cancellation=False, shutdown_timeout=5.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    gateway.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield gateway
    finally:
        gateway.held.set()
        await runner.cleanup()
