"""A department that is down for the whole of a morning: every application is taken, none is lost, each arrives once.

Workers are killed at every step of a delivery meanwhile, and the department comes and goes before it stays.
"""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import ClientSession
from sqlalchemy import func, select

from core.retry import Backoff
from db.migrate import upgrade
from db.tables import applications, deliveries
from tests.fakes.department_server import DepartmentServer, accept_then, drop_connection, respond
from tests.support.citizen_steps import apply_for_birth_certificate, register
from tests.support.crash_plan import CrashPlan
from tests.support.department_crash_worker import STEPS, run_worker
from tests.support.department_deliveries import DeliveryServiceSet
from tests.support.forked_worker import ForkedWorker
from tests.support.phone import Phone, admin_url, build_settings, run_gateway
from tests.support.sms_phone import wait_until

APPLICATION_COUNT = 200
SPEED = 60.0  # seconds of the workers' clock in one of ours: what a dead worker left is found after two
CRASH_COUNTS = (3, 20)  # the how many-th application past the step, in the first wave and in the second
TIMEOUT = 120.0  # seconds until the last is delivered, many times what it takes


async def run_wave(plan: CrashPlan, at_application: int) -> None:
    """One worker for each step at once, each dying at its own."""
    plans = [replace(plan, name=f"{step} {at_application}", step=step, count=at_application) for step in STEPS]
    workers = [await ForkedWorker.start(run_worker, one) for one in plans]
    for worker in workers:
        await worker.begin()
    assert {await worker.wait_for_crash(TIMEOUT) for worker in workers} == {-signal.SIGKILL}


def fail_intermittently(server: DepartmentServer) -> None:
    """What it takes and does not say, and what it does not take: forty times, before it answers as is right."""
    for number in range(40):
        server.respond_with(
            "submit", *([accept_then(server, drop_connection), respond(502)] if number % 2 else [respond(500)])
        )


async def test_workers_die_at_every_step_and_every_application_arrives_once(database_url, services, server) -> None:
    async with DeliveryServiceSet(services, server) as office:
        await services.register()
        numbers = [await office.submit_application(f"s1:{number}") for number in range(APPLICATION_COUNT)]
    plan = CrashPlan(database_url, server.url, "", time.time(), SPEED)
    fail_intermittently(server)
    for at_application in CRASH_COUNTS:
        await run_wave(plan, at_application)
    survivors = [await ForkedWorker.start(run_worker, replace(plan, name=name)) for name in ("first", "second")]
    for survivor in survivors:
        await survivor.begin()
    delivered = select(func.count()).where(deliveries.c.state == "delivered")
    async with asyncio.timeout(TIMEOUT):
        while (await services.database.fetch(delivered)).scalar_one() < APPLICATION_COUNT:  # noqa: ASYNC110 - other processes' doing
            await asyncio.sleep(0.05)
    assert [await survivor.wait_for_exit(TIMEOUT) for survivor in survivors] == [0, 0]
    assert server.submission_counts == dict.fromkeys(numbers, 1), "none lost, none twice"
    assert server.problems == []
    pairs = select(applications.c.tracking_number, deliveries.c.reference).join_from(deliveries, applications)
    kept = {(number, one.reference) for number, one in server.applications.items()}
    assert set(map(tuple, await services.database.fetch(pairs))) == kept, "each under the department's own reference"


@pytest.fixture
async def two_gateways(tmp_path: Path, postgres_server, server, monkeypatch) -> AsyncIterator[tuple[str, str]]:
    """Two gateways on one database and one Redis, both connected to the department."""
    monkeypatch.setattr("services.departments.delivery_worker.BACKOFF", Backoff(0.01))
    async with run_two_gateways(tmp_path, postgres_server, server) as urls:
        yield urls


@asynccontextmanager
async def run_two_gateways(tmp_path: Path, postgres_server, server: DepartmentServer) -> AsyncIterator[tuple[str, str]]:
    from tests.support.servers import LocalRedis, new_database

    with new_database(postgres_server) as database, LocalRedis() as redis:
        await upgrade(database)
        given = {
            "DATABASE__URL": database,
            "REDIS__URL": redis.url,
            "DEPARTMENTS__DNCC": server.connector_settings(health_check_interval=0.05),
        }
        settings = build_settings(tmp_path, **given)
        async with run_gateway(settings) as one, run_gateway(settings) as other:
            yield one, other


async def test_two_gateways_take_applications_through_an_outage_and_deliver_each_once(two_gateways, server) -> None:
    await server.stop()
    async with ClientSession() as http:
        phones = [Phone(http, two_gateways[number % 2], f"+88017000001{number:02}") for number in range(10)]
        numbers = await asyncio.gather(*map(apply_by_phone, phones))
        assert len(set(numbers)) == len(phones), "every citizen got a number while it was down"
        await server.start()
        await server.wait_until(lambda: set(numbers) <= server.applications.keys())
        await wait_until(lambda: wait_until_delivered(http, two_gateways))
    assert server.submission_counts == dict.fromkeys(numbers, 1)
    assert server.problems == []


async def apply_by_phone(phone: Phone) -> str:
    await register(phone)
    return await apply_for_birth_certificate(phone)


async def wait_until_delivered(http: ClientSession, urls: tuple[str, str]) -> bool:
    said = [await (await http.get(f"{admin_url(url)}/metrics")).text() for url in urls]
    taken = [line for text in said for line in text.splitlines() if 'department="dncc",outcome="accepted"' in line]
    return sum(float(line.rpartition(" ")[2]) for line in taken) == 10
