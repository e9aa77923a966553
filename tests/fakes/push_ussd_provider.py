"""A USSD provider of the second shape: JSON, the newest input only, screens pushed to it in requests of their own.

No provider of this shape is built in. The fake shows that the interface fits one, and is a model for an adapter.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Mapping
from itertools import count
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
        for name in ("session", "sequence", "msisdn", "input", "type"):
            if name not in fields:
                raise BadWebhookError(400, f"{name} is missing.")
        caller = read_msisdn(fields["msisdn"]) if isinstance(fields["msisdn"], str) else ""
        if not caller or not isinstance(fields["session"], str) or not isinstance(fields["input"], str):
            raise BadWebhookError(400, "msisdn, session or input is not what it should be.")
        return UssdInput(
            session_id=fields["session"],
            message_id=str(fields["sequence"])[:64],
            caller=caller,
            text=fields["input"],
            starts_session=fields["type"] == "begin",
            budget=self._config.default_budget,
            caller_number_verified=self._config.caller_number_verified,
        )

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
    """The provider's side: takes pushed screens, by session, and posts a phone's key presses to the gateway."""

    def __init__(self) -> None:
        self.screens: dict[str, asyncio.Queue[Mapping[str, Any]]] = defaultdict(asyncio.Queue)
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
        screen = await request.json()
        self.screens[screen["session"]].put_nowait(screen)
        return web.Response(status=self.push_status)


class PushPhone:
    """A phone on that provider's network: dials and types, and waits for each pushed screen."""

    def __init__(
        self,
        http: ClientSession,
        gateway_url: str,
        server: PushUssdServer,
        budget: ScreenBudget,
        msisdn: str = MSISDN,
        *,
        token: str = "",
    ) -> None:
        self._http = http
        self._url = f"{gateway_url}/ussd/{PushUssd.name}"
        self._server = server
        self._budget = budget
        self._calls = count(1)
        self._session = "s1"
        self._token = token
        self.msisdn = msisdn
        self.ended = False
        self.posted: list[Mapping[str, Any]] = []

    async def dial(self) -> str:
        """The first screen of a new session."""
        self._session, self.posted = f"s{next(self._calls)}-{self.msisdn}", []
        return await self._send("begin", "")

    async def enter(self, *texts: str) -> str:
        """The screen that follows some inputs, each a webhook."""
        screen = ""
        for text in texts:
            screen = await self._send("continue", text)
        return screen

    async def repeat(self, position: int = -1) -> str:
        """The screen that is pushed where the provider repeats one of its webhooks of this call, by default the newest."""
        return await self._post_webhook(self.posted[position])

    async def post(self, body: bytes, path: str = "") -> tuple[int, str]:
        """The status and the body of the response to exactly this webhook."""
        guard = {"token": self._token} if self._token else {}
        async with self._http.post(f"{self._url}{path}", data=body, params=guard) as response:
            return response.status, await response.text()

    async def _send(self, kind: str, text: str) -> str:
        sequence = len(self.posted) + 1
        webhook = {
            "session": self._session,
            "sequence": sequence,
            "msisdn": self.msisdn,
            "input": text,
            "type": kind,
        }
        self.posted.append(webhook)
        return await self._post_webhook(webhook)

    async def _post_webhook(self, webhook: Mapping[str, Any]) -> str:
        assert await self.post(json.dumps(webhook).encode()) == (200, '{"accepted": true}')
        async with asyncio.timeout(10):
            screen = await self._server.screens[self._session].get()
        self.ended = screen["end"]
        assert self._budget.fits(screen["text"])
        return screen["text"]
