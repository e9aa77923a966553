"""The routes of the simulator: its page, its files, and `phone.json` with the facts about the gateway."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from aiohttp import web
from multidict import CIMultiDict

from core.http.fast_router import DRAIN
from core.http.origins import is_cross_site, is_local_request
from core.languages import LANGUAGE_CODES
from web.simulator.inbox import InboxStream, SmsFeed
from web.simulator.network import SimulatedNetwork
from web.simulator.sample_numbers import SAMPLE_NUMBERS
from web.simulator.wallets import WALLET_PATH, NoWallets, SimulatedWallets, build_answer_handler
from web.simulator.wires import ProviderWire, build_wire_routes, keep_listening, wire_paths
from web.simulator.words_loader import build_texts_module

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PAGE_PATH: Final = "/simulator"
STATIC_DIR = Path(__file__).parent
STATIC_FILES = (
    "call.js",
    "display.js",
    "fonts.js",
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
    "Cache-Control": "no-cache",  # revalidated each time, so that an edited file shows at once
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
WEBHOOK_FIELDS = ("callback", "events", "inbound", "delivery", "voice")
SAMPLE_MSISDNS = ("+8801700000001", "+919000000001", "+254700000001")


@dataclass(frozen=True, slots=True)
class SimulatorSettings:
    """The facts about the gateway; `token` is the webhook token, empty if there is none."""

    service_code: str
    networks: tuple[SimulatedNetwork, ...]
    sms_code: str = "123"
    missed_calls: Mapping[str, str] = field(default_factory=dict)  # number → action
    languages: tuple[str, ...] = LANGUAGE_CODES
    msisdns: tuple[str, ...] = SAMPLE_MSISDNS
    callback: str = "/ussd/africastalking"
    events: str = "/ussd/africastalking/events"
    inbound: str = "/sms/africastalking"
    delivery: str = "/sms/africastalking/delivery"
    voice: str = "/voice/africastalking"
    token: str = ""

    def to_json(self) -> dict[str, object]:
        """The members of `phone.json`. The webhook paths carry the token, like the provider's."""
        guard = f"?{urlencode({'token': self.token})}" if self.token else ""
        return {
            "serviceCode": self.service_code,
            "smsCode": self.sms_code,
            "missedCalls": [{"number": number, "action": action} for number, action in self.missed_calls.items()],
            "numbers": self.msisdns,
            "networks": [network.to_json() for network in self.networks],
            "languages": self.languages,
            "samples": [sample._asdict() for sample in SAMPLE_NUMBERS],
            **{name: getattr(self, name) + guard for name in WEBHOOK_FIELDS},
        }


def add_routes(
    app: web.Application,
    settings: SimulatorSettings,
    sms: SmsFeed,
    wallets: SimulatedWallets | None = None,
    *,
    wires: Sequence[ProviderWire] = (),
    heartbeat: float = 15.0,
) -> None:
    """Serve the simulator at `/simulator`, where `/` leads to, with the networks of `wires` beside its own.

    Its streams end when the server drains or the application shuts down.
    """
    wallets = wallets or NoWallets()
    inbox = InboxStream(sms, wallets, heartbeat=heartbeat)
    pages: dict[str, Handler] = {
        "/": _redirect_to_page,
        PAGE_PATH: _serve_file("page.html"),
        "/simulator/phone.json": _serve_settings(_with_wires(settings, wires)),
        "/simulator/sms": inbox.stream,
        "/simulator/texts.js": _serve_texts,
        **{f"/simulator/{name}": _serve_file(name) for name in STATIC_FILES},
    }
    app.add_routes([web.get(path, _require_local(page)) for path, page in pages.items()])
    app.add_routes(build_wire_routes(wires, _require_local))
    app.cleanup_ctx.append(lambda _: keep_listening(wires))
    app.add_routes([web.post(WALLET_PATH, _require_local(build_answer_handler(wallets)))])
    app.on_shutdown.append(inbox.close)
    if DRAIN in app:
        app[DRAIN].on_start.append(inbox.end)


def _with_wires(settings: SimulatorSettings, wires: Sequence[ProviderWire]) -> SimulatorSettings:
    """The settings with the networks of the wires, whose key presses go to the simulator itself."""
    reached = (
        replace(network, replaced={**network.replaced, **wire_paths(network.code)})
        for wire in wires
        for network in wire.networks
    )
    return replace(settings, networks=(*settings.networks, *reached))


async def _redirect_to_page(_: web.Request) -> web.StreamResponse:
    return web.Response(status=HTTPStatus.FOUND, headers={"Location": PAGE_PATH, **HEADERS})


def _serve_file(name: str) -> Handler:
    async def serve(_: web.Request) -> web.StreamResponse:
        return web.FileResponse(STATIC_DIR / name, headers=CIMultiDict(HEADERS))

    return serve


async def _serve_texts(_: web.Request) -> web.StreamResponse:
    return web.Response(body=build_texts_module(), content_type="text/javascript", headers=CIMultiDict(HEADERS))


def _serve_settings(settings: SimulatorSettings) -> Handler:
    async def serve(_: web.Request) -> web.StreamResponse:
        return web.json_response(settings.to_json(), headers=CIMultiDict({**HEADERS, "Cache-Control": "no-store"}))

    return serve


def _require_local(serve: Handler) -> Handler:
    """Serve the people at this machine only, and no page of another site; that may link here.

    The page reads PINs and SMS, and knows the webhook token. A proxy on this machine sends requests of others from a
    loopback address, and a name that leads here can be anybody's (DNS rebinding).

    Raises:
        web.HTTPForbidden: the request is another machine's or another site's.
    """

    async def check_origin(request: web.Request) -> web.StreamResponse:
        is_link = request.method == "GET" and request.headers.get("Sec-Fetch-Mode") == "navigate"
        if is_local_request(request) and (is_link or not is_cross_site(request)):
            return await serve(request)
        raise web.HTTPForbidden(
            text="The simulator is for this machine only; open it as http://127.0.0.1 or localhost, without a proxy."
        )

    return check_origin
