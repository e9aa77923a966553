"""L13: a page that somebody opens beside a gateway in development posts forms to it; browsers say so, and we look."""

from urllib.parse import parse_qsl

import pytest
from aiohttp import ClientSession

from tests.support.phone import MSISDN, PUBLIC_SETTINGS, WEBHOOK_TOKEN, build_settings, run_gateway
from tests.support.voice_forms import RINGING_FORM

HOP = {"sessionId": "ATUid_1", "phoneNumber": MSISDN, "networkCode": "99999", "serviceCode": "*123#", "text": ""}
SMS = {"from": MSISDN, "to": "123", "text": "STOP", "date": "2026-11-21 09:00:00", "id": "1", "networkCode": "99999"}
FORGED = {
    "/ussd/africastalking": HOP,
    "/ussd/africastalking/events": HOP,
    "/sms/africastalking": SMS,
    "/sms/africastalking/delivery": {"id": "1", "status": "Success"},
    "/sms/africastalking/optout": {"senderId": "EKDIAL", "phoneNumber": MSISDN},
    "/voice/africastalking": dict(parse_qsl(RINGING_FORM)),
}
PAGES = {
    "another site": {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    "an old browser": {"Origin": "https://evil.example"},
    "a sandboxed frame": {"Origin": "null"},
    "another server on this machine": {"Origin": "http://127.0.0.1:3000", "Sec-Fetch-Site": "same-site"},
    "a name that leads here": {"Origin": "http://evil.example", "Host": "evil.example"},
    "a form without an origin": {"Sec-Fetch-Site": "cross-site"},
}
PROXIES = {"a tunnel": {"X-Forwarded-For": "203.0.113.66"}, "a tunnel's name": {"Host": "abc.tunnel.example"}}


@pytest.fixture
async def gateway(tmp_path):
    async with run_gateway(build_settings(tmp_path)) as url:
        yield url


@pytest.mark.parametrize("headers", PAGES.values(), ids=PAGES.keys())
async def test_l13_a_web_page_posts_no_webhook(headers, gateway):
    async with ClientSession() as http:
        for path, form in FORGED.items():
            async with http.post(f"{gateway}{path}", data=form, headers=headers) as response:
                assert response.status == 404, path


@pytest.mark.parametrize("headers", PROXIES.values(), ids=PROXIES.keys())
async def test_l13_without_a_token_a_tunnel_brings_in_nobody(headers, gateway):
    async with ClientSession() as http:
        for path, form in FORGED.items():
            async with http.post(f"{gateway}{path}", data=form, headers=headers) as response:
                assert response.status == 404, path


async def test_l13_a_web_page_that_knows_the_token_posts_no_webhook(tmp_path):
    settings = build_settings(tmp_path, **PUBLIC_SETTINGS)
    async with run_gateway(settings) as url, ClientSession() as http:
        for path, form in FORGED.items():
            token = {"token": WEBHOOK_TOKEN}
            async with http.post(f"{url}{path}", params=token, data=form, headers=PAGES["another site"]) as response:
                assert response.status == 404, path
            proxy = {"X-Forwarded-For": "203.0.113.66", "Host": "ekdial.example"}
            async with http.post(f"{url}{path}", params=token, data=form, headers=proxy) as response:
                assert response.status == 200, path


async def test_l13_programs_and_the_simulator_post_webhooks(gateway):
    own = {"Origin": gateway, "Sec-Fetch-Site": "same-origin"}
    async with ClientSession() as http:
        for path, form in FORGED.items():
            for headers in ({}, own):
                async with http.post(f"{gateway}{path}", data=form, headers=headers) as response:
                    assert response.status == 200, path
