"""A scripted gateway: it responds to planned paths, records requests, and rejects malformed ones."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from aiohttp import web

from providers.sandbox.sms import SandboxSmsProvider
from services.messaging.models import OutgoingMessage
from web.simulator.network import SimulatedNetwork
from web.simulator.routes import SimulatorSettings, add_routes
from web.simulator.wires import ProviderWire

MSISDN = "+8801700000001"
HOP_FIELDS = ["phoneNumber", "serviceCode", "text", "sessionId", "networkCode"]
EVENT_FIELDS = [
    "durationInMillis", "phoneNumber", "errorMessage", "serviceCode", "lastAppResponse", "hopsMetadata", "hopsCount",
    "status", "sessionId", "cost", "date", "networkCode", "input",
]  # fmt: skip
SMS_FIELDS = ["linkId", "text", "to", "id", "date", "from", "networkCode"]
DELIVERY_FIELDS = ["phoneNumber", "retryCount", "id", "status", "networkCode"]
RINGING_CALL_FIELDS = [
    "callSessionState", "direction", "callerCountryCode", "callerNumber", "sessionId", "destinationNumber",
    "callerCarrierName", "callStartTime", "isActive",
]  # fmt: skip
ENDED_CALL_FIELDS = [*RINGING_CALL_FIELDS, "durationInSeconds", "amount", "status", "currencyCode"]
RINGING_FORM = {
    "callSessionState": "Ringing", "direction": "Inbound", "callerCountryCode": "880", "callerNumber": MSISDN,
    "callerCarrierName": "Grameenphone", "isActive": "1",
}  # fmt: skip
ENDED_FORM = {
    "callSessionState": "Completed", "isActive": "0", "durationInSeconds": "0", "amount": "0.000", "status": "Success",
    "currencyCode": "KES",
}  # fmt: skip
REJECT = '<?xml version="1.0" encoding="UTF-8"?><Response><Reject/></Response>'
LINK_NUMBER, MENU_NUMBER = "+8809600000001", "+8809600000002"
MENU = (
    "CON Ekdial\n1 Find a service\n2 Track application\n3 Documents\n4 Complain or suggest\n5 My account\n"
    "6 Get the app\n7 Help\n8 Language\n9 Pay a bill"
)
SCREENS = {
    "": "CON Ekdial: public services\n1 English\n2 Bangla\n3 Hindi",
    "1": MENU,
    "1*2": "CON Type the 12-digit tracking\nnumber\n0 Back",
    "1*5": "CON Type your name\n0 Back",
    "1*5*Amina Begum": "END Thank you,   Amina Begum.\n\nDial again.",
    "2": "CON একডায়াল\n1 সেবা খুঁজুন\n2 আবেদনের অবস্থা",
    "2*123456789012": "CON Birth certificate\n1234 5678 9012\nBeing checked, 21 Nov 2026\n1 Send this by SMS\n0 Back",
    "2*123456789012*1": "END Sent.",
    "3": "Nothing a phone could show",
}
PHONE = SimulatorSettings(
    service_code="*123#",
    networks=(SimulatedNetwork("47001", "Grameenphone"), SimulatedNetwork("99999", "Sandbox", unicode=True)),
    sms_code="123",
    missed_calls={LINK_NUMBER: "download_link", MENU_NUMBER: "call_back_menu"},
)


@dataclass(slots=True)
class ScriptedGateway:
    """The planned screens and the recorded requests.

    `sms_provider` maps an input, an SMS or a called number to the SMS that it causes.
    """

    screens: Mapping[str, str]
    sms: SandboxSmsProvider = field(default_factory=lambda: SandboxSmsProvider(sender="123"))
    hops: list[dict[str, str]] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    hop_metadata: list[str | None] = field(default_factory=list)
    events: list[dict[str, str]] = field(default_factory=list)
    sms_provider: dict[str, str] = field(default_factory=dict)
    received_sms: list[dict[str, str]] = field(default_factory=list)
    reports: list[dict[str, str]] = field(default_factory=list)
    received_calls: list[dict[str, str]] = field(default_factory=list)
    takes_sms: bool = True
    ring_answer: str = REJECT
    release: asyncio.Event = field(default_factory=asyncio.Event)
    received_events: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    async def deliver(self, to: str, text: str) -> None:
        """Put an SMS into the inbox of a number."""
        await self.sms.send(OutgoingMessage(to, text))

    async def respond_to_ussd(self, request: web.Request) -> web.Response:
        """Handle a key press."""
        form = await self._form(request, HOP_FIELDS)
        self.hops.append(form)
        self.hop_metadata.append(request.headers.get("at-ussd-hop-metadata"))
        await self.release.wait()
        if form["text"] in self.sms_provider:
            await self.deliver(form["phoneNumber"], self.sms_provider[form["text"]])
        step = f"step {form['text'].count('*')}" if form["text"] else "welcome"
        return web.Response(text=self.screens[form["text"]], headers={"at-ussd-hop-metadata": step})

    async def event(self, request: web.Request) -> web.Response:
        """Handle the end of a session."""
        self.events.append(await self._form(request, EVENT_FIELDS))
        self.received_events.set()
        return web.Response()

    async def inbound(self, request: web.Request) -> web.Response:
        """Handle an inbound SMS; a repeated one gets no second reply."""
        form = await self._form(request, SMS_FIELDS)
        known = form["id"] in {sms["id"] for sms in self.received_sms}
        self.received_sms.append(form)
        await self.release.wait()
        if not self.takes_sms:
            return web.Response(status=503)
        if form["text"] in self.sms_provider and not known:
            await self.deliver(form["from"], self.sms_provider[form["text"]])
        self.received_events.set()
        return web.Response()

    async def delivery(self, request: web.Request) -> web.Response:
        """Handle a delivery report."""
        self.reports.append(await self._form(request, DELIVERY_FIELDS))
        self.received_events.set()
        return web.Response()

    async def voice(self, request: web.Request) -> web.Response:
        """Handle a voice webhook."""
        rings = "isActive=1" in await request.text()
        form = await self._form(request, RINGING_CALL_FIELDS if rings else ENDED_CALL_FIELDS)
        known = form["sessionId"] in {ring["sessionId"] for ring in self.received_calls}
        self.received_calls.append(form)
        await self.release.wait()
        if form["destinationNumber"] in self.sms_provider and not known:
            await self.deliver(form["callerNumber"], self.sms_provider[form["destinationNumber"]])
        self.received_events.set()
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
async def run_scripted_gateway(
    *,
    screens: Mapping[str, str] = SCREENS,
    phone: SimulatorSettings = PHONE,
    wires: Sequence[ProviderWire] = (),
    port: int = 0,
    heartbeat: float = 15.0,
) -> AsyncIterator[ScriptedGateway]:
    """Run the scripted gateway and its simulator on a runner, which cancels no handler, like in production."""
    gateway = ScriptedGateway(screens)
    gateway.release.set()
    app = web.Application()
    app.add_routes(
        [
            web.post("/ussd/africastalking", gateway.respond_to_ussd),
            web.post("/ussd/africastalking/events", gateway.event),
            web.post("/sms/africastalking", gateway.inbound),
            web.post("/sms/africastalking/delivery", gateway.delivery),
            web.post("/voice/africastalking", gateway.voice),
        ]
    )
    add_routes(app, phone, gateway.sms, wires=wires, heartbeat=heartbeat)
    runner = web.AppRunner(app, handler_cancellation=False, shutdown_timeout=5.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    gateway.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield gateway
    finally:
        gateway.release.set()
        await runner.cleanup()
