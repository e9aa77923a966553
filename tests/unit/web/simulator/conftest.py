"""One Chromium for the tests of the page, and a fresh page on a scripted gateway for each."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import BrowserContext, ConsoleMessage, Page, ViewportSize

from tests.support.browser import launch_chromium
from tests.support.scripted_gateway import ScriptedGateway, run_scripted_gateway

VIEWPORT = ViewportSize(width=1280, height=800)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser_context() -> AsyncIterator[BrowserContext]:
    """One browser for all tests: every gateway has its own port, and so its own storage."""
    async with launch_chromium() as browser:
        yield await browser.new_context(locale="en-GB")


@pytest_asyncio.fixture(loop_scope="module")
async def gateway() -> AsyncIterator[ScriptedGateway]:
    """A scripted gateway with its simulator."""
    async with run_scripted_gateway(heartbeat=0.2) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser_context: BrowserContext, gateway: ScriptedGateway) -> AsyncIterator[Page]:
    """The simulator's page. It may log no error and fetch nothing from another host."""
    wrong: list[str] = []
    shown = await browser_context.new_page()
    await shown.set_viewport_size(VIEWPORT)
    shown.on("pageerror", lambda error: wrong.append(str(error)))
    shown.on("console", lambda message: wrong.append(error_in(message)))
    shown.on("request", lambda request: wrong.append("" if request.url.startswith(gateway.url) else request.url))
    await shown.goto(f"{gateway.url}/simulator")
    await shown.locator("#soft-left", has_text="Messages").wait_for()
    yield shown
    await shown.close()
    assert not list(filter(None, wrong))


def error_in(message: ConsoleMessage) -> str:
    """The problem in a console message; requests that a test made fail are none."""
    expected = "Failed to load resource" in message.text
    return message.text if message.type in {"error", "warning"} and not expected else ""
