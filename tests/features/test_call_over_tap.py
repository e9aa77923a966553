"""Citizens at Robi and Banglalink use the menus over hSenid TAP, from the dialling of the code to the SMS that come."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from tests.fakes.tap_server import APPLICATIONS, APPLINK, BDAPPS, TapPhone, TapServer
from tests.support.citizen_steps import apply_for_birth_certificate, register, track_application
from tests.support.phone import PUBLIC_SETTINGS, WEBHOOK_TOKEN, build_settings, run_gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[TapServer]:
    async with TapServer() as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http(server: TapServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[ClientSession, str]]:
    settings = build_settings(
        tmp_path_factory.mktemp("tap"), SMS__PROVIDER="tap", **server.settings(), **PUBLIC_SETTINGS
    )
    async with run_gateway(settings) as url, ClientSession() as session:
        yield session, url


@pytest.mark.parametrize("network", [BDAPPS, APPLINK])
async def test_a_citizen_registers_applies_and_tracks(
    server: TapServer, http: tuple[ClientSession, str], network: str
) -> None:
    phone = TapPhone(*http, server, network=network, token=WEBHOOK_TOKEN)
    assert (await register(phone)).startswith("My account")
    number = await apply_for_birth_certificate(phone)
    assert phone.ended
    sms = await server.wait_for_sms(phone.msisdn, number[:4])
    assert (sms.application, sms.sender, sms.wants_report) == (network, APPLICATIONS[network].sender, True)
    assert "Submitted" in await track_application(phone, number)
    assert server.refusals == []
    assert server.broadcasts == 0
