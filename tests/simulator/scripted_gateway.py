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
)


@dataclass(slots=True)
class Gateway:
    """What was said and sent; `held` keeps answers back until it is set."""

    screens: Mapping[str, str]
    sms: Sandbox = field(default_factory=Sandbox)
    hops: list[dict[str, str]] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    brought: list[str | None] = field(default_factory=list)
    events: list[dict[str, str]] = field(default_factory=list)
    sends: dict[str, str] = field(default_factory=dict)
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

    async def _form(self, request: web.Request, fields: list[str]) -> dict[str, str]:
        body = await request.text()
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
        [web.post("/ussd/africastalking", gateway.hop), web.post("/ussd/africastalking/events", gateway.event)]
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
