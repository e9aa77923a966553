"""A gateway that runs on the embedded defaults, for the conversations that stand for the rows of PRODUCT.md."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.phone import Phone, running, settings_for
from tests.texting import Texter, texter


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[str]:
    """Its address."""
    async with running(settings_for(tmp_path)) as url:
        yield url


@pytest.fixture
async def phone(gateway: str) -> AsyncIterator[Phone]:
    """A phone that has never called before, on a network that shows Latin letters alone."""
    async with ClientSession() as http:
        yield Phone(http, gateway)


@pytest.fixture
async def handset(gateway: str) -> AsyncIterator[Texter]:
    """The same number, writing SMS."""
    async with texter(gateway) as handset:
        yield handset
