"""A phone for tests: it dials, types and hangs up on a running gateway in the provider's captured wire form."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import ClientSession, web

import server
from configured import read
from settings import Settings
from tests.migrated import sqlite_file
from web.simulator.received import inbox_of

ROOT = Path(__file__).parents[1]
NUMBER = "+8801700000001"
NOBODY_LISTENS_HERE = "redis://127.0.0.1:1"


def settings_for(tmp_path: Path, **environment: str) -> Settings:
    """The defaults of config.toml with everything kept under `tmp_path`; more as `REDIS__URL="…"`."""
    given = {"SERVER__VAR": str(tmp_path), **environment}
    if "DATABASE__URL" not in given:
        given["DATABASE__URL"] = sqlite_file(tmp_path / "ekdial.db")
    given.setdefault("KEYS__SECRET", "a secret for tests that is long enough")
    return read(ROOT / "config.toml", {f"EKDIAL_{key}": value for key, value in given.items()})


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[str]:
    """The address of a gateway that really listens."""
    runner = server.straight(await server.application(settings))
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


class Phone:
    """One handset. `echoes`: its provider brings our hop metadata back, as documented."""

    def __init__(self, http: ClientSession, url: str, number: str = NUMBER, *, network: str = "99999") -> None:
        self.http = http
        self.url = url
        self.number = number
        self.network = network
        self.echoes = True
        self.session = ""
        self.code = "*123#"
        self.text = ""
        self.brought = ""
        self.ended = False

    async def dials(self, code: str = "*123#") -> str:
        """A new call; the first screen."""
        self.session, self.code, self.text, self.brought = f"ATUid_{secrets.token_hex(16)}", code, "", ""
        return await self.again()

    async def redials(self) -> str:
        """A new call that starts again where the gateway offers to go on."""
        screen = await self.dials()
        return await self.types("2") if "Start again" in screen else screen

    async def types(self, *answers: str) -> str:
        """One or more key presses; the last screen."""
        screen = ""
        for answer in answers:
            assert not self.ended, f"the call ended before {answer!r}"
            self.text = f"{self.text}*{answer}" if self.text else answer
            screen = await self.again()
        return screen

    async def again(self) -> str:
        """The newest callback once more, as a provider that is unsure would send it."""
        form = {
            "phoneNumber": self.number,
            "serviceCode": self.code,
            "text": self.text,
            "sessionId": self.session,
            "networkCode": self.network,
        }
        body = await self.posts(form)
        kind, _, screen = body.partition(" ")
        assert kind in {"CON", "END"}, body
        self.ended = kind == "END"
        return screen

    async def posts(self, form: Mapping[str, str]) -> str:
        """Exactly this form."""
        headers = {"at-ussd-hop-metadata": self.brought} if self.brought and self.echoes else {}
        async with self.http.post(f"{self.url}/ussd/africastalking", data=form, headers=headers) as response:
            assert response.status == 200, await response.text()
            self.brought = response.headers.get("at-ussd-hop-metadata", "")
            return await response.text()

    async def sms(self, containing: str = "") -> str:
        """The newest SMS in this phone's inbox that contains this; it is awaited for a few seconds."""
        async with ClientSession(self.url) as http, inbox_of(http, self.number, lambda _: None) as inbox:
            async with asyncio.timeout(10):
                while True:
                    for message in reversed(inbox.messages):
                        if containing in message.text:
                            return message.text
                    await asyncio.sleep(0.02)
