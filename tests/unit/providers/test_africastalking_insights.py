"""SIM swaps by Africa's Talking: the real SDK on our connections, against a server that responds as captured."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import aiohttp
import pytest
from africastalking.Insights import InsightService
from aiohttp import web
from structlog.testing import capture_logs

from providers.africastalking.insights import AfricasTalkingSimSwap
from services.citizens.number_checks import SimSwapPending, SimSwapReport, SimSwapResult
from tests.fakes import africastalking_insights_server as fake
from tests.fakes.africastalking_insights_server import API_KEY, USERNAME, InsightsServer
from tests.support.phone import build_settings, run_gateway
from tests.support.servers import free_port

AMINA = "+254700000001"


@pytest.fixture
async def server() -> AsyncIterator[InsightsServer]:
    async with InsightsServer() as server:
        yield server


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as http:
        yield http


def build_provider(http: aiohttp.ClientSession, server: InsightsServer, **options: object) -> AfricasTalkingSimSwap:
    chosen = {"api_key": API_KEY, "base_url": server.url, "recent_days": 14, "deadline": 3.0, **options}
    return AfricasTalkingSimSwap(http, USERNAME, **chosen)


async def test_a_check_is_queued_and_reported_under_its_id(http, server):
    provider = build_provider(http, server)
    assert await provider.request_check(AMINA) == SimSwapPending(fake.request_id())
    assert server.requests[0].fields == {"username": USERNAME, "phoneNumbers": [AMINA]}
    body = json.dumps(fake.notification(fake.request_id(), "Swapped", "20-11-2026")).encode()
    assert provider.parse_report(body) == SimSwapReport(fake.request_id(), SimSwapResult("swapped", date(2026, 11, 20)))


async def test_on_the_wire_it_is_what_the_plain_sdk_sends(http, server):
    plain = InsightService(USERNAME, API_KEY)
    plain._baseUrl = server.url.replace("/version1", "/v1")
    said = await asyncio.to_thread(plain.check_sim_swap_state, [AMINA])
    assert said["responses"][0]["status"] == "Queued"
    await build_provider(http, server).request_check(AMINA)
    theirs, ours = server.requests
    assert (ours.method, ours.path, ours.body) == (theirs.method, theirs.path, theirs.body)
    for header in ("apiKey", "Accept", "User-Agent", "Content-Type", "Content-Length", "Host"):
        assert ours.headers[header] == theirs.headers[header]


@pytest.mark.parametrize(
    ("username", "url"),
    [
        ("sandbox", "https://insights.sandbox.africastalking.com/v1/sim-swap"),
        ("ekdial", "https://insights.africastalking.com/v1/sim-swap"),
    ],
)
async def test_without_a_base_url_the_addresses_are_the_sdks(username, url):
    seen = []

    async def on_start(_session, _context, start: aiohttp.TraceRequestStartParams) -> None:
        seen.append(str(start.url))
        raise aiohttp.ClientConnectionError

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(on_start)
    async with aiohttp.ClientSession(trace_configs=[trace]) as http:
        await AfricasTalkingSimSwap(http, username, API_KEY, recent_days=14, deadline=3.0).request_check(AMINA)
    assert seen == [url]


@pytest.mark.parametrize(
    ("response", "result"),
    [
        (fake.answer(fake.entry(AMINA, status="Swapped")), SimSwapResult("swapped")),
        (fake.answer(fake.entry(AMINA, status="NoSwapDate")), SimSwapResult("unchanged")),
        (fake.answer(fake.entry(AMINA, status="NotSwapped")), SimSwapResult("unchanged")),
        (fake.answer(fake.entry(AMINA, status="Failed")), SimSwapResult("unknown", reason="Failed")),
        (
            fake.answer(fake.entry(AMINA, status="UnsupportedPhoneNumber")),
            SimSwapResult("unknown", reason="UnsupportedPhoneNumber"),
        ),
        (fake.answer(fake.entry(AMINA, status=f"no {AMINA}")), SimSwapResult("unknown", reason="UnknownStatus")),
        (fake.answer(fake.entry(AMINA, requestId="None")), SimSwapResult("unknown", reason="QueuedWithoutId")),
        (fake.answer(), SimSwapResult("unknown", reason="NotOneResponse")),
        (fake.answer(fake.entry(AMINA), fake.entry(AMINA)), SimSwapResult("unknown", reason="NotOneResponse")),
        ({"errorMessage": "No credit"}, SimSwapResult("unknown", reason="UnreadableAnswer")),
        ([], SimSwapResult("unknown", reason="UnreadableAnswer")),
        (b"<html>", SimSwapResult("unknown", reason="UnreadableAnswer")),
        (b"[" * 60_000, SimSwapResult("unknown", reason="UnreadableAnswer")),
    ],
)
async def test_every_answer_has_its_result(http, server, response, result):
    server.respond_with(fake.json_response(response))
    assert await build_provider(http, server).request_check(AMINA) == result


@pytest.mark.parametrize("status", [401, 402, 404, 429, 500, 302])
async def test_any_other_status_is_unknown(http, server, status):
    server.respond_with(web.Response(status=status, headers={"Location": "/elsewhere"}))
    assert await build_provider(http, server).request_check(AMINA) == SimSwapResult("unknown", reason=f"Http{status}")


async def test_a_server_that_is_not_there_is_unknown(http, server):
    nowhere = build_provider(http, server, base_url=f"http://127.0.0.1:{free_port()}/version1")
    assert await nowhere.request_check(AMINA) == SimSwapResult("unknown", reason="ConnectionLost")


@pytest.mark.parametrize("number", ["+1234", "+254700000001\n", "254700000001", "", "EKDIAL"])
async def test_what_is_no_number_is_not_even_asked(http, server, number):
    assert await build_provider(http, server).request_check(number) == SimSwapResult(
        "unknown", reason="InvalidPhoneNumber"
    )
    assert server.requests == []


@pytest.mark.parametrize(
    ("body", "result"),
    [
        (fake.notification("r1", "Swapped", "01-01-1900"), SimSwapResult("swapped", date(1900, 1, 1))),
        (fake.notification("r1", "Swapped", "2026-11-20"), SimSwapResult("swapped")),
        (fake.notification("r1", "Swapped", None), SimSwapResult("swapped")),
        (fake.notification("r1", "NoSwapDate", ""), SimSwapResult("unchanged")),
        (fake.notification("r1", "Failed", None), SimSwapResult("unknown", reason="Failed")),
    ],
)
def test_every_notification_has_its_result(body, result):
    provider = AfricasTalkingSimSwap(None, USERNAME, API_KEY, recent_days=14, deadline=3.0)  # type: ignore[arg-type]
    assert provider.parse_report(json.dumps(body).encode()) == SimSwapReport("r1", result)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"[" * 10_000,
        json.dumps(fake.notification("")).encode(),
        json.dumps(fake.notification("r1", "two words")).encode(),
        json.dumps(fake.notification("r1", "Swapped") | {"requestId": 7}).encode(),
    ],
)
def test_any_other_notification_is_none(body):
    provider = AfricasTalkingSimSwap(None, USERNAME, API_KEY, recent_days=14, deadline=3.0)  # type: ignore[arg-type]
    assert provider.parse_report(body) is None


async def test_key_and_number_are_in_no_log(http, server):
    server.respond_with(web.Response(status=401), fake.json_response(b"x"))
    provider = build_provider(http, server)
    with capture_logs() as lines:
        results = [await provider.request_check(AMINA) for _ in range(3)]
    written = f"{provider!r} {provider} {results} {lines}"
    assert API_KEY not in written
    assert AMINA not in written


async def test_a_gateway_with_the_setting_takes_notifications_behind_its_token(server, tmp_path: Path):
    settings = build_settings(
        tmp_path,
        WEBHOOKS__TOKENS="a token of the tests, 32 characters",
        PROVIDERS__AFRICASTALKING__SIM_SWAP="true",
        PROVIDERS__AFRICASTALKING__API_KEY=API_KEY,
        PROVIDERS__AFRICASTALKING__BASE_URL=server.url,
    )
    async with run_gateway(settings) as url:
        route = f"{url}/sim-swap/africastalking"
        token = "?token=a%20token%20of%20the%20tests,%2032%20characters"
        assert await fake.notify(route, fake.request_id()) == 404
        assert await fake.notify(route + token, fake.request_id()) == 200
        assert await fake.notify(route + token, "") == 200, "acknowledged, and kept for inspection"


async def test_a_gateway_without_the_setting_has_no_such_route(tmp_path: Path):
    async with run_gateway(build_settings(tmp_path)) as url:
        assert await fake.notify(f"{url}/sim-swap/africastalking", fake.request_id()) == 404
