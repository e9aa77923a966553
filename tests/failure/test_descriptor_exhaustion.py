"""A gateway that may open few files refuses what does not fit, serves the rest, and says so."""

import asyncio
import contextlib
import resource
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession

from tests.support.program import ProgramProcess, run_server

LIMIT = 256  # files
CLIENTS = 300
PATIENCE = 20.0  # seconds after which something hangs
REQUEST = b"GET /healthz HTTP/1.1\r\nHost: gateway\r\n\r\n"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits of other processes are set on Linux only"),
]


class Connection:
    """One connection of a client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer

    async def ask(self) -> str:
        """The status of the response; empty where the connection is closed without one."""
        with contextlib.suppress(ConnectionError):
            self.writer.write(REQUEST)
            return (await self._reader.read(4096)).decode().partition(" ")[2][:3]
        return ""


async def connect(url: str) -> Connection:
    address = urlsplit(url)
    return Connection(*await asyncio.open_connection(address.hostname, address.port))


def find_next_descriptor(gateway: ProgramProcess) -> int:
    """The lowest descriptor that is free, which is the next one: a limit of that number leaves none."""
    used = {int(path.name) for path in Path(f"/proc/{gateway.process.pid}/fd").iterdir()}
    return min(set(range(LIMIT)) - used)


def set_file_limit(gateway: ProgramProcess, limit: int) -> None:
    resource.prlimit(gateway.process.pid, resource.RLIMIT_NOFILE, (limit, LIMIT))


async def wait_for_line(gateway: ProgramProcess, text: str) -> None:
    while text not in gateway.output:  # noqa: ASYNC110 (another process writes it)
        await asyncio.sleep(0.05)


async def wait_until_served(url: str) -> None:
    connection = await connect(url)
    while await connection.ask() != "200":
        connection.writer.close()
        await asyncio.sleep(0.05)
        connection = await connect(url)
    connection.writer.close()


async def test_few_files_are_for_those_who_are_connected_and_the_rest_is_refused(tmp_path: Path) -> None:
    with run_server(tmp_path, open_files=LIMIT) as gateway:
        url, admin_url = gateway.url, gateway.admin_url
        assert f"event=open_files_limit_too_low allowed={LIMIT}" in gateway.output
        async with asyncio.timeout(PATIENCE), ClientSession() as http:
            connections = [await connect(url) for _ in range(CLIENTS)]
            for _ in range(2):
                statuses = [await connection.ask() for connection in connections]
                assert Counter(statuses)["200"] > 30
                assert set(statuses) <= {"200", "503", ""}
            async with http.get(f"{admin_url}/readyz") as response:
                assert response.status == 200
            assert gateway.output.count("event=connections_refused") == 1

            set_file_limit(gateway, find_next_descriptor(gateway))  # as if something else used up all that are left
            await wait_for_line(gateway, "event=file_descriptors_exhausted")
            refused = await connect(url)
            assert await refused.ask() == ""
            refused.writer.close()
            assert await connections[0].ask() == "200"

            set_file_limit(gateway, LIMIT)
            for connection in connections:
                connection.writer.close()
            await wait_until_served(url)
            async with http.get(f"{admin_url}/readyz") as response:
                assert response.status == 200
        assert gateway.output.count("event=file_descriptors_exhausted") == 1
        assert "Traceback" not in gateway.output
