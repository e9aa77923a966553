"""What is asked of other people's servers is bounded in octets as well as in time, and says whether it may have arrived."""

import asyncio

import pytest

from assembly.fetching import fetching
from services.client import Request, Unanswered
from tests.fakes.digilocker_server import DigiLockerServer, endless, hang_up, redirect, saying

PATH = "oauth2/1/user"


@pytest.fixture
async def server():
    async with DigiLockerServer() as server:
        yield server


async def answer(server, *, most=1000, deadline=60.0):
    async with fetching(deadline=deadline, most=most) as client, asyncio.timeout(10):
        return await client(Request("GET", f"{server.url}/{PATH}"))


async def test_as_many_octets_as_may_be_are_read_and_not_one_more(server):
    server.then(PATH, saying(bytes(1000)), saying(bytes(1001)))
    assert len((await answer(server)).body) == 1000
    with pytest.raises(Unanswered) as refused:
        await answer(server)
    assert not refused.value.unheard


async def test_what_does_not_say_how_long_it_is_is_read_no_further_either(server):
    server.then(PATH, endless(server))
    with pytest.raises(Unanswered):
        await answer(server, most=200_000)


async def test_a_redirect_is_an_answer(server):
    server.then(PATH, redirect())
    assert (await answer(server)).status == 302
    assert server.paths() == [PATH]


async def test_a_connection_that_is_cut_may_have_been_heard_and_one_that_never_was_not(server):
    server.then(PATH, hang_up(), hang_up())  # aiohttp itself asks a second time where nothing can happen twice
    with pytest.raises(Unanswered) as cut:
        await answer(server)
    assert not cut.value.unheard
    server.url = "http://127.0.0.1:1"
    with pytest.raises(Unanswered) as nobody:
        await answer(server)
    assert nobody.value.unheard


async def test_cookies_are_not_kept(server):
    server.then(PATH, saying(b"{}", **{"Set-Cookie": "session=1; Path=/"}))
    async with fetching(deadline=5, most=1000) as client:
        for _ in range(2):
            await client(Request("GET", f"{server.url}/{PATH}"))
    assert "Cookie" not in server.asked[1].headers
