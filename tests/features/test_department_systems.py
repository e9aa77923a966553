"""Department systems: one department is connected over HTTP, and its outage affects no other department."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from core.retry import Backoff
from tests.fakes.department_server import DepartmentServer, hang
from tests.support.citizen_steps import (
    ANSWERS,
    apply_for_birth_certificate,
    open_birth_certificate,
    register,
    submit_application,
    tracking_number_in,
)
from tests.support.phone import Phone, admin_url, build_settings, run_gateway
from tests.support.sms_phone import open_sms_phone, wait_until

OTHER = "+8801700000002"
EVENTS = "departments/dncc/events"


@pytest.fixture(autouse=True)
def short_retry_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second try comes at once."""
    monkeypatch.setattr("services.departments.delivery_worker.BACKOFF", Backoff(0.01))


@pytest.fixture
async def server() -> AsyncIterator[DepartmentServer]:
    """The city corporation's own system."""
    async with DepartmentServer() as server:
        yield server


@pytest.fixture
async def gateway(tmp_path: Path, server: DepartmentServer) -> AsyncIterator[str]:
    """A gateway that it is connected to, and no other department is."""
    settings = build_settings(
        tmp_path, DEPARTMENTS__DNCC=server.connector_settings(health_check_interval=0.05, deadline=0.5)
    )
    async with run_gateway(settings) as url:
        yield url


async def metric(phone: Phone, named: str) -> str:
    """A metric's value as it stands."""
    async with phone.http.get(f"{admin_url(phone.url)}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return next((line.rpartition(" ")[2] for line in lines if line.startswith(named)), "")


async def wait_until_circuit_open(phone: Phone) -> bool:
    return await metric(phone, 'ekdial_department_answers{department="dncc"}') == "0.0"


@pytest.mark.calls_only(reason="the channel is named")
async def test_an_application_is_passed_on_and_moved_by_the_departments_own_system(
    phone: Phone, server: DepartmentServer
) -> None:
    await register(phone)
    number = await apply_for_birth_certificate(phone)
    await server.wait_until(lambda: number in server.applications)
    assert server.problems == []
    handed_in = server.applications[number].application
    assert handed_in["service"] == "birth_certificate"
    assert handed_in["form"]["holder"] == "Rahim Uddin"
    assert handed_in["applicant"] == {
        "name": "Amina Begum",
        "number": phone.msisdn,
        "language": "en",
        "channel": "ussd",
    }
    assert handed_in["operator"] is None

    url = f"{phone.url}/{EVENTS}"
    answer = await server.move_application(phone.http, url, number, "ready", en="Bring your old card.")
    assert answer == (200, {"done": "now"})
    assert "Birth certificate" in await phone.wait_for_sms("Bring your old card.")
    await phone.dial()
    status = await phone.enter("2", number)
    assert "Ready to collect" in status
    assert await server.move_application(phone.http, url, number, "ready", en="Bring your old card.") == (
        200,
        {"done": "before"},
    )


async def test_while_it_is_down_applications_are_taken_and_the_citizen_reads_the_truth(
    phone: Phone, server: DepartmentServer
) -> None:
    await server.stop()
    await register(phone)
    first = await apply_for_birth_certificate(phone)
    await wait_until(lambda: wait_until_circuit_open(phone))

    await phone.dial()
    status = await phone.enter("2", first)
    while "98 More" in status and "is not answering" not in status:
        status = await phone.enter("98")
    assert "The office's system is not answering. Your application is safe; we will pass it on." in status

    other = Phone(phone.http, phone.url, OTHER)
    await register(other)
    await open_birth_certificate(other)
    await other.enter(*ANSWERS)
    receipt = await submit_application(other)
    assert "The office's system is down; we keep your application safe and will pass it on" in receipt
    second = tracking_number_in(receipt)
    assert second in (await other.wait_for_sms("received")).replace(" ", ""), "the number is the citizen's at once"

    await server.start()
    await server.wait_until(lambda: {first, second} <= server.applications.keys())
    await wait_until(lambda: _wait_until_delivered(phone))
    assert server.submission_counts == {first: 1, second: 1}
    await server.move_application(phone.http, f"{phone.url}/{EVENTS}", first, "approved", en="Come on Sunday.")
    assert "Birth certificate" in await phone.wait_for_sms("Come on Sunday.")
    await phone.dial()
    assert "is not answering" not in await phone.enter("2", first)


async def _wait_until_delivered(phone: Phone) -> bool:
    return await metric(phone, 'ekdial_delivery_tries_total{department="dncc",outcome="accepted"}') == "2.0"


async def test_the_truth_comes_by_sms_and_in_every_language(phone: Phone, server: DepartmentServer) -> None:
    await server.stop()
    await register(phone)
    number = await apply_for_birth_certificate(phone)
    await wait_until(lambda: wait_until_circuit_open(phone))
    said = {"EN": "The office's system is not answering", "BN": "সিস্টেম সাড়া দিচ্ছে না", "HI": "सिस्टम बंद है"}
    async with open_sms_phone(phone.url) as sms_phone:
        for language, words in said.items():
            await sms_phone.send_sms(f"LANG {language}")
            assert words in await sms_phone.send_sms(f"STATUS {number}")


async def test_a_department_that_hangs_delays_no_key_press_and_no_other_department(
    phone: Phone, server: DepartmentServer
) -> None:
    """Every hop is answered while the department says nothing: none of them waits for what it will never say."""
    server.respond_always_with("submit", hang(server))
    async with asyncio.timeout(20):
        for number in range(3):
            citizen = Phone(phone.http, phone.url, f"+880170000001{number}")
            await register(citizen)
            tracking = await apply_for_birth_certificate(citizen)
            await citizen.dial()
            assert "Birth certificate" in await citizen.enter("2", tracking)
    assert server.applications == {}
    async with phone.http.get(f"{admin_url(phone.url)}/readyz") as answer:
        assert answer.status == 200, "the gateway is ready, whatever a department is"


async def test_a_department_without_a_system_has_the_built_in_registry(phone: Phone, tmp_path: Path) -> None:
    """Nothing is set, nothing is delivered: its officers work on the same application by the console or the API."""
    (tmp_path / "other").mkdir()
    async with run_gateway(build_settings(tmp_path / "other")) as url, ClientSession() as http:
        citizen = Phone(http, url)
        await register(citizen)
        number = await apply_for_birth_certificate(citizen)
        await citizen.dial()
        assert "is not answering" not in await citizen.enter("2", number)
        assert await metric(citizen, "ekdial_deliveries{") == ""
        body = json.dumps({"type": "application.moved", "tracking_number": number, "status": "ready"}).encode()
        async with http.post(f"{url}/{EVENTS}", data=body) as answer:
            assert answer.status == 404
