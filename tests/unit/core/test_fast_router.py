"""POSTs to a fast path skip the router; clients see no difference."""

import asyncio
import socket
from contextlib import asynccontextmanager
from logging import getLogger

import pytest
from aiohttp import ClientSession, web

from core.http.fast_router import LISTEN_BACKLOG, FastPathRunner

PATH = "/busy"


async def echo(request):
    """Respond with the way of the request and its content."""
    way = "straight" if request._match_info is None else "usual"
    return web.Response(text=f"{way} {await request.text()} {request.query.get('token', '')}".strip())


@asynccontextmanager
async def run_app(access_log=None):
    app = web.Application()
    app.add_routes([web.post(PATH, echo), web.get(PATH, echo), web.post("/other", echo)])
    runner = FastPathRunner(app, frozenset({PATH}), access_log=access_log)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}") as http:
            yield http
    finally:
        await runner.cleanup()


async def send_request(http, method, path, **options):
    async with http.request(method, path, **options) as response:
        return response.status, await response.text()


@pytest.mark.parametrize(
    ("method", "path", "options", "answered"),
    [
        ("POST", PATH, {"data": b"a=b"}, (200, "straight a=b")),
        ("POST", f"{PATH}?token=t", {"data": b"a=b"}, (200, "straight a=b t")),
        ("POST", PATH, {"data": b"a=b", "expect100": True}, (200, "usual a=b")),
        ("GET", PATH, {}, (200, "usual")),
        ("PUT", PATH, {}, (405, "405: Method Not Allowed")),
        ("POST", f"{PATH}/", {}, (404, "404: Not Found")),
        ("POST", "/other", {"data": b"a=b"}, (200, "usual a=b")),
    ],
)
async def test_only_a_post_to_the_path_skips_the_router(method, path, options, answered):
    async with run_app() as http:
        assert await asyncio.wait_for(send_request(http, method, path, **options), 5) == answered


async def test_with_an_access_log_every_request_uses_the_router():
    async with run_app(getLogger("access")) as http:
        assert await send_request(http, "POST", PATH, data=b"a=b") == (200, "usual a=b")


async def test_a_fast_path_without_a_route_is_an_error_at_start():
    runner = FastPathRunner(web.Application(), frozenset({"/nowhere"}))
    with pytest.raises(KeyError, match="/nowhere"):
        await runner.setup()
    await runner.cleanup()


async def test_a_listener_keeps_a_burst_of_connections_until_they_are_accepted(monkeypatch):
    """With aiohttp's backlog of 128 the system drops connections of a burst, and their requests come late or never."""
    asked = []
    create_server = asyncio.get_running_loop().create_server

    async def record(*arguments, **options):
        asked.append(options["backlog"])
        return await create_server(*arguments, **options)

    monkeypatch.setattr(asyncio.get_running_loop(), "create_server", record)
    runner = FastPathRunner(web.Application())
    await runner.setup()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        await web.SockSite(runner, listener).start()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        await runner.cleanup()
    assert asked == [LISTEN_BACKLOG] * 2
