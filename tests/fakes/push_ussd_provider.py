"""A USSD provider of the second shape: JSON, the newest input only, screens pushed to it in requests of their own.

No provider of this shape is built in. The fake shows that the interface fits one, and is a model for an adapter.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Self

from aiohttp import ClientSession, ClientTimeout, web

from core.http.provider_webhooks import Fields, WebhookReply, read_msisdn
from core.http.webhooks import BadWebhookError
from menus.rendering.paging import ScreenBudget
from providers.entry import ProviderEntry
from sessions.path_turns import UssdReply
from ussd.provider import AnyUssdRequest, ShortCodeConfig, UssdEndEvent, UssdInput

MSISDN = "+8801700000001"


class PushUssd:
    """The adapter: what a module in `providers/` would hold."""

    name = "pushing"
    body_format = "json"

    def __init__(self, push_url: str, config: ShortCodeConfig) -> None:
        self._push_url = push_url
        self._config = config

    def parse_request(self, fields: Fields, _: Mapping[str, str]) -> UssdInput:
        try:
            return UssdInput(
                session_id=fields["session"],
                message_id=str(fields["sequence"]),
                caller=read_msisdn(fields["msisdn"]),
                text=fields["input"],
                starts_session=fields["type"] == "begin",
                budget=self._config.budget_for(fields.get("network", "")),
                caller_number_verified=self._config.caller_number_verified,
            )
        except KeyError as missing:
            raise BadWebhookError(400, f"{missing.args[0]} is missing.") from None

    def parse_end_event(self, fields: Fields) -> UssdEndEvent:
        return UssdEndEvent(fields.get("sessionId", ""), fields.get("status", "other"), 0, 0, has_error=False)

    def render_acknowledgement(self) -> WebhookReply:
        return WebhookReply('{"accepted": true}', content_type="application/json")

    async def push_reply(self, request: AnyUssdRequest, reply: UssdReply) -> None:
        screen = {"session": request.session_id, "text": reply.reply.text, "end": reply.reply.ends}
        async with (
            ClientSession(timeout=ClientTimeout(total=5)) as http,
            http.post(self._push_url, json=screen) as response,
        ):
            response.raise_for_status()


class PushUssdServer:
    """The provider's side: takes pushed screens, and posts a phone's key presses to the gateway."""

    def __init__(self) -> None:
        self.screens: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
        self.push_status = 200

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/push", self._handle_push)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/push"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def entry(self) -> ProviderEntry:
        """The row of the registry."""
        return ProviderEntry(name=PushUssd.name, build_ussd=lambda _, config: PushUssd(self.url, config))

    async def _handle_push(self, request: web.Request) -> web.Response:
        self.screens.put_nowait(await request.json())
        return web.Response(status=self.push_status)


class PushPhone:
    """A phone on that provider's network: dials and types, and waits for each pushed screen."""

    def __init__(self, http: ClientSession, gateway_url: str, server: PushUssdServer, budget: ScreenBudget) -> None:
        self._http = http
        self._url = f"{gateway_url}/ussd/{PushUssd.name}"
        self._server = server
        self._budget = budget
        self._sequence = 0
        self.ended = False

    async def dial(self) -> str:
        """The first screen of a new session."""
        return await self._send("begin", "")

    async def enter(self, text: str) -> str:
        """The screen that follows one input."""
        return await self._send("continue", text)

    async def repeat(self, text: str) -> str:
        """The screen that is pushed where the provider repeats its newest webhook."""
        self._sequence -= 1
        return await self._send("continue", text)

    async def post(self, body: bytes) -> tuple[int, str]:
        """The status and the body of the response to exactly this webhook."""
        async with self._http.post(self._url, data=body) as response:
            return response.status, await response.text()

    async def _send(self, kind: str, text: str) -> str:
        self._sequence += 1
        webhook = {"session": "s1", "sequence": self._sequence, "msisdn": MSISDN, "input": text, "type": kind}
        assert await self.post(json.dumps(webhook).encode()) == (200, '{"accepted": true}')
        async with asyncio.timeout(10):
            screen = await self._server.screens.get()
        self.ended = screen["end"]
        assert self._budget.fits(screen["text"])
        return screen["text"]
