"""A running gateway with embedded backends, and phones that use it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.support.phone import Phone, build_settings, run_gateway
from tests.support.sent_texts import check_listed, recorded_texts
from tests.support.sms_phone import SmsPhone, open_sms_phone


@pytest.fixture(autouse=True)
def sent_texts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every SMS of a conversation is in the list of texts to register, as what it is sent."""
    with recorded_texts(monkeypatch) as sent:
        yield
    check_listed(sent)


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[str]:
    """The URL of a running gateway."""
    async with run_gateway(build_settings(tmp_path)) as url:
        yield url


@pytest.fixture
async def phone(gateway: str) -> AsyncIterator[Phone]:
    """A phone without earlier calls, on a network that shows Latin letters only."""
    async with ClientSession() as http:
        yield Phone(http, gateway)


@pytest.fixture
async def sms_phone(gateway: str) -> AsyncIterator[SmsPhone]:
    """The same number, which sends SMS."""
    async with open_sms_phone(gateway) as sms_phone:
        yield sms_phone


@pytest.fixture
async def phone_on_every_backend(tmp_path: Path, redis_url: str, database_url: str) -> AsyncIterator[Phone]:
    """A phone at a gateway on each pair of backends in turn."""
    from db.migrate import upgrade

    await upgrade(database_url)
    settings = build_settings(tmp_path, REDIS__URL=redis_url, DATABASE__URL=database_url)
    async with run_gateway(settings) as url, ClientSession() as http:
        yield Phone(http, url)
