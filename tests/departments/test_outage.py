"""A department that is down for the whole of a morning: every application is taken, none is lost, each arrives once.

Workers are killed at every step of a delivery meanwhile, and the department comes and goes before it stays.
"""

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import ClientSession
from sqlalchemy import func, select

from services.records.migrate import upgrade
from services.records.tables import applications, deliveries
from tests.departments.crash_worker import STEPS, Plan
from tests.departments.office import Office
from tests.fakes.department_server import DepartmentServer, hangs_up, saying, takes_and
from tests.journeys.steps import applies, registers
from tests.phone import Phone, running, settings_for
from tests.texting import until

ROOT = Path(__file__).parents[2]
HOW_MANY = 200
SPEED = 60.0  # seconds of the workers' clock in one of ours: what a dead worker left is found after two
DIES_AT = (3, 20)  # the how many-th application past the step, in the first wave and in the second
LONGEST = 120.0  # seconds until the last is delivered, many times what it takes


class Worker:
    """A process of couriers."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        assert process.stdin
        assert process.stdout
        self._stdin, self._stdout = process.stdin, process.stdout

    @classmethod
    async def starts(cls, plan: Plan) -> "Worker":
        pipe = asyncio.subprocess.PIPE
        command = (sys.executable, "-m", "tests.departments.crash_worker", plan.written())
        worker = cls(await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=pipe, stdout=pipe))
        assert await worker._stdout.readline() == b"ready\n"
        return worker

    def begins(self) -> None:
        self._stdin.write(b"go\n")

    async def ends(self) -> int:
        self._stdin.close()
        return await self.dies()

    async def dies(self) -> int:
        async with asyncio.timeout(LONGEST):
            return await self._process.wait()


async def wave(plan: Plan, at_application: int) -> None:
    """One worker for each step at once, each dying at its own."""
    plans = [replace(plan, name=f"{step} {at_application}", step=step, at=at_application) for step in STEPS]
    workers = await asyncio.gather(*map(Worker.starts, plans))
    for worker in workers:
        worker.begins()
    assert {await worker.dies() for worker in workers} == {-signal.SIGKILL}


def comes_and_goes(server: DepartmentServer) -> None:
    """What it takes and does not say, and what it does not take: forty times, before it answers as is right."""
    for number in range(40):
        server.then("submit", *([takes_and(server, hangs_up), saying(502)] if number % 2 else [saying(500)]))


async def test_workers_die_at_every_step_and_every_application_arrives_once(database_url, desk, server) -> None:
    async with Office(desk, server) as office:
        await desk.registers()
        numbers = [await office.applies(f"s1:{number}") for number in range(HOW_MANY)]
    plan = Plan(database_url, server.url, "", time.time(), SPEED)
    comes_and_goes(server)
    for at_application in DIES_AT:
        await wave(plan, at_application)
    survivors = await asyncio.gather(*(Worker.starts(replace(plan, name=name)) for name in ("first", "second")))
    for survivor in survivors:
        survivor.begins()
    delivered = select(func.count()).where(deliveries.c.state == "delivered")
    async with asyncio.timeout(LONGEST):
        while (await desk.records.read(delivered)).scalar_one() < HOW_MANY:  # noqa: ASYNC110 - other processes' doing
            await asyncio.sleep(0.05)
    assert [await survivor.ends() for survivor in survivors] == [0, 0]
    assert server.handed_in == dict.fromkeys(numbers, 1), "none lost, none twice"
    assert server.faults == []
    pairs = select(applications.c.tracking_number, deliveries.c.reference).join_from(deliveries, applications)
    kept = {(number, one.reference) for number, one in server.kept.items()}
    assert set(map(tuple, await desk.records.read(pairs))) == kept, "each under the department's own reference"


@pytest.fixture
async def two(tmp_path: Path, postgres_server, server, monkeypatch) -> AsyncIterator[tuple[str, str]]:
    """Two gateways on one database and one Redis, both connected to the department."""
    monkeypatch.setattr("services.departments.courier.FIRST_WAIT", 0.01)
    async with _gateways(tmp_path, postgres_server, server) as urls:
        yield urls


@asynccontextmanager
async def _gateways(tmp_path: Path, postgres_server, server: DepartmentServer) -> AsyncIterator[tuple[str, str]]:
    from tests.servers import OwnRedis, new_database

    with new_database(postgres_server) as database, OwnRedis() as redis:
        await upgrade(database)
        given = {
            "DATABASE__URL": database,
            "REDIS__URL": redis.url,
            "DEPARTMENTS__DNCC": server.settings(ask_again=0.05),
        }
        settings = settings_for(tmp_path, **given)
        async with running(settings) as one, running(settings) as other:
            yield one, other


async def test_two_gateways_take_applications_through_an_outage_and_deliver_each_once(two, server) -> None:
    await server.stops()
    async with ClientSession() as http:
        phones = [Phone(http, two[number % 2], f"+88017000001{number:02}") for number in range(10)]
        numbers = await asyncio.gather(*map(_applies, phones))
        assert len(set(numbers)) == len(phones), "every citizen got a number while it was down"
        await server.starts()
        await server.until(lambda: set(numbers) <= server.kept.keys())
        await until(lambda: _nothing_waits(http, two))
    assert server.handed_in == dict.fromkeys(numbers, 1)
    assert server.faults == []


async def _applies(phone: Phone) -> str:
    await registers(phone)
    return await applies(phone)


async def _nothing_waits(http: ClientSession, urls: tuple[str, str]) -> bool:
    said = [await (await http.get(f"{url}/metrics")).text() for url in urls]
    taken = [line for text in said for line in text.splitlines() if 'department="dncc",end="Taken"' in line]
    return sum(float(line.rpartition(" ")[2]) for line in taken) == 10
