"""A fake department server, and handlers of USSD sessions without a server."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.department_server import DepartmentServer
from tests.support.path_sessions import Gateways, open_gateways


@pytest.fixture
async def server():
    async with DepartmentServer() as server:
        yield server


@pytest.fixture
async def path_gateways(tmp_path: Path) -> AsyncIterator[Gateways]:
    async with open_gateways(tmp_path) as gateways:
        yield gateways
