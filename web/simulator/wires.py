"""Calls of the simulator over providers other than Africa's Talking.

The phone and the terminal speak Africa's Talking's form. A wire takes a key press in that form, sends it to the gateway in
the form of its provider, over HTTP as the provider does, and answers with the screen that the gateway gives to the provider.
"""

from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, NamedTuple, Protocol, runtime_checkable

from aiohttp import web

from core.http.webhooks import read_form
from web.simulator.network import SimulatedNetwork

WIRES_PATH: Final = "/simulator/wires"
MAX_CALLS: Final = 200  # calls whose last path is known; older ones are over
SEPARATOR: Final = "*"
ANSWER_TIMEOUT: Final = 10.0  # seconds until a wire gives up, as providers do

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class KeyPress(NamedTuple):
    """A key press on the simulated phone.

    `path` is everything typed in the session, and `text` what was typed now; both are empty for a dial of the short code.
    `number` counts the key presses from 1, and a repeat has the number of what it repeats. `gateway` is the address of the
    gateway.
    """

    gateway: str
    session_id: str
    msisdn: str
    service_code: str
    path: str
    text: str
    number: int

    @property
    def starts_session(self) -> bool:
        """Whether it dials."""
        return self.number == 1

    @property
    def dial_string(self) -> str:
        """What is dialled: `*123#`, or `*123*2*99#` for the path `2*99`."""
        return f"{self.service_code[:-1]}{SEPARATOR}{self.path}#" if self.path else self.service_code


class WireScreen(NamedTuple):
    """The screen that the gateway gave to the provider, and whether it ends the session."""

    text: str
    ends: bool


class WireError(Exception):
    """The gateway gave no screen; the message is one line that says why."""


class ProviderWire(Protocol):
    """How the phones of one provider reach the gateway."""

    @property
    def networks(self) -> Sequence[SimulatedNetwork]:
        """The networks of the simulator that use this provider. Their codes are unlike those of other wires."""

    async def press(self, network: str, press: KeyPress) -> WireScreen:
        """Send a key press from a phone on the network with this code.

        Raises:
            WireError: the gateway refuses it, or gives no screen in time.
        """

    async def hang_up(self, network: str, press: KeyPress) -> None:
        """Tell the gateway that the caller ended the session after `press`, where the provider tells that."""

    def routes(self) -> Sequence[web.RouteDef]:
        """What the gateway calls at the provider, such as the address to which it pushes screens."""


@runtime_checkable
class ListeningWire(ProviderWire, Protocol):
    """A wire that needs more than the routes of the gateway."""

    def connections(self) -> AbstractAsyncContextManager[None]:
        """Everything else that it listens on, open for the block."""


class _Call(NamedTuple):
    """The last key press of a call."""

    press: KeyPress
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class WireCalls:
    """The calls over all wires, by the code of the network."""

    wires: Mapping[str, ProviderWire]
    _calls: "OrderedDict[str, _Call]" = field(default_factory=OrderedDict)

    async def handle_key_press(self, request: web.Request) -> web.StreamResponse:
        """Answer a key press in the form of Africa's Talking."""
        wire, form = self._find_wire(request), await read_form(request)
        press = self._read_press(request, form)
        try:
            screen = await wire.press(request.match_info["network"], press)
        except WireError as error:
            return web.Response(status=HTTPStatus.BAD_GATEWAY, text=str(error))
        self._remember(_Call(press, is_over=screen.ends))
        return web.Response(text=f"{'END' if screen.ends else 'CON'} {screen.text}")

    async def handle_end(self, request: web.Request) -> web.StreamResponse:
        """Tell the provider's gateway that the caller hung up."""
        wire, form = self._find_wire(request), await read_form(request)
        call = self._calls.pop(form.get("sessionId", ""), None)
        if call is not None and not call.is_over:
            await wire.hang_up(request.match_info["network"], call.press)
        return web.Response()

    def _find_wire(self, request: web.Request) -> ProviderWire:
        wire = self.wires.get(request.match_info["network"])
        if wire is None:
            raise web.HTTPNotFound(text=f"There is no such network; there are {', '.join(self.wires) or 'none'}.")
        return wire

    def _read_press(self, request: web.Request, form: Mapping[str, str]) -> KeyPress:
        path, call = form.get("text", ""), self._calls.get(form.get("sessionId", ""))
        text, number = _split_newest(path, call.press if call else None)
        return KeyPress(
            gateway=f"{request.scheme}://{request.host}",
            session_id=form.get("sessionId", ""),
            msisdn=form.get("phoneNumber", ""),
            service_code=form.get("serviceCode", ""),
            path=path,
            text=text,
            number=number,
        )

    def _remember(self, call: _Call) -> None:
        self._calls[call.press.session_id] = call
        self._calls.move_to_end(call.press.session_id)
        if len(self._calls) > MAX_CALLS:
            self._calls.popitem(last=False)


def _split_newest(path: str, last: KeyPress | None) -> tuple[str, int]:
    """What was typed after the last key press, and the number of this one."""
    if last is None:
        return path, 1
    if path == last.path:
        return last.text, last.number
    return path.removeprefix(last.path).removeprefix(SEPARATOR) if last.path else path, last.number + 1


def wire_paths(network: str) -> Mapping[str, str]:
    """The paths of `phone.json` that a network on a wire has instead of those of Africa's Talking."""
    return {"callback": f"{WIRES_PATH}/{network}", "events": f"{WIRES_PATH}/{network}/events"}


def build_wire_routes(wires: Sequence[ProviderWire], guard: Callable[[Handler], Handler]) -> list[web.RouteDef]:
    """The routes of all wires, which the phone and the gateway call, behind `guard`."""
    calls = WireCalls({network.code: wire for wire in wires for network in wire.networks})
    routes = [
        web.post(f"{WIRES_PATH}/{{network}}", calls.handle_key_press),
        web.post(f"{WIRES_PATH}/{{network}}/events", calls.handle_end),
        *(route for wire in wires for route in wire.routes()),
    ]
    return [web.RouteDef(route.method, route.path, guard(route.handler), route.kwargs) for route in routes]


async def keep_listening(wires: Sequence[ProviderWire]) -> AsyncIterator[None]:
    """Keep open what the wires listen on until the application ends."""
    async with AsyncExitStack() as stack:
        for wire in wires:
            if isinstance(wire, ListeningWire):
                await stack.enter_async_context(wire.connections())
        yield
