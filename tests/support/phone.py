"""A phone for tests. It dials, presses keys and hangs up on a running gateway, in the captured form of the provider.

With `--network=tap` or `--network=smpp` it is on another network; see `tests.support.networks`.
"""

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import ClientSession, web

from app.admin import add_admin_server
from app.runner import build_app, build_runner
from app.settings import load_settings
from config.settings import Settings
from tests.support.databases import migrated_sqlite_url
from tests.support.networks import SELECTED, RemotePhone
from tests.support.startup_cache import equal_inputs_read_once
from web.simulator.terminal_inbox import open_inbox

ROOT = Path(__file__).parents[2]
MSISDN = "+8801700000001"
WEBHOOK_TOKEN = "a-webhook-token-for-tests-that-is-long-enough"
PUBLIC_SETTINGS = {
    "SERVER__PUBLIC_URL": "https://ekdial.example",
    "WEBHOOKS__TOKENS": WEBHOOK_TOKEN,
    "WEBHOOKS__TRUSTED_PROXIES": '["127.0.0.1"]',
}
"""What a gateway must have that others can reach, beside its secret."""
UNREACHABLE_REDIS_URL = "redis://127.0.0.1:1"


def build_settings(tmp_path: Path, **environment: str) -> Settings:
    """The defaults of config.toml with all data under `tmp_path`; others as `REDIS__URL="…"`."""
    given = {"SERVER__DATA_DIR": str(tmp_path), **SELECTED.settings(), **environment}
    if "DATABASE__URL" not in given:
        given["DATABASE__URL"] = migrated_sqlite_url(tmp_path / "ekdial.db")
    given.setdefault("KEYS__SECRET", "a secret for tests that is long enough")
    return load_settings(ROOT / "config.toml", {f"EKDIAL_{key}": value for key, value in given.items()})


@asynccontextmanager
async def run_gateway(settings: Settings, listener: socket.socket | None = None) -> AsyncIterator[str]:
    """The URL of a gateway that listens for the block; `admin_url` has that of its admin server.

    It listens on `listener`, whose port the settings may name, else on a free port.
    """
    async with SELECTED.running() as side:
        with equal_inputs_read_once():
            app = await build_app(settings)
            admin_listener = socket.create_server(("127.0.0.1", 0))
            add_admin_server(app, admin_listener)
            runner = build_runner(app)
            await runner.setup()
        url = ""
        try:
            await web.SockSite(runner, listener or socket.create_server(("127.0.0.1", 0))).start()
            url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            _APPS[url] = app
            _ADMIN_URLS[url] = f"http://127.0.0.1:{admin_listener.getsockname()[1]}"
            async with SELECTED.bound(side):
                yield url
        finally:
            _ADMIN_URLS.pop(url, None)
            _APPS.pop(url, None)
            await runner.cleanup()


_ADMIN_URLS: dict[str, str] = {}
_APPS: dict[str, web.Application] = {}


def running_app(url: str) -> web.Application:
    """The application of the gateway that `run_gateway` runs at `url`."""
    return _APPS[url]


def admin_url(url: str) -> str:
    """The URL of the admin server of the gateway that `run_gateway` runs at `url`."""
    return _ADMIN_URLS[url]


async def read_metrics(http: ClientSession, url: str) -> str:
    """The metrics of the gateway that `run_gateway` runs at `url`."""
    async with http.get(f"{admin_url(url)}/metrics") as response:
        assert response.status == 200
        return await response.text()


class Phone:
    """One handset on a network. Africa's Talking posts webhooks with `token`, and echoes our hop metadata."""

    def __init__(
        self, http: ClientSession, url: str, msisdn: str = MSISDN, *, network: str = "99999", token: str = ""
    ) -> None:
        self.http = http
        self.url = url
        self.msisdn = msisdn
        self.network = network
        self.token = token
        self.echoes_metadata = True
        self.session_id = ""
        self.service_code = "*123#"
        self.path = ""
        self.echoed_metadata = ""
        self.ended = False
        self._remote: RemotePhone | None = None
        self._shown = ""

    async def dial(self, service_code: str = "*123#") -> str:
        """Start a call; the first screen."""
        self.session_id, self.service_code, self.path, self.echoed_metadata = (
            f"ATUid_{secrets.token_hex(16)}",
            service_code,
            "",
            "",
        )
        self._remote = SELECTED.open_phone(self)
        if self._remote is not None:
            return self._read(self._remote, await self._remote.dial(service_code))
        return await self.resend()

    async def redial(self) -> str:
        """Start a call, and start again where the gateway offers to resume; the first screen."""
        screen = await self.dial()
        return await self.enter("2") if "Start again" in screen else screen

    async def enter(self, *answers: str) -> str:
        """Press keys or type answers, each as one request; the last screen."""
        screen = ""
        for answer in answers:
            assert not self.ended, f"the call ended before {answer!r}"
            self.path = f"{self.path}*{answer}" if self.path else answer
            if self._remote is None:
                screen = await self.resend()
            else:
                screen = self._read(self._remote, await self._remote.enter(answer))
        return screen

    def _read(self, remote: RemotePhone, screen: str) -> str:
        self.ended, self._shown = remote.ended, screen
        return screen

    async def resend(self) -> str:
        """Send the last request again, as a provider does that has no response; the screen."""
        if self._remote is not None:
            self._shown = await SELECTED.repeat(self._remote) or self._shown
            return self._shown
        form = {
            "phoneNumber": self.msisdn,
            "serviceCode": self.service_code,
            "text": self.path,
            "sessionId": self.session_id,
            "networkCode": self.network,
        }
        body = await self.post_form(form)
        kind, _, screen = body.partition(" ")
        assert kind in {"CON", "END"}, body
        self.ended = kind == "END"
        return screen

    async def post_form(self, form: Mapping[str, str]) -> str:
        """Post this form; the body of the response."""
        headers = (
            {"at-ussd-hop-metadata": self.echoed_metadata} if self.echoed_metadata and self.echoes_metadata else {}
        )
        guard = {"token": self.token} if self.token else {}
        url = f"{self.url}/ussd/africastalking"
        async with self.http.post(url, params=guard, data=form, headers=headers) as response:
            assert response.status == 200, await response.text()
            self.echoed_metadata = response.headers.get("at-ussd-hop-metadata", "")
            return await response.text()

    async def wait_for_sms(self, containing: str = "") -> str:
        """The newest SMS in the inbox of this phone that contains the text; it waits up to 10 seconds."""
        async with ClientSession(self.url) as http, open_inbox(http, self.msisdn, lambda _: None) as inbox:
            async with asyncio.timeout(10):
                while True:
                    for message in reversed(inbox.messages):
                        if containing in message.text:
                            return message.text
                    await asyncio.sleep(0.02)
