"""The phone's page, its files, and what it is told about the gateway it dials."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from aiohttp import web
from multidict import CIMultiDict

from web.simulator.inbox import Inbox, SmsFeed
from web.simulator.wallets import ROUTE, NoWallets, Wallets, answering

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

FOLDER = Path(__file__).parent
FILES = (
    "call.js",
    "display.js",
    "handset.js",
    "icon.svg",
    "measure.js",
    "panels.js",
    "phone.css",
    "phone.js",
    "ringing.js",
    "sim.js",
    "texting.js",
    "thread.js",
    "typing.js",
    "wire.js",
    "words.js",
)
HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-cache",  # kept, but asked about each time: a file that is edited shows at once
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
NAMES: Final[Mapping[str, str]] = {
    "47001": "Grameenphone",
    "47002": "Robi",
    "47003": "Banglalink",
    "47004": "Teletalk",
    "63902": "Safaricom",
    "63903": "Airtel Kenya",
    "63907": "Telkom Kenya",
    "63999": "Equitel",
    "99998": "Sandbox, Unicode",
    "99999": "Sandbox",
}
CALLBACKS = ("callback", "events", "inbound", "delivery", "voice")
SAMPLE_NUMBERS = ("+8801700000001", "+919000000001", "+254700000001")


@dataclass(frozen=True, slots=True)
class Network:
    """A network the phone can be on: how the gateway knows it, and what its screen holds, prefix included.

    One without a name of its own is called what people call it, or by its code.
    """

    code: str
    name: str = ""
    unicode: bool = False
    septets: int = 160
    units: int = 70  # UTF-16 units, where the screen needs UCS-2

    def as_json(self) -> dict[str, object]:
        """As `phone.json` has it."""
        return asdict(self) | {"name": self.name or NAMES.get(self.code, self.code)}


@dataclass(frozen=True, slots=True)
class PhoneSettings:
    """What the phone needs to know of the gateway; `token` is the callback token, empty where there is none."""

    service_code: str
    networks: tuple[Network, ...]
    sms_code: str = "123"
    missed_calls: Mapping[str, str] = field(default_factory=dict)  # a number to ring, and what comes of it
    languages: tuple[str, ...] = ("en", "bn", "hi")
    numbers: tuple[str, ...] = SAMPLE_NUMBERS
    callback: str = "/ussd/africastalking"
    events: str = "/ussd/africastalking/events"
    inbound: str = "/sms/africastalking"
    delivery: str = "/sms/africastalking/delivery"
    voice: str = "/voice/africastalking"
    token: str = ""
    hosts: frozenset[str] = frozenset()  # names, besides loopback ones, under which the phone may be addressed

    def as_json(self) -> dict[str, object]:
        """As `phone.json` has it: the callbacks carry the token, as the provider's do."""
        guard = f"?{urlencode({'token': self.token})}" if self.token else ""
        return {
            "serviceCode": self.service_code,
            "smsCode": self.sms_code,
            "missedCalls": [{"number": number, "action": action} for number, action in self.missed_calls.items()],
            "numbers": self.numbers,
            "networks": [network.as_json() for network in self.networks],
            "languages": self.languages,
            **{name: getattr(self, name) + guard for name in CALLBACKS},
        }


def add_routes(
    app: web.Application,
    phone: PhoneSettings,
    sms: SmsFeed,
    wallets: Wallets | None = None,
    *,
    heartbeat: float = 15.0,
) -> None:
    """Put the phone at `/simulator`; its streams end when the application shuts down."""
    wallets = wallets or NoWallets()
    inbox = Inbox(sms, wallets, heartbeat=heartbeat)
    pages: dict[str, Handler] = {
        "/simulator": _file("page.html"),
        "/simulator/phone.json": _settings(phone),
        "/simulator/sms": inbox.stream,
        **{f"/simulator/{name}": _file(name) for name in FILES},
    }
    app.add_routes([web.get(path, _only_here(page, phone.hosts)) for path, page in pages.items()])
    app.add_routes([web.post(ROUTE, _only_here(answering(wallets), phone.hosts))])
    app.on_shutdown.append(inbox.close)


def _file(name: str) -> Handler:
    async def serve(_: web.Request) -> web.StreamResponse:
        return web.FileResponse(FOLDER / name, headers=CIMultiDict(HEADERS))

    return serve


def _settings(phone: PhoneSettings) -> Handler:
    async def serve(_: web.Request) -> web.StreamResponse:
        return web.json_response(phone.as_json(), headers=CIMultiDict({**HEADERS, "Cache-Control": "no-store"}))

    return serve


def _only_here(serve: Handler, hosts: frozenset[str]) -> Handler:
    """Refuse a page of somebody else's whose name was made to point at this machine (DNS rebinding).

    The phone reads PINs and knows the callback token; the name in the address bar is what tells its own page from others.
    """

    async def guarded(request: web.Request) -> web.StreamResponse:
        host = request.url.host or ""
        if host in hosts or _is_loopback(host):
            return await serve(request)
        raise web.HTTPForbidden(
            text=f"The simulator is not served as {host}; open it as http://127.0.0.1 or localhost."
        )

    return guarded


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
