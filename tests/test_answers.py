"""The answer in one piece: the same octets as aiohttp's own response, and aiohttp's own wherever it must be."""

import asyncio
import re

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from answers import answer

SCREEN = "CON Ekdial\n1 সেবা খুঁজুন\n0 Back"
TRACE = ("at-ussd-hop-metadata", "main.12.5-9")


async def plain(request):
    return answer(request, SCREEN, TRACE if request.query_string else None)


async def by_aiohttp(request):
    return web.Response(text=SCREEN, headers=dict([TRACE]) if request.query_string else None)


@pytest.fixture
async def server():
    app = web.Application()
    for path, handler in (("/ours", plain), ("/theirs", by_aiohttp)):
        app.router.add_route("*", path, handler)
    async with TestServer(app) as server:
        yield server


async def sent(server, path, *, method="POST", version="1.1", more=""):
    """Head and body of the response, with the date left out."""
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(f"{method} {path} HTTP/{version}\r\nHost: h\r\nContent-Length: 0\r\n{more}\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(re.search(rb"Content-Length: (\d+)", head)[1])
    body = b"" if method == "HEAD" else await reader.readexactly(length)
    writer.close()
    return re.sub(rb"Date: .*? GMT", b"Date: now", head), body


def headers_of(head):
    first, *rest = head.decode().strip().split("\r\n")
    return first, sorted(rest)


@pytest.mark.parametrize("query", ["", "?traced"])
@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"version": "1.0"},
        {"version": "1.0", "more": "Connection: keep-alive\r\n"},
        {"more": "Connection: close\r\n"},
    ],
    ids=str,
)
async def test_it_is_what_aiohttp_would_send(server, query, asked):
    ours, theirs = await sent(server, f"/ours{query}", **asked), await sent(server, f"/theirs{query}", **asked)
    assert (headers_of(ours[0]), ours[1]) == (headers_of(theirs[0]), theirs[1])


async def test_the_connection_serves_the_next_hop(server):
    reader, writer = await asyncio.open_connection(server.host, server.port)
    for _ in range(3):
        writer.write(b"POST /ours HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\na=b")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 OK\r\n")
        assert (await reader.readexactly(len(SCREEN.encode()))).decode() == SCREEN
    writer.close()
