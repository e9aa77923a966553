"""While processes are replaced under load, no request is reset, refused or answered with an error."""

import asyncio
import contextlib
import re
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.program import SECRET, ProgramProcess, child_pids, run_gunicorn, run_server
from tests.support.servers import LocalRedis

CONNECTIONS = 20
PATIENCE = 60.0  # seconds after which something hangs: two workers start meanwhile, perhaps on a busy machine
TOKEN = "a-webhook-token-for-tests-that-is-long-enough"
PACE = 0.02  # seconds between two requests of a connection

pytestmark = pytest.mark.slow


def build_key_press(number: int) -> bytes:
    """The first request of a session, on a connection that stays open."""
    body = f"sessionId=s{number}&serviceCode=%2A123%23&phoneNumber=%2B88017{number:08}&networkCode=99999&text="
    head = f"POST /ussd/africastalking?token={TOKEN} HTTP/1.1\r\nHost: gateway\r\nContent-Length: {len(body)}\r\n\r\n"
    return f"{head}{body}".encode()


class Load:
    """Clients that send on open connections, and open another where the answer closes one."""

    def __init__(self, url: str) -> None:
        self.outcomes: Counter[str] = Counter()
        """The number of answers by status, and of failures by kind."""
        self._address = urlsplit(url)

    async def call(self, number: int) -> None:
        """Send requests until cancelled."""
        while True:
            try:
                reader, writer = await asyncio.open_connection(self._address.hostname, self._address.port)
            except OSError as error:
                self.outcomes[f"connect {type(error).__name__}"] += 1
                await asyncio.sleep(PACE)
                continue
            with contextlib.closing(writer):
                await self._send(number, reader, writer)

    async def _send(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = b""
        while b"connection: close" not in head:
            try:
                writer.write(build_key_press(number))
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                await reader.readexactly(int(head.partition(b"content-length:")[2].split()[0]))
            except (OSError, asyncio.IncompleteReadError) as error:
                self.outcomes[type(error).__name__] += 1
                return
            self.outcomes[head.split(b" ")[1].decode()] += 1
            await asyncio.sleep(PACE)


@contextlib.asynccontextmanager
async def under_load(url: str) -> AsyncIterator[Load]:
    """Load on the gateway for the block."""
    load = Load(url)
    calls = [asyncio.create_task(load.call(number)) for number in range(CONNECTIONS)]
    try:
        await wait_until(lambda: load.outcomes["200"] >= 10 * CONNECTIONS)
        yield load
    finally:
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)


async def wait_until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 (another process's state)
            await asyncio.sleep(0.02)


def has_ended(gateway: ProgramProcess) -> bool:
    return gateway.process.poll() is not None


async def test_hup_replaces_the_workers_of_gunicorn(tmp_path: Path) -> None:
    with LocalRedis() as redis:
        values = {"REDIS__URL": redis.url, "KEYS__SECRET": SECRET, "WEBHOOKS__TOKENS": TOKEN}
        with run_gunicorn(tmp_path, "--workers", "2", SERVER__DRAIN_SECONDS="1", **values) as master:
            url = master.url
            async with under_load(url) as load:
                await wait_until(lambda: len(child_pids(master.process.pid)) == 2)
                former = set(child_pids(master.process.pid))
                master.send_signal(signal.SIGHUP)
                await wait_until(lambda: former.isdisjoint(child_pids(master.process.pid)))
                answered = load.outcomes["200"]
                await wait_until(lambda: load.outcomes["200"] >= answered + 10 * CONNECTIONS)
            assert set(load.outcomes) == {"200"}
            master.send_signal(signal.SIGTERM)
            assert master.wait_for_exit() == 0
            assert not re.search("Traceback|Error while closing", master.output)


async def test_what_is_sent_before_the_end_of_a_process_is_answered(tmp_path: Path) -> None:
    with run_server(tmp_path, SERVER__DRAIN_SECONDS="1", KEYS__SECRET=SECRET, WEBHOOKS__TOKENS=TOKEN) as gateway:
        async with under_load(gateway.url) as load:
            gateway.send_signal(signal.SIGTERM)
            await wait_until(lambda: has_ended(gateway))
        # A connection that waited to be accepted as the listener closed is reset: nothing was sent over it.
        assert set(load.outcomes) - {"connect ConnectionResetError"} == {"200", "connect ConnectionRefusedError"}
        assert gateway.wait_for_exit() == 0
