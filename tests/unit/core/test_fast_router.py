"""POSTs to a fast path skip the router; clients see no difference."""

import asyncio
import socket
from contextlib import asynccontextmanager
from logging import getLogger

import pytest
from aiohttp import ClientSession, web
from yarl import URL

from core.http.fast_router import LISTEN_BACKLOG, FastPathRunner

PATH = "/busy"


async def echo(request):
    """Respond with the way of the request and its content."""
    way = "straight" if request._match_info is None else "usual"
    return web.Response(text=f"{way} {await request.text()} {request.query.get('token', '')}".strip())


@asynccontextmanager
async def run_app(access_log=None, middlewares=()):
    app = web.Application(middlewares=middlewares)
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
    async with http.request(method, URL(f"{http._base_url.origin()}{path}", encoded=True), **options) as response:
        return response.status, await response.text()


@pytest.mark.parametrize(
    ("method", "path", "options", "answered"),
    [
        ("POST", PATH, {"data": b"a=b"}, (200, "straight a=b")),
        ("POST", f"{PATH}?token=t", {"data": b"a=b"}, (200, "straight a=b t")),
        ("POST", PATH, {"data": b"a=b", "expect100": True}, (200, "usual a=b")),
        ("GET", PATH, {}, (200, "usual")),
        ("PUT", PATH, {}, (405, "405: Method Not Allowed")),
        ("POST", f"{PATH}/", {"data": b"a=b"}, (200, "straight a=b")),
        ("POST", f"/{PATH}//?token=t", {"data": b"a=b"}, (200, "straight a=b t")),
        ("POST", f"{PATH}/", {"data": b"a=b", "expect100": True}, (200, "usual a=b")),
        ("GET", f"/{PATH}/", {}, (200, "usual")),
        ("PUT", f"{PATH}/", {}, (405, "405: Method Not Allowed")),
        ("POST", f"{PATH}/x", {}, (404, "404: Not Found")),
        ("POST", f"{PATH}%2F", {}, (404, "404: Not Found")),
        ("POST", f"/.{PATH}", {}, (404, "404: Not Found")),
        ("POST", "//", {}, (404, "404: Not Found")),
        ("POST", "/other/", {"data": b"a=b"}, (200, "usual a=b")),
        ("POST", "/other", {"data": b"a=b"}, (200, "usual a=b")),
    ],
)
async def test_only_a_post_to_the_path_skips_the_router(method, path, options, answered):
    async with run_app() as http:
        assert await asyncio.wait_for(send_request(http, method, path, **options), 5) == answered


@pytest.mark.parametrize("target", ["{path}", "{path}/", "/{path}", "{path}///", "http://gateway.example{path}/"])
async def test_nothing_behind_the_dispatcher_sees_more_slashes(target):
    """Guards and limits that look at the path cannot be passed by with another spelling of it."""
    seen = []

    @web.middleware
    async def record(request, handler):
        seen.append((request.path, request.raw_path, request.rel_url.raw_path, request.url.raw_path, request.path_qs))
        return await handler(request)

    async with run_app(middlewares=[record]) as http:
        host, port = http._base_url.host, http._base_url.port
        head = f"GET {target.format(path='/seen/%2F.')}?token=a%2Fb%2F%2Fc/ HTTP/1.0\r\nHost: gateway.example\r\n\r\n"
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(head.encode())
        response = await reader.read()
        writer.close()
    assert response.endswith(b"404: Not Found")
    query = "?token=a%2Fb%2F%2Fc/"
    expected = ("/seen//.", f"/seen/%2F.{query}", "/seen/%2F.", "/seen/%2F.", f"/seen/%2F.{query}")
    if target == "http://gateway.example{path}":
        expected = (expected[0], f"http://gateway.example{expected[1]}", *expected[2:])
    assert seen == [expected]


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
