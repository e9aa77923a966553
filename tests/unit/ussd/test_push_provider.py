"""A provider that sends the newest input only and wants screens pushed is served through the same interface."""

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import pytest
from aiohttp import ClientSession
from structlog.testing import capture_logs

from menus.rendering.paging import ScreenBudget
from providers.registry import PROVIDERS
from tests.fakes.push_ussd_provider import PushPhone, PushUssdServer
from tests.support.phone import Phone, build_settings, run_gateway
from tests.support.sms_phone import wait_until

TOKEN = "a token of thirty-two characters"


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PushUssdServer]:
    async with PushUssdServer() as server:
        entry = server.entry()
        monkeypatch.setattr("providers.registry.PROVIDERS", {**PROVIDERS, entry.name: entry})
        yield server


@pytest.fixture
async def gateway_url(server: PushUssdServer, tmp_path: Path) -> AsyncIterator[str]:
    async with run_gateway(build_settings(tmp_path)) as url:
        yield url


@pytest.fixture
async def push_phone(server: PushUssdServer, gateway_url: str) -> AsyncIterator[PushPhone]:
    async with ClientSession() as http:
        yield PushPhone(http, gateway_url, server, ScreenBudget())


async def test_a_session_is_answered_screen_by_screen_in_pushed_requests(push_phone: PushPhone) -> None:
    assert (await push_phone.dial()).startswith("Ekdial: sorkari seba\n1 English")
    assert "1 Find a service" in await push_phone.enter("1")
    assert not push_phone.ended
    assert await push_phone.enter("2") != await push_phone.enter("0")


async def test_the_screens_are_those_of_a_provider_that_sends_the_whole_path(
    push_phone: PushPhone, gateway_url: str
) -> None:
    async with ClientSession() as http:
        phone = Phone(http, gateway_url, "+8801700000002")
        assert await push_phone.dial() == await phone.dial()
        for key in ("1", "1", "1"):
            assert await push_phone.enter(key) == await phone.enter(key)


async def test_a_repeated_webhook_gets_the_same_screen_and_changes_nothing(push_phone: PushPhone) -> None:
    await push_phone.dial()
    screen = await push_phone.enter("1")
    assert await push_phone.repeat() == screen
    assert "Find a service" in screen


async def test_an_input_of_a_session_that_is_lost_gets_a_first_screen(push_phone: PushPhone) -> None:
    assert (await push_phone.enter("3")).startswith("Ekdial: sorkari seba\n1 English")


async def test_a_malformed_webhook_is_rejected_before_anything_is_pushed(
    push_phone: PushPhone, server: PushUssdServer
) -> None:
    assert await push_phone.post(b'{"session": "s1"}') == (400, "sequence is missing.")
    assert (await push_phone.post(b"session=s1"))[0] == 400
    assert (await push_phone.post(b"[1]"))[0] == 400
    assert not server.screens


async def test_a_failed_push_is_logged_without_the_number_and_the_next_input_is_answered(
    push_phone: PushPhone, server: PushUssdServer
) -> None:
    server.push_status = 500
    with capture_logs() as lines:
        await push_phone.dial()
        await wait_until(lambda: is_logged(lines, "ussd_push_failed"))
    assert "+880" not in str(lines)
    server.push_status = 200
    assert "1 Find a service" in await push_phone.enter("1")


async def is_logged(lines: Sequence[Mapping[str, object]], event: str) -> bool:
    return any(line["event"] == event for line in lines)


async def test_webhooks_want_the_token_of_every_provider(server: PushUssdServer, tmp_path: Path) -> None:
    settings = build_settings(tmp_path, WEBHOOKS__TOKENS=f'["{TOKEN}"]')
    async with run_gateway(settings) as url, ClientSession() as http:
        phone = PushPhone(http, url, server, ScreenBudget())
        assert (await phone.post(b"{}"))[0] == 404
