"""M1: the simulator shows everybody's SMS and the webhook token; it is for the people at this machine only."""

import pytest
from aiohttp import ClientSession

from core.errors import ValidationFailedError
from tests.support.phone import MSISDN, PUBLIC_SETTINGS, WEBHOOK_TOKEN, build_settings, run_gateway

DATA = ["/simulator", "/simulator/phone.json", f"/simulator/sms?number=%2B{MSISDN[1:]}"]
THROUGH_A_PROXY = {
    "a proxy that sets the name of this machine": {"X-Forwarded-For": "203.0.113.66"},
    "a proxy with nginx' usual headers": {"X-Real-IP": "203.0.113.66", "X-Forwarded-Proto": "https"},
    "a proxy by the standard": {"Forwarded": "for=203.0.113.66;proto=https"},
    "a tunnel": {"Via": "1.1 tunnel"},
    "a client that lies about its name": {"Host": "localhost", "X-Forwarded-Host": "ekdial.gov.example"},
    "a name that leads here": {"Host": "ekdial.gov.example"},
}
ELSEWHERE = {"SERVER__HOST": "0.0.0.0", "WEBHOOKS__TOKENS": WEBHOOK_TOKEN}  # noqa: S104 - refused


@pytest.mark.parametrize("public", [PUBLIC_SETTINGS, ELSEWHERE], ids=["behind a proxy", "on every address"])
async def test_m1_a_public_gateway_does_not_start_with_the_simulator(public, tmp_path):
    with pytest.raises(ValidationFailedError, match="the simulator would show"):
        build_settings(tmp_path, SIMULATOR__ENABLED="true", **public)


@pytest.mark.parametrize("public", [PUBLIC_SETTINGS, ELSEWHERE], ids=["behind a proxy", "on every address"])
async def test_m1_a_public_gateway_has_no_simulator(public, tmp_path):
    async with run_gateway(build_settings(tmp_path, **public)) as url, ClientSession() as http:
        for path in DATA:
            async with http.get(f"{url}{path}") as response:
                assert response.status == 404


@pytest.mark.parametrize("headers", THROUGH_A_PROXY.values(), ids=THROUGH_A_PROXY.keys())
async def test_m1_the_token_and_the_sms_are_not_shown_through_a_proxy(headers, tmp_path):
    settings = build_settings(tmp_path, SIMULATOR__ENABLED="true", WEBHOOKS__TOKENS=WEBHOOK_TOKEN)
    async with run_gateway(settings) as url, ClientSession() as http:
        for path in DATA:
            async with http.get(f"{url}{path}", headers=headers) as response:
                assert response.status == 403
                assert WEBHOOK_TOKEN not in await response.text()


async def test_m1_the_people_at_this_machine_see_it(tmp_path):
    settings = build_settings(tmp_path, WEBHOOKS__TOKENS=WEBHOOK_TOKEN)
    async with (
        run_gateway(settings) as url,
        ClientSession() as http,
        http.get(f"{url}/simulator/phone.json") as response,
    ):
        assert WEBHOOK_TOKEN in await response.text()
