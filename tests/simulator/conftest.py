"""One Chromium for the tests of the page, and a fresh page on a scripted gateway for each."""

import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, ConsoleMessage, Page, ViewportSize, async_playwright

from tests.servers import find_chromium
from tests.simulator.scripted_gateway import Gateway, serving

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
DESK = ViewportSize(width=1280, height=800)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[BrowserContext]:
    """A window of this machine's browser, which is closed when the module is through, whatever happened.

    One is enough: every test's gateway has a port, and so a memory in the browser, of its own.
    """
    path = find_chromium()
    if path is None:
        reason = "there is no Chromium: install one, or name it in EKDIAL_TEST_CHROMIUM"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield await browser.new_context(locale="en-GB")
        finally:
            await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def gateway() -> AsyncIterator[Gateway]:
    """A gateway with a script, and its simulator."""
    async with serving(heartbeat=0.2) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def page(chromium: BrowserContext, gateway: Gateway) -> AsyncIterator[Page]:
    """The phone's page, served and drawn; nothing may go wrong in it and nothing may be fetched from elsewhere."""
    wrong: list[str] = []
    shown = await chromium.new_page()
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
