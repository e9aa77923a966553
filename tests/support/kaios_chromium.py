"""A KaiOS phone in Chromium: 240 by 320 pixels, and keys alone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import ClientSession
from playwright.async_api import Browser, CDPSession, Page, ViewportSize

from web.simulator.terminal_inbox import open_inbox

SIZE: Final = ViewportSize(width=240, height=320)
PRESS_SOFT_KEY: Final = """
key => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}))
"""


class KeypadPhone:
    """The keys of a phone whose browser shows the page."""

    def __init__(self, page: Page, keys: CDPSession, url: str) -> None:
        self.page = page
        self.url = url
        self._keys = keys

    async def open(self) -> None:
        """Open the page, as the phone's menu of apps does."""
        await self.page.goto(f"{self.url}/kaios?lang=en")

    async def press(self, *keys: str) -> None:
        """Press keys, named as in `KeyboardEvent.key`: `SoftLeft`, `Enter`, `5`. A digit writes where a field has the focus."""
        for key in keys:
            if key.startswith("Soft"):  # Chromium knows these keys of no keyboard
                await self.page.evaluate(PRESS_SOFT_KEY, key)
                continue
            text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
            code = {"Enter": 13, "Backspace": 8}.get(key, 0)
            await self._keys.send(
                "Input.dispatchKeyEvent", {"type": "keyDown", "key": key, "windowsVirtualKeyCode": code, **text}
            )
            await self._keys.send(
                "Input.dispatchKeyEvent", {"type": "keyUp", "key": key, "windowsVirtualKeyCode": code}
            )

    async def press_to(self, text: str, *keys: str) -> None:
        """Press keys, and wait until the page says `text`."""
        await self.press(*keys)
        await self.wait_for(text)

    async def wait_for(self, text: str) -> None:
        """Wait until the page says `text`."""
        await self.page.get_by_text(text).locator("visible=true").first.wait_for()

    async def enter(self, *answers: str) -> None:
        """Type answers one after the other, each with Enter, and wait for the next page each time."""
        for answer in answers:
            before = await self._read_turn()
            await self.page.keyboard.type(answer)
            await self.press("Enter")
            await self.page.wait_for_function(
                "before => document.querySelector('input[name=turn]').value !== before", arg=before
            )

    async def _read_turn(self) -> str | None:
        return await self.page.get_attribute("input[name=turn]", "value")

    async def sign_in(self, msisdn: str) -> None:
        """Sign in with the code that arrives at the simulated phone with this number."""
        await self.open()
        await self.press(*msisdn.removeprefix("+88"))
        async with ClientSession(self.url) as http, open_inbox(http, msisdn, lambda _: None) as inbox:
            await self.press_to("A 6-digit code", "Enter")
            code = await inbox.wait_for_number("code")
        assert code
        await self.press(*code, "Enter")
        await self.page.wait_for_selector("[data-idle]")


@asynccontextmanager
async def open_keypad_phone(browser: Browser, url: str) -> AsyncIterator[KeypadPhone]:
    """A phone whose clock a test may move. An error in the script fails the test."""
    context = await browser.new_context(viewport=SIZE)
    errors: list[str] = []
    try:
        page = await context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        await page.clock.install()
        yield KeypadPhone(page, await context.new_cdp_session(page), url)
    finally:
        await context.close()
    assert errors == []
