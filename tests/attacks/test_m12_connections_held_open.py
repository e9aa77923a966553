"""M12: nobody keeps a connection by sending nothing, half a request or a slow body, nor all connections for themselves."""

import asyncio
import contextlib
import json
import re
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession, web
from structlog.testing import capture_logs

from core.http.fast_router import FastPathRunner
from core.http.limits import HttpLimits
from tests.support.phone import build_settings, read_metrics, run_gateway
from tests.support.program import SECRET, run_gunicorn, run_server
from tests.support.raw_http import build_request

GENEROUS = 15.0  # seconds after which a connection that is still open counts as held for ever; deadlines are far below
SHORT = {"SERVER__HEADER_DEADLINE": "0.3", "SERVER__BODY_DEADLINE": "0.3", "SERVER__KEEP_ALIVE": "1"}
FORM = b"phoneNumber=%2B254700000001"
HALVES = {
    "nothing": [],
    "half a request line": [b"GET /heal"],
    "half the headers": [b"GET /healthz HTTP/1.1\r\nHost: gate"],
    "a header at a time": [b"GET /healthz HTTP/1.1\r\n", *[b"X-More: 1\r\n"] * 100],
    "a body that does not come": [build_request("POST", "/ussd/africastalking", "Content-Length: 500", body=FORM)],
    "a body to the API": [
        build_request("POST", "/api/v1/applications/123456789012/events", "Content-Length: 500", body=b"{")
    ],
    "a body to a link": [build_request("POST", "/d/abcdefghjkmnpqrst", "Content-Length: 500", body=b"pin=")],
    "a body to nothing": [build_request("POST", "/nothing", "Content-Length: 500", body=b"x")],
    "a chunk that does not come": [
        build_request("POST", "/ussd/africastalking", "Transfer-Encoding: chunked", body=b"50\r\nx")
    ],
    "a body a byte at a time": [
        build_request("POST", "/ussd/africastalking", "Content-Length: 500", body=FORM),
        *[b"x"] * 100,
    ],
    "idle after a request": [b"GET /healthz HTTP/1.1\r\nHost: g\r\n\r\n"],
    "half of the next request": [b"GET /healthz HTTP/1.1\r\nHost: g\r\n\r\n", b"GET /hea"],
}
"""Parts that are sent a tenth of a second apart."""


@asynccontextmanager
async def connect(url: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def send_until_closed(url: str, parts: list[bytes]) -> bytes:
    """All that the server answers until it closes the connection.

    Raises:
        TimeoutError: It holds the connection.
    """
    async with asyncio.timeout(GENEROUS), connect(url) as (reader, writer):
        received = asyncio.ensure_future(reader.read())
        with contextlib.suppress(ConnectionError):
            for part in parts:
                if received.done():
                    break
                writer.write(part)
                await asyncio.sleep(0.1)
            return await received
    return b""


async def test_m12_no_half_of_a_request_keeps_a_connection(tmp_path: Path) -> None:
    async with run_gateway(build_settings(tmp_path, **SHORT)) as url, ClientSession() as http:
        await asyncio.gather(*(send_until_closed(url, parts) for parts in HALVES.values()))
        metrics = await read_metrics(http, url)
    for reason in ("headers", "body"):
        assert re.search(rf'ekdial_connections_closed_total{{reason="{reason}"}} [1-9]', metrics)


@pytest.mark.slow
@pytest.mark.parametrize("run", [run_server, run_gunicorn])
async def test_m12_no_half_of_a_request_keeps_a_connection_of_the_program(tmp_path: Path, run) -> None:
    with run(tmp_path, KEYS__SECRET=SECRET, **SHORT) as running:
        url = running.url
        await asyncio.gather(*(send_until_closed(url, parts) for parts in HALVES.values()))
    assert "Traceback" not in running.output


async def test_m12_a_body_that_does_not_come_to_the_api_is_told_so(tmp_path: Path) -> None:
    async def read(request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    app = web.Application()
    app.add_routes([web.post("/", read)])
    async with run_app(app, body_deadline=0.2) as url:
        answer = await send_until_closed(url, [build_request("POST", "/", "Content-Length: 5", body=b"x")])
    assert answer.startswith(b"HTTP/1.1 408 ")


@asynccontextmanager
async def run_app(app: web.Application, **limits: float) -> AsyncIterator[str]:
    runner = FastPathRunner(app, limits=HttpLimits(**limits))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_m12_a_client_that_does_not_read_loses_its_connection() -> None:
    ended = asyncio.Event()

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 65536)
        except ConnectionError:
            ended.set()
            raise

    app = web.Application()
    app.add_routes([web.get("/", stream)])
    async with run_app(app, send_deadline=0.3) as url:
        address = urlsplit(url)
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.setblocking(False)
            await asyncio.get_running_loop().sock_connect(slow, (address.hostname, address.port))
            await asyncio.get_running_loop().sock_sendall(slow, build_request("GET", "/"))
            async with asyncio.timeout(GENEROUS):
                await ended.wait()


async def test_m12_a_client_that_reads_slowly_gets_all_of_a_document() -> None:
    size = 3_000_000

    async def document(_: web.Request) -> web.Response:
        return web.Response(body=bytes(size))

    app = web.Application()
    app.add_routes([web.get("/", document)])
    async with run_app(app, send_deadline=2.0) as url, connect(url) as (reader, writer):
        writer.write(build_request("GET", "/"))
        received = b""
        while piece := await reader.read(65536):
            received += piece
            await asyncio.sleep(0.01)
    assert len(received) > size


@pytest.mark.parametrize(("setting", "limit"), [("MAX_CONNECTIONS", 20), ("MAX_CONNECTIONS_PER_ADDRESS", 10)])
async def test_m12_above_the_limit_a_connection_is_closed_at_once_and_said_once(
    tmp_path: Path, setting: str, limit: int
) -> None:
    settings = build_settings(tmp_path, **{f"SERVER__{setting}": str(limit)})
    with capture_logs() as logs:
        async with run_gateway(settings) as url, contextlib.AsyncExitStack() as held:
            open_ones = [await held.enter_async_context(connect(url)) for _ in range(limit)]
            began = time.monotonic()
            for _ in range(30):
                async with connect(url) as (reader, _writer):
                    answer = await asyncio.wait_for(reader.read(), GENEROUS)
                    assert answer.startswith(b"HTTP/1.1 503 ") or not answer
            assert time.monotonic() - began < GENEROUS
            open_ones[0][1].close()
            async with asyncio.timeout(GENEROUS), ClientSession() as http:
                while True:
                    with contextlib.suppress(OSError):
                        async with http.get(f"{url}/healthz") as answer:
                            if answer.status == 200:
                                break
                    await asyncio.sleep(0.02)
    refused = [line for line in logs if line["event"] == "connections_refused"]
    assert len(refused) == 1


async def test_m12_our_own_proxy_may_use_all_connections(tmp_path: Path) -> None:
    settings = build_settings(
        tmp_path, SERVER__MAX_CONNECTIONS_PER_ADDRESS="5", WEBHOOKS__TRUSTED_PROXIES=json.dumps(["127.0.0.1"])
    )
    async with run_gateway(settings) as url, contextlib.AsyncExitStack() as held, ClientSession() as http:
        for _ in range(20):
            await held.enter_async_context(connect(url))
        async with http.get(f"{url}/healthz") as answer:
            assert answer.status == 200
