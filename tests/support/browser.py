"""Chromium for tests of pages."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest
from playwright.async_api import Browser, async_playwright

from tests.support.servers import CHROMIUM_VARIABLE, find_chromium

ARGUMENTS: Final = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@asynccontextmanager
async def launch_chromium() -> AsyncIterator[Browser]:
    """A Chromium for the block. Without one the test is skipped, or fails where CI=true."""
    path = find_chromium()
    if path is None:
        reason = f"there is no Chromium: install one, or name it in {CHROMIUM_VARIABLE}"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            await browser.close()
