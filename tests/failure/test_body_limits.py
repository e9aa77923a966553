"""Bodies up to the limit of a route are read, larger ones and those without an end are refused before they are stored."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from app.runner import build_app, build_runner
from core.http.webhooks import MAX_BODY_BYTES
from sms.routes import MAX_SMS_BODY_BYTES
from tests.support.callback_gateways import build_callback_settings
from tests.support.phone import WEBHOOK_TOKEN
from tests.support.startup_cache import equal_inputs_read_once

PATIENCE = 20.0  # seconds after which a server that answers nothing has hung
PIECE = b"a" * 65_536
SOCKET_BUFFER = 65_536
"""Bytes that each socket holds: the kernel lets the buffers of a socket without this option grow to megabytes."""
MAX_TAKEN = 1024 * 1024
"""Bytes of a body without an end that may be on the way when the answer comes: the buffers of two sockets and of aiohttp."""
TOO_LARGE = 413
GUARDED = {401, 404}
"""What a guard answers before it reads the body."""
CONSOLE_GUARDED = {303, 403, 405}
"""What the console answers before it reads the body: to whom is not signed in, to another site, to an address without a page."""
PAGES = {"/d/{token}": 410}
"""To a body above the limit: a page for people has no field."""
STORED = 200
"""To an inbound SMS above the limit: it is acknowledged, and stored without its fields."""
is_inbound_sms = re.compile(r"/sms/[a-z0-9_-]+").fullmatch


class Route(NamedTuple):
    """A route that takes a body, and what it answers to one above its limit."""

    path: str
    limit: int
    too_large: int


def list_routes(app: web.Application) -> list[Route]:
    paths = {route.resource.canonical for route in app.router.routes() if route.resource and route.method == "POST"}
    return [
        Route(
            re.sub(r"\{[^}]*\}", "abcdefghjkmnpqrst", path),
            MAX_SMS_BODY_BYTES if is_inbound_sms(path) else MAX_BODY_BYTES,
            STORED if is_inbound_sms(path) else PAGES.get(path, TOO_LARGE),
        )
        for path in sorted(paths)
    ]


async def exchange(url: str, path: str, pieces: AsyncIterator[bytes], length: int | None) -> tuple[int, int]:
    """The status of the answer, and the number of bytes that were sent before it came."""
    address, sent = urlsplit(url), 0
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER)
    connection.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connection, (address.hostname, address.port))
    reader, writer = await asyncio.open_connection(sock=connection)
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    head = f"POST {path}?token={WEBHOOK_TOKEN} HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n{framing}\r\n\r\n"
    writer.write(head.encode())
    answer = asyncio.ensure_future(reader.readline())
    try:
        with suppress(ConnectionError):
            async for piece in pieces:
                if answer.done():
                    break
                writer.write(piece if length is not None else b"%x\r\n%b\r\n" % (len(piece), piece))
                await writer.drain()
                sent += len(piece)
        async with asyncio.timeout(PATIENCE):
            status_line = await answer
    finally:
        answer.cancel()
        writer.close()
    return int(status_line.split(b" ")[1]), sent


async def once(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def without_end() -> AsyncIterator[bytes]:
    while True:
        yield PIECE
        await asyncio.sleep(0)


async def check_limit(url: str, route: Route) -> None:
    lengths = (route.limit - 1, route.limit, route.limit + 1)
    below, full, above = [(await exchange(url, route.path, once(b"a" * size), size))[0] for size in lengths]
    announced, _ = await exchange(url, route.path, once(b""), 10**9)
    endless, sent = await exchange(url, route.path, without_end(), None)

    assert below == full != TOO_LARGE, route
    assert full < 500, route
    guarded = CONSOLE_GUARDED if route.path.startswith("/console") else GUARDED
    expected = full if full in guarded else route.too_large
    assert {above, announced, endless} == {expected}, route
    assert sent <= MAX_TAKEN, route


@pytest.mark.slow
async def test_every_route_reads_up_to_its_limit_and_refuses_more(tmp_path: Path) -> None:
    with equal_inputs_read_once():
        app = await build_app(build_callback_settings(tmp_path))
        runner = build_runner(app)
        await runner.setup()
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER)
    try:
        await web.SockSite(runner, listener).start()
        routes = list_routes(app)
        assert len(routes) > 10
        for route in routes:
            await check_limit(f"http://127.0.0.1:{runner.addresses[0][1]}", route)
    finally:
        await runner.cleanup()
