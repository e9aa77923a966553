"""A department's system that runs, and applications handed in for it."""

import pytest

from tests.departments.office import Office
from tests.desk import Desk
from tests.fakes.department_server import DepartmentServer


@pytest.fixture
async def server():
    async with DepartmentServer() as server:
        yield server


@pytest.fixture
def desk(records, clock, pins):
    return Desk(records, clock, pins)


@pytest.fixture
async def office(desk, server):
    """The gateway's side of it: rows, and a connector to the server."""
    async with Office(desk, server) as office:
        await desk.registers()
        yield office
