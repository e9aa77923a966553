"""A wire of the simulator that remembers what it was asked to send, and answers with the newest input."""

from collections.abc import Sequence

from aiohttp import web

from web.simulator.network import SimulatedNetwork
from web.simulator.wires import KeyPress, WireError, WireScreen

CODE = "acme-north"


class ScriptedWire:
    """A wire that remembers what it was asked to send, and answers with the newest input."""

    networks: Sequence[SimulatedNetwork] = (
        SimulatedNetwork(CODE, "Acme North", septets=140, replaced={"serviceCode": "*213#"}),
    )

    def __init__(self) -> None:
        self.presses: list[KeyPress] = []
        self.ended: list[KeyPress] = []

    async def press(self, network: str, press: KeyPress) -> WireScreen:
        assert network == CODE
        if press.text == "refused":
            raise WireError("HTTP 400: sessionId is missing.")
        self.presses.append(press)
        return WireScreen(f"You typed {press.text or 'nothing'}", ends=press.text == "9")

    async def hang_up(self, network: str, press: KeyPress) -> None:
        assert network == CODE
        self.ended.append(press)

    def routes(self) -> Sequence[web.RouteDef]:
        async def take(_: web.Request) -> web.Response:
            return web.Response(text="taken")

        return [web.post("/simulator/acme/send", take)]
