"""The prebuilt response has the headers and the body of aiohttp's own, which is used where it must be."""

import asyncio
import re

import pytest
from aiohttp import web

from core.http.fast_response import build_text_response
from core.http.fast_router import FastPathRunner

SCREEN = "CON Ekdial\n1 সেবা খুঁজুন\n0 Back"
TRACE = ("at-ussd-hop-metadata", "main.12.5-9")


async def fast_handler(request):
    return build_text_response(request, SCREEN, TRACE if request.query_string else None)


async def aiohttp_handler(request):
    return web.Response(text=SCREEN, headers=dict([TRACE]) if request.query_string else None)


@pytest.fixture
async def server():
    app = web.Application()
    for path, handler in (("/ours", fast_handler), ("/theirs", aiohttp_handler)):
        app.router.add_route("*", path, handler)
    runner = FastPathRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0]
    await runner.cleanup()


async def send_request(server, path, *, method="POST", version="1.1", more=""):
    """Head and body of the response without the date."""
    reader, writer = await asyncio.open_connection(*server)
    writer.write(f"{method} {path} HTTP/{version}\r\nHost: h\r\nContent-Length: 0\r\n{more}\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(re.search(rb"Content-Length: (\d+)", head)[1])
    body = b"" if method == "HEAD" else await reader.readexactly(length)
    writer.close()
    return re.sub(rb"Date: .*? GMT", b"Date: now", head), body


def parse_headers(head):
    first, *rest = head.decode().strip().split("\r\n")
    return first, sorted(rest)


@pytest.mark.parametrize("query", ["", "?traced"])
@pytest.mark.parametrize(
    "http_request",
    [
        {},
        {"version": "1.0"},
        {"version": "1.0", "more": "Connection: keep-alive\r\n"},
        {"more": "Connection: close\r\n"},
    ],
    ids=str,
)
async def test_a_prebuilt_response_has_the_headers_of_any_other(server, query, http_request):
    ours, theirs = (
        await send_request(server, f"/ours{query}", **http_request),
        await send_request(server, f"/theirs{query}", **http_request),
    )
    assert (parse_headers(ours[0]), ours[1]) == (parse_headers(theirs[0]), theirs[1])


async def test_the_connection_serves_the_next_request(server):
    reader, writer = await asyncio.open_connection(*server)
    for _ in range(3):
        writer.write(b"POST /ours HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\na=b")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 OK\r\n")
        assert (await reader.readexactly(len(SCREEN.encode()))).decode() == SCREEN
    writer.close()
