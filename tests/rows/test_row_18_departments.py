"""Row 18, departments: one with a system of its own is connected over HTTP, and a slow or dead one takes nobody with it."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.fakes.department_server import DepartmentServer, silent
from tests.journeys.steps import ANSWERS, applies, opens_birth_certificate, registers, sends, tracking_in
from tests.phone import Phone, running, settings_for
from tests.texting import texter, until

OTHER = "+8801700000002"
EVENTS = "departments/dncc/events"


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second try comes at once."""
    monkeypatch.setattr("services.departments.courier.FIRST_WAIT", 0.01)


@pytest.fixture
async def server() -> AsyncIterator[DepartmentServer]:
    """The city corporation's own system."""
    async with DepartmentServer() as server:
        yield server


@pytest.fixture
async def gateway(tmp_path: Path, server: DepartmentServer) -> AsyncIterator[str]:
    """A gateway that it is connected to, and no other department is."""
    settings = settings_for(tmp_path, DEPARTMENTS__DNCC=server.settings(ask_again=0.05, deadline=0.5))
    async with running(settings) as url:
        yield url


async def metric(phone: Phone, named: str) -> str:
    """A metric's value as it stands."""
    async with phone.http.get(f"{phone.url}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return next((line.rpartition(" ")[2] for line in lines if line.startswith(named)), "")


async def is_known_to_be_down(phone: Phone) -> bool:
    return await metric(phone, 'ekdial_department_answers{department="dncc"}') == "0.0"


async def test_row_18_an_application_is_passed_on_and_moved_by_the_departments_own_system(
    phone: Phone, server: DepartmentServer
) -> None:
    await registers(phone)
    number = await applies(phone)
    await server.until(lambda: number in server.kept)
    assert server.faults == []
    handed_in = server.kept[number].application
    assert handed_in["service"] == "birth_certificate"
    assert handed_in["form"]["holder"] == "Rahim Uddin"
    assert handed_in["applicant"] == {"number": phone.number, "language": "en", "channel": "ussd"}

    url = f"{phone.url}/{EVENTS}"
    answer = await server.moves(phone.http, url, number, "ready", en="Bring your old card.")
    assert answer == (200, {"done": "now"})
    assert "Birth certificate" in await phone.sms("Bring your old card.")
    await phone.dials()
    status = await phone.types("2", number)
    assert "Ready to collect" in status
    assert await server.moves(phone.http, url, number, "ready", en="Bring your old card.") == (200, {"done": "before"})


async def test_row_18_while_it_is_down_applications_are_taken_and_the_citizen_reads_the_truth(
    phone: Phone, server: DepartmentServer
) -> None:
    await server.stops()
    await registers(phone)
    first = await applies(phone)
    await until(lambda: is_known_to_be_down(phone))

    await phone.dials()
    status = await phone.types("2", first)
    while "98 More" in status and "does not answer" not in status:
        status = await phone.types("98")
    assert "The office's system does not answer just now. We keep it safe and pass it on." in status

    other = Phone(phone.http, phone.url, OTHER)
    await registers(other)
    await opens_birth_certificate(other)
    await other.types(*ANSWERS)
    receipt = await sends(other)
    assert "The office's system is down just now; we keep your application safe and pass it on" in receipt
    second = tracking_in(receipt)
    assert second in (await other.sms("received")).replace(" ", ""), "the number is the citizen's at once"

    await server.starts()
    await server.until(lambda: {first, second} <= server.kept.keys())
    await until(lambda: _delivered(phone))
    assert server.handed_in == {first: 1, second: 1}
    await server.moves(phone.http, f"{phone.url}/{EVENTS}", first, "approved", en="Come on Sunday.")
    assert "Birth certificate" in await phone.sms("Come on Sunday.")
    await phone.dials()
    assert "does not answer" not in await phone.types("2", first)


async def _delivered(phone: Phone) -> bool:
    return await metric(phone, 'ekdial_delivery_tries_total{department="dncc",end="Taken"}') == "2.0"


async def test_row_18_the_truth_comes_by_sms_and_in_every_language(phone: Phone, server: DepartmentServer) -> None:
    await server.stops()
    await registers(phone)
    number = await applies(phone)
    await until(lambda: is_known_to_be_down(phone))
    said = {"EN": "The office's system does not answer", "BN": "সিস্টেম সাড়া দিচ্ছে না", "HI": "सिस्टम बंद है"}
    async with texter(phone.url) as handset:
        for language, words in said.items():
            await handset.texts(f"LANG {language}")
            assert words in await handset.texts(f"STATUS {number}")


async def test_row_18_a_department_that_hangs_delays_no_key_press_and_no_other_department(
    phone: Phone, server: DepartmentServer
) -> None:
    """Every hop is answered while the department says nothing: none of them waits for what it will never say."""
    server.always("submit", silent(server))
    async with asyncio.timeout(20):
        for number in range(3):
            citizen = Phone(phone.http, phone.url, f"+880170000001{number}")
            await registers(citizen)
            tracking = await applies(citizen)
            await citizen.dials()
            assert "Birth certificate" in await citizen.types("2", tracking)
    assert server.kept == {}
    async with phone.http.get(f"{phone.url}/readyz") as answer:
        assert answer.status == 200, "the gateway is ready, whatever a department is"


async def test_row_18_a_department_without_a_system_has_the_built_in_registry(phone: Phone, tmp_path: Path) -> None:
    """Nothing is set, nothing is delivered: its officers work on the same application by the console or the API."""
    (tmp_path / "other").mkdir()
    async with running(settings_for(tmp_path / "other")) as url, ClientSession() as http:
        citizen = Phone(http, url)
        await registers(citizen)
        number = await applies(citizen)
        await citizen.dials()
        assert "does not answer" not in await citizen.types("2", number)
        assert await metric(citizen, "ekdial_deliveries{") == ""
        body = json.dumps({"type": "application.moved", "tracking_number": number, "status": "ready"}).encode()
        async with http.post(f"{url}/{EVENTS}", data=body) as answer:
            assert answer.status == 404
