"""Requests to other systems are limited in size and time, and tell whether they can have arrived."""

import asyncio
from time import monotonic

import pytest

from core.deadline import Deadline, running_until
from core.http.aiohttp_client import open_http_client
from core.http.client import HttpRequest, NoResponseError
from tests.fakes.digilocker_server import DigiLockerServer, drop_connection, respond, respond_redirect, stream_endlessly

PATH = "oauth2/1/user"


@pytest.fixture
async def server():
    async with DigiLockerServer() as server:
        yield server


async def fetch(server, *, limit=1000, deadline=60.0):
    async with open_http_client(deadline=deadline, max_bytes=limit) as client, asyncio.timeout(10):
        return await client(HttpRequest("GET", f"{server.url}/{PATH}"))


async def test_a_response_of_the_maximum_size_is_read_and_a_larger_one_is_not(server):
    server.respond_with(PATH, respond(bytes(1000)), respond(bytes(1001)))
    assert len((await fetch(server)).body) == 1000
    with pytest.raises(NoResponseError) as refused:
        await fetch(server)
    assert not refused.value.never_arrived


async def test_a_response_of_unknown_length_is_limited_too(server):
    server.respond_with(PATH, stream_endlessly(server))
    with pytest.raises(NoResponseError):
        await fetch(server, limit=200_000)


async def test_a_redirect_is_a_response(server):
    server.respond_with(PATH, respond_redirect())
    assert (await fetch(server)).status == 302
    assert server.request_paths() == [PATH]


async def test_only_a_failed_connection_counts_as_never_arrived(server):
    server.respond_with(
        PATH, drop_connection(), drop_connection()
    )  # aiohttp itself asks a second time where nothing can happen twice
    with pytest.raises(NoResponseError) as cut:
        await fetch(server)
    assert not cut.value.never_arrived
    server.url = "http://127.0.0.1:1"
    with pytest.raises(NoResponseError) as nobody:
        await fetch(server)
    assert nobody.value.never_arrived


async def test_cookies_are_not_stored(server):
    server.respond_with(PATH, respond(b"{}", **{"Set-Cookie": "session=1; Path=/"}))
    async with open_http_client(deadline=5, max_bytes=1000) as client:
        for _ in range(2):
            await client(HttpRequest("GET", f"{server.url}/{PATH}"))
    assert "Cookie" not in server.requests[1].headers


async def test_nothing_is_sent_for_a_caller_whose_time_is_over_and_nobody_waits_beyond_it(server):
    server.respond_with(PATH, respond(b"{}"), stream_endlessly(server))
    with running_until(Deadline(monotonic() - 8, 8.0)), pytest.raises(NoResponseError) as late:
        await fetch(server)
    assert late.value.never_arrived
    assert server.request_paths() == []
    await fetch(server)
    with running_until(Deadline(monotonic(), 0.1)), pytest.raises(NoResponseError):
        await fetch(server, limit=10**9)
