"""A gateway that runs and a phone that calls it, on the embedded defaults unless a test says otherwise."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.phone import Phone, running, settings_for


@pytest.fixture
async def phone(tmp_path: Path) -> AsyncIterator[Phone]:
    """A phone that has never called before."""
    async with running(settings_for(tmp_path)) as url, ClientSession() as http:
        yield Phone(http, url)


@pytest.fixture
async def anywhere(tmp_path: Path, redis_url: str, database_url: str) -> AsyncIterator[Phone]:
    """The same on every store and every database in turn, the tables made as an operator makes them."""
    from services.records.migrate import upgrade

    await upgrade(database_url)
    settings = settings_for(tmp_path, REDIS__URL=redis_url, DATABASE__URL=database_url)
    async with running(settings) as url, ClientSession() as http:
        yield Phone(http, url)
