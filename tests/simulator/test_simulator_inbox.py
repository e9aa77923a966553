"""SMS as server-sent events, from a server as it is in production."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientResponse, ClientSession

from tests.simulator.scripted_gateway import NUMBER, Gateway, serving

QUICK = 0.01  # seconds between heartbeats
PATIENCE = 10.0  # seconds; a test that waits longer has failed


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with serving(heartbeat=QUICK) as running:
        yield running


@pytest.fixture
async def browser(gateway: Gateway) -> AsyncIterator[ClientSession]:
    async with ClientSession(gateway.url) as session:
        yield session


async def events(response: ClientResponse) -> AsyncIterator[tuple[str, str]]:
    """Each event as its id (or its name, where it has no id) and its data."""
    name = ""
    async with asyncio.timeout(PATIENCE):
        async for line in response.content:
            key, _, value = line.decode().rstrip("\n").partition(": ")
            if key in {"id", "event"}:
                name = value
            elif key == "data":
                yield name, value


async def texts(response: ClientResponse, count: int) -> list[str]:
    found = []
    async for name, data in events(response):
        if name != "listening":
            found.append(json.loads(data)["text"])
        if len(found) == count:
            break
    return found


async def until_nobody_listens(gateway: Gateway) -> None:
    async with asyncio.timeout(PATIENCE):
        while gateway.sms._listeners:  # noqa: ASYNC110 - the feed tells nobody who has left
            await asyncio.sleep(QUICK)


async def test_what_is_in_the_inbox_comes_first_and_then_what_arrives(gateway: Gateway, browser: ClientSession) -> None:
    await gateway.sms.send(NUMBER, "482913 is your Ekdial code.")
    async with browser.get("/simulator/sms", params={"number": NUMBER}) as response:
        assert response.content_type == "text/event-stream"
        stream = events(response)
        name, data = await anext(stream)
        assert await anext(stream) == ("listening", "now")
        await gateway.sms.send(NUMBER, "তৃতীয়\nলাইন")
        assert json.loads((await anext(stream))[1])["text"] == "তৃতীয়\nলাইন"
    sms = gateway.sms.messages_to(NUMBER)[0]
    assert name == sms.id
    assert json.loads(data) == {"id": sms.id, "from": "123", "text": sms.text, "at": sms.at.isoformat()}


async def test_a_message_comes_to_its_own_number_only(gateway: Gateway, browser: ClientSession) -> None:
    await gateway.sms.send("+254700000001", "for somebody else")
    async with browser.get("/simulator/sms", params={"number": NUMBER}) as response:
        await gateway.sms.send("+254700000001", "again for somebody else")
        await gateway.sms.send(NUMBER, "for you")
        assert await texts(response, 1) == ["for you"]


async def test_a_browser_that_comes_back_gets_what_it_missed(gateway: Gateway, browser: ClientSession) -> None:
    for text in ("one", "two", "three"):
        await gateway.sms.send(NUMBER, text)
    seen = gateway.sms.messages_to(NUMBER)[0].id
    async with browser.get("/simulator/sms", params={"number": NUMBER}, headers={"Last-Event-ID": seen}) as response:
        assert await texts(response, 2) == ["two", "three"]


async def test_a_browser_that_saw_another_gateway_gets_everything(gateway: Gateway, browser: ClientSession) -> None:
    await gateway.sms.send(NUMBER, "one")
    gone = {"Last-Event-ID": "of a gateway that was restarted"}
    async with browser.get("/simulator/sms", params={"number": NUMBER}, headers=gone) as response:
        assert await texts(response, 1) == ["one"]


@pytest.mark.parametrize("number", ["", "8801700000001", " 8801700000001", "+", "+01700000001", "EKDIAL"])
async def test_only_a_number_has_an_inbox(browser: ClientSession, number: str) -> None:
    async with browser.get("/simulator/sms", params={"number": number}) as response:
        assert response.status == 400
        assert "%2B" in await response.text()


async def test_a_quiet_stream_says_now_and_then_that_it_is_there(browser: ClientSession) -> None:
    async with browser.get("/simulator/sms", params={"number": NUMBER}) as response, asyncio.timeout(PATIENCE):
        await response.content.readuntil(b": here\n\n")
        await response.content.readuntil(b": here\n\n")


async def test_a_browser_that_leaves_is_no_longer_listened_for(gateway: Gateway, browser: ClientSession) -> None:
    async with browser.get("/simulator/sms", params={"number": NUMBER}) as response:
        await response.content.readline()
        assert gateway.sms._listeners
    await until_nobody_listens(gateway)


async def test_a_browser_that_leaves_without_a_word_is_noticed_too(gateway: Gateway, browser: ClientSession) -> None:
    response = await browser.get("/simulator/sms", params={"number": NUMBER})
    assert response.connection is not None
    assert response.connection.transport is not None
    response.connection.transport.abort()
    await until_nobody_listens(gateway)
    response.close()


async def test_every_stream_ends_when_the_server_does() -> None:
    async with asyncio.timeout(PATIENCE), ClientSession() as browser:
        async with serving(heartbeat=3600) as gateway:
            one = await browser.get(f"{gateway.url}/simulator/sms", params={"number": NUMBER})
            other = await browser.get(f"{gateway.url}/simulator/sms", params={"number": "+254700000001"})
            await one.content.readline()
        assert b"listening" in await one.read(), "read to a proper end, or this would have raised"
        assert b"listening" in await other.read()


async def test_a_message_is_never_lost_between_two_heartbeats(gateway: Gateway, browser: ClientSession) -> None:
    async with browser.get("/simulator/sms", params={"number": NUMBER}) as response:
        for number in range(50):
            await gateway.sms.send(NUMBER, str(number))
            await asyncio.sleep(QUICK / 7)
        assert await texts(response, 50) == [str(number) for number in range(50)]
