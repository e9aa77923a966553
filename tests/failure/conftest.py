"""A fake department server."""

import pytest

from tests.fakes.department_server import DepartmentServer


@pytest.fixture
async def server():
    async with DepartmentServer() as server:
        yield server
