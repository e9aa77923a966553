"""The short way to the busiest route: taken for its POSTs alone, and noticed by nobody."""

import asyncio
from contextlib import asynccontextmanager
from logging import getLogger

import pytest
from aiohttp import ClientSession, web

from straight import StraightRunner

PATH = "/busy"


async def told(request):
    """Which way the request came, and what it brought."""
    way = "straight" if request._match_info is None else "usual"
    return web.Response(text=f"{way} {await request.text()} {request.query.get('token', '')}".strip())


@asynccontextmanager
async def running(access_log=None):
    app = web.Application()
    app.add_routes([web.post(PATH, told), web.get(PATH, told), web.post("/other", told)])
    runner = StraightRunner(app, frozenset({PATH}), access_log=access_log)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}") as http:
            yield http
    finally:
        await runner.cleanup()


async def answer(http, method, path, **options):
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
async def test_only_a_post_to_the_path_goes_straight(method, path, options, answered):
    async with running() as http:
        assert await asyncio.wait_for(answer(http, method, path, **options), 5) == answered


async def test_with_an_access_log_every_request_is_known_by_its_route():
    async with running(getLogger("access")) as http:
        assert await answer(http, "POST", PATH, data=b"a=b") == (200, "usual a=b")


async def test_a_path_that_there_is_none_of_is_told_at_start():
    runner = StraightRunner(web.Application(), frozenset({"/nowhere"}))
    with pytest.raises(KeyError, match="/nowhere"):
        await runner.setup()
    await runner.cleanup()
