"""The simulator's page and its files, as a browser gets them."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.support.scripted_gateway import ScriptedGateway, run_scripted_gateway
from web.simulator import routes
from web.simulator.network import SimulatedNetwork
from web.simulator.routes import STATIC_DIR, STATIC_FILES, WEBHOOK_FIELDS, SimulatorSettings
from web.simulator.sample_numbers import SAMPLE_NUMBERS


@pytest.fixture
async def gateway() -> AsyncIterator[ScriptedGateway]:
    async with run_scripted_gateway() as running:
        yield running


@pytest.fixture
async def browser(gateway: ScriptedGateway) -> AsyncIterator[ClientSession]:
    async with ClientSession(gateway.url) as session:
        yield session


@pytest.mark.parametrize("path", ["/simulator", *(f"/simulator/{name}" for name in STATIC_FILES)])
async def test_a_file_may_fetch_nothing_from_elsewhere_and_is_sent_once(browser: ClientSession, path: str) -> None:
    async with browser.get(path) as first:
        assert first.status == 200
        assert "default-src 'self'" in first.headers["Content-Security-Policy"]
        assert "unsafe" not in first.headers["Content-Security-Policy"]
        assert first.headers["X-Content-Type-Options"] == "nosniff"
        assert first.headers["Cache-Control"] == "no-cache"
    async with browser.get(path, headers={"If-None-Match": first.headers["ETag"]}) as again:
        assert again.status == 304


async def test_the_address_that_the_gateway_prints_leads_to_the_simulator(browser: ClientSession) -> None:
    async with browser.get("/", allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (302, "/simulator")


async def test_files_have_the_type_a_strict_browser_wants(browser: ClientSession) -> None:
    javascript = {"text/javascript", "application/javascript"}  # the second up to Python 3.11; browsers take both
    wanted = {"phone.js": javascript, "phone.css": {"text/css"}, "icon.svg": {"image/svg+xml"}}
    for name, content_types in wanted.items():
        async with browser.get(f"/simulator/{name}") as response:
            assert response.content_type in content_types


def test_every_file_a_file_asks_for_is_served() -> None:
    texts = [(STATIC_DIR / name).read_text() for name in (*STATIC_FILES, "page.html")]
    asked = {found for text in texts for found in re.findall(r'(?:from |href=|src=)"([^"\s]+)"', text)}
    assert {Path(name).name for name in asked} <= {*STATIC_FILES, "texts.js"}, "texts.js is made from the words"
    assert "phone.js" in {Path(name).name for name in asked}


def test_the_page_has_no_script_or_style_inside() -> None:
    page = (STATIC_DIR / "page.html").read_text()
    assert not re.search(r"<style|style=|\son\w+=|<script(?![^>]*src=)", page)


@pytest.mark.parametrize("name", ["routes.py", "__init__.py", "../routes.py", "%2e%2e/routes.py", "nothing.js"])
async def test_nothing_else_of_the_folder_is_served(browser: ClientSession, name: str) -> None:
    async with browser.get(f"/simulator/{name}") as response:
        assert response.status == 404


async def test_the_phone_is_told_what_it_needs_to_know(browser: ClientSession) -> None:
    async with browser.get("/simulator/phone.json") as response:
        assert response.headers["Cache-Control"] == "no-store"
        assert await response.json() == {
            "serviceCode": "*123#",
            "numbers": ["+8801700000001", "+919000000001", "+254700000001"],
            "networks": [
                {"code": "47001", "name": "Grameenphone", "unicode": False, "septets": 160, "units": 70},
                {"code": "99999", "name": "Sandbox", "unicode": True, "septets": 160, "units": 70},
            ],
            "languages": ["en", "bn", "hi"],
            "samples": [{"name": name, "number": number} for name, number in SAMPLE_NUMBERS],
            "smsCode": "123",
            "missedCalls": [
                {"number": "+8809600000001", "action": "download_link"},
                {"number": "+8809600000002", "action": "call_back_menu"},
            ],
            "callback": "/ussd/africastalking",
            "events": "/ussd/africastalking/events",
            "inbound": "/sms/africastalking",
            "delivery": "/sms/africastalking/delivery",
            "voice": "/voice/africastalking",
        }


@pytest.mark.parametrize(
    ("network", "name"),
    [
        (SimulatedNetwork("63902"), "Safaricom"),
        (SimulatedNetwork("63902", "Our test network"), "Our test network"),
        (SimulatedNetwork("00101"), "00101"),
    ],
)
def test_a_network_is_called_what_people_call_it(network: SimulatedNetwork, name: str) -> None:
    assert network.to_json()["name"] == name


def test_the_callback_token_goes_into_every_callback() -> None:
    told = SimulatorSettings("*123#", (SimulatedNetwork("99999", "Sandbox"),), token="a b&c").to_json()
    assert [told[name] for name in WEBHOOK_FIELDS] == [
        f"{path}?token=a+b%26c"
        for path in (
            "/ussd/africastalking",
            "/ussd/africastalking/events",
            "/sms/africastalking",
            "/sms/africastalking/delivery",
            "/voice/africastalking",
        )
    ]


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "[::1]:8080", "ekdial.localhost", "127.8.0.1"])
async def test_it_is_shown_under_names_of_this_machine(browser: ClientSession, host: str) -> None:
    async with browser.get("/simulator/phone.json", headers={"Host": host}) as response:
        assert response.status == 200


@pytest.mark.parametrize("path", ["/simulator", "/simulator/phone.json", "/simulator/sms?number=%2B8801700000001"])
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "notlocalhost", "10.0.0.7"])
async def test_a_foreign_name_that_leads_here_is_refused(browser: ClientSession, path: str, host: str) -> None:
    async with browser.get(path, headers={"Host": host}) as response:
        assert response.status == 403
        assert "for this machine only" in await response.text()


@pytest.mark.parametrize(
    "header",
    [
        {"X-Forwarded-For": "127.0.0.1"},
        {"x-forwarded-proto": "https"},
        {"X-Real-IP": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"Via": "1.1 proxy"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
    ids=lambda header: " ".join(*header.items()),
)
async def test_a_proxy_and_a_page_of_another_site_are_refused(browser: ClientSession, header: dict[str, str]) -> None:
    async with browser.get("/simulator/phone.json", headers=header) as response:
        assert response.status == 403


async def test_a_link_of_another_site_opens_the_simulator(browser: ClientSession) -> None:
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    async with browser.get("/simulator", headers=link) as response:
        assert response.status == 200


def test_every_file_of_the_folder_that_a_browser_could_use_is_listed() -> None:
    there = {path.name for path in Path(routes.__file__).parent.iterdir() if path.suffix in {".js", ".css", ".svg"}}
    assert there == set(STATIC_FILES)
