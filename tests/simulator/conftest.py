"""One Chromium for the tests of the page, and a fresh page on a scripted gateway for each."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import BrowserContext, ConsoleMessage, Page, ViewportSize

from tests.browser import chromium
from tests.simulator.scripted_gateway import Gateway, serving

DESK = ViewportSize(width=1280, height=800)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def window() -> AsyncIterator[BrowserContext]:
    """A window of this machine's browser. One is enough: every test's gateway has a port, and so a memory, of its own."""
    async with chromium() as browser:
        yield await browser.new_context(locale="en-GB")


@pytest_asyncio.fixture(loop_scope="module")
async def gateway() -> AsyncIterator[Gateway]:
    """A gateway with a script, and its simulator."""
    async with serving(heartbeat=0.2) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def page(window: BrowserContext, gateway: Gateway) -> AsyncIterator[Page]:
    """The phone's page, served and drawn; nothing may go wrong in it and nothing may be fetched from elsewhere."""
    wrong: list[str] = []
    shown = await window.new_page()
    await shown.set_viewport_size(DESK)
    shown.on("pageerror", lambda error: wrong.append(str(error)))
    shown.on("console", lambda message: wrong.append(complaint_of(message)))
    shown.on("request", lambda request: wrong.append("" if request.url.startswith(gateway.url) else request.url))
    await shown.goto(f"{gateway.url}/simulator")
    await shown.locator("#soft-left", has_text="Messages").wait_for()
    yield shown
    await shown.close()
    assert not list(filter(None, wrong))


def complaint_of(message: ConsoleMessage) -> str:
    """What a console message complains of; a request that the test let fail is no complaint."""
    expected = "Failed to load resource" in message.text
    return message.text if message.type in {"error", "warning"} and not expected else ""
