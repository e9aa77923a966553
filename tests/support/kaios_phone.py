"""Browsers at the KaiOS page: one without scripts that speaks HTTP, and a phone for the conversations of other networks."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import ClientSession, DummyCookieJar
from lxml import html

from web.kaios.routes import COOKIE
from web.simulator.terminal_inbox import open_inbox

CODE = re.compile(r"\b\d{6}\b")


@dataclass
class KaiosBrowser:
    """A browser without scripts: it presses the buttons of the page that it shows, and follows redirects."""

    http: ClientSession
    url: str
    token: str = ""
    status: int = 0
    path: str = ""
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    posted: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    sent_headers: Mapping[str, str] = field(default_factory=dict)

    async def open(self, path: str = "/kaios") -> Self:
        """Load a page."""
        return await self._request("GET", path, None)

    async def post(self, path: str, fields: Mapping[str, str]) -> Self:
        """Send a form."""
        self.posted.append((path, fields))
        return await self._request("POST", path, fields)

    async def repeat(self, position: int = -1) -> Self:
        """Send one of the posted forms again."""
        return await self._request("POST", *self.posted[position])

    async def press(self, button: str, **typed: str) -> Self:
        """Press the button with this text, after typing into the fields of its form."""
        found = [one for one in self.page.iter("button") if _read(one).casefold() == button.casefold()]
        assert found, f"no button {button!r} on: {self.text}"
        form = next(one for one in found[0].iterancestors("form"))
        fields = {one.get("name"): one.get("value", "") for one in form.iter("input")} | typed
        if name := found[0].get("name"):
            fields[name] = found[0].get("value", "")
        return await self.post(form.get("action"), fields)

    async def enter(self, *texts: str) -> Self:
        """Type into the field of a page of the menus, and press OK, once for each text."""
        for text in texts:
            await self.post("/kaios/press", self.read_fields("/kaios/press") | {"text": text})
        return self

    def read_fields(self, action: str) -> Mapping[str, str]:
        """The fields of the form of the page that posts to `action`."""
        form = next(one for one in self.page.iter("form") if one.get("action") == action)
        return {one.get("name"): one.get("value", "") for one in form.iter("input")}

    async def ask_code(self, msisdn: str) -> str:
        """Ask for a code; the one that arrives at the simulated phone with this number."""
        async with ClientSession(self.url) as http, open_inbox(http, msisdn, lambda _: None) as inbox:
            before = {one.id for one in inbox.messages}
            await self.press("Send me a code by SMS", number=msisdn)
            async with asyncio.timeout(10):
                while True:
                    for message in reversed(inbox.messages):
                        if message.id not in before and "code (OTP)" in message.text:
                            return CODE.search(message.text)[0]
                    await asyncio.sleep(0.02)

    async def sign_in(self, msisdn: str) -> Self:
        """Sign in with a code."""
        await self.open("/kaios?lang=en")
        code = await self.ask_code(msisdn)
        return await self.press("Sign in", secret=code)

    async def sign_in_with_pin(self, msisdn: str, pin: str) -> Self:
        """Sign in with a PIN."""
        await self.open("/kaios?lang=en")
        await self.press("Use my PIN", number=msisdn)
        return await self.press("Sign in", secret=pin)

    @property
    def page(self) -> Any:
        """The document."""
        return html.fromstring(self.body)

    @property
    def text(self) -> str:
        """What a person reads on the page, without what only scripts show."""
        main = self.page.get_element_by_id("main")
        for hidden in main.xpath(".//*[@hidden]"):
            hidden.drop_tree()
        return " ".join(main.text_content().split())

    @property
    def screen(self) -> str:
        """The page of the menus as other networks show it: a line for each line, option and way."""
        main = self.page.get_element_by_id("main")
        lines = [_read(one) for one in main.xpath(".//div[contains(@class, 'text')]/p")]
        buttons = [one for one in main.iter("button") if one.get("name") == "key"]
        keys = [f"{one.get('value')} {_read(one).removeprefix(one.get('value')).strip()}" for one in buttons]
        return "\n".join([*lines, *(one for one in keys if not one.startswith("00 "))])

    @property
    def is_over(self) -> bool:
        """Whether the conversation is over: the page has no field."""
        return self.page.find(".//*[@id='text']") is None

    @property
    def is_signed_in(self) -> bool:
        """Whether the page is one of the menus."""
        return "/kaios/press" in self.body

    async def _request(self, method: str, path: str, fields: Mapping[str, str] | None) -> Self:
        cookies = {"Cookie": f"{COOKIE}={self.token}"} if self.token else {}
        sent = self.http.request(
            method, self.url + path, data=fields, headers={**self.sent_headers, **cookies}, allow_redirects=False
        )
        async with sent as response:
            self.status, self.body, self.path = response.status, await response.text(), path
            self.headers = response.headers
            if COOKIE in response.cookies:
                self.token = response.cookies[COOKIE].value
        return await self.open(self.headers["Location"]) if self.status == 303 else self


def _read(element: Any) -> str:
    return " ".join(element.text_content().split())


def open_kaios_http() -> ClientSession:
    """A client that keeps no cookies: each browser has its own."""
    return ClientSession(cookie_jar=DummyCookieJar())


class KaiosPhone:
    """A phone for `tests.support.networks`: dialling is signing in with a code."""

    def __init__(self, http: ClientSession, url: str, msisdn: str) -> None:
        self.browser = KaiosBrowser(http, url)
        self.msisdn = msisdn
        self.ended = False

    async def dial(self, service_code: str = "*123#") -> str:
        """Sign in; the first page, after the keys that are dialled past the short code."""
        await self.browser.sign_in(self.msisdn)
        keys = service_code.removeprefix("*123").strip("*#")
        return await self.enter(*keys.split("*")) if keys else self._read()

    async def enter(self, *answers: str) -> str:
        """Press keys or type answers; the last page."""
        for answer in answers:
            await self.browser.enter(answer)
        return self._read()

    async def repeat(self) -> str:
        """Send the last form again; the page."""
        await self.browser.repeat()
        return self._read()

    def _read(self) -> str:
        self.ended = self.browser.is_over
        return self.browser.screen
