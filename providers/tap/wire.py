"""The simulator as a platform of hSenid TAP: it sends key presses, and the gateway pushes the screens to it.

An application is served where its `base_url` is the simulator's own address, `<gateway>/simulator/tap`.
"""

import asyncio
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from core.http.origins import is_loopback_host
from core.http.provider_webhooks import read_json
from core.http.webhooks import BadWebhookError
from providers.tap.applications import ADDRESS_SCHEME, Application, Applications
from providers.tap.dialects import API_VERSION
from providers.tap.ussd import ASCII_ENCODING, ENDS, GOES_ON, STARTS
from web.simulator.network import SimulatedNetwork
from web.simulator.wires import ANSWER_TIMEOUT, KeyPress, WireError, WireScreen

PLATFORM_PATH: Final = "/simulator/tap"
SUCCESS: Final = {"statusCode": "S1000", "statusDetail": "Success", "version": API_VERSION}
NO_SESSION: Final = {"statusCode": "E1312", "statusDetail": "Invalid request", "version": API_VERSION}


class TapWire:
    """Posts key presses to `/ussd/tap`, and takes the screens that are pushed to `/simulator/tap/ussd/send`."""

    def __init__(self, applications: Applications, *, screen_characters: int, token: str) -> None:
        self._applications = {f"tap-{one.name}": one for one in applications.list() if is_simulated(one)}
        self._token = token
        self._screens: dict[str, asyncio.Future[WireScreen]] = {}
        self.networks: Sequence[SimulatedNetwork] = tuple(
            SimulatedNetwork(
                code,
                one.dialect.operator,
                septets=screen_characters,
                units=screen_characters,
                replaced={"serviceCode": one.service_codes[0]},
            )
            for code, one in self._applications.items()
        )

    def routes(self) -> Sequence[web.RouteDef]:
        """Where the gateway pushes screens."""
        return [web.post(f"{PLATFORM_PATH}/ussd/send", self._take_screen)] if self._applications else ()

    async def press(self, network: str, press: KeyPress) -> WireScreen:
        """Send a key press, and wait for the screen.

        Raises:
            WireError: the gateway refuses it, or pushes no screen in time.
        """
        screen: asyncio.Future[WireScreen] = asyncio.get_running_loop().create_future()
        self._screens[press.session_id] = screen
        try:
            await self._post(press, self._build_request(self._applications[network], press))
            async with asyncio.timeout(ANSWER_TIMEOUT):
                return await screen
        except TimeoutError:
            raise WireError("no screen was pushed in time") from None
        finally:
            self._screens.pop(press.session_id, None)

    async def hang_up(self, network: str, press: KeyPress) -> None:
        """Do nothing: the platform tells nobody that a caller hung up."""

    def _build_request(self, application: Application, press: KeyPress) -> Mapping[str, str]:
        return {
            "version": API_VERSION,
            "applicationId": application.id,
            "sessionId": press.session_id,
            "ussdOperation": STARTS if press.starts_session else GOES_ON,
            "sourceAddress": f"{ADDRESS_SCHEME}{press.msisdn.removeprefix('+')}",
            "message": press.dial_string if press.starts_session else press.text,
            "requestId": f"{press.session_id}{press.number}",
            "encoding": ASCII_ENCODING,
        }

    async def _post(self, press: KeyPress, body: Mapping[str, str]) -> None:
        query = {"token": self._token} if self._token else {}
        try:
            async with (
                ClientSession(timeout=ClientTimeout(ANSWER_TIMEOUT)) as http,
                http.post(f"{press.gateway}/ussd/tap", params=query, json=body) as response,
            ):
                status = response.status
        except (ClientError, TimeoutError) as error:
            raise WireError(type(error).__name__) from None
        if status != HTTPStatus.OK:
            raise WireError(f"HTTP {status}")

    async def _take_screen(self, request: web.Request) -> web.Response:
        try:
            fields = await read_json(request)
        except BadWebhookError as bad:
            return bad.to_response()
        screen = self._screens.get(_text(fields, "sessionId"))
        if screen is None or screen.done():
            return web.json_response(NO_SESSION)
        screen.set_result(WireScreen(_text(fields, "message"), ends=fields.get("ussdOperation") == ENDS))
        return web.json_response(SUCCESS)


def is_simulated(application: Application) -> bool:
    """Whether the platform of an application is the simulator of a gateway on this machine."""
    address = urlsplit(application.base_url)
    return address.path == PLATFORM_PATH and is_loopback_host(address.hostname or "")


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""
