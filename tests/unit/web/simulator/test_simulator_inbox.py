"""SMS as server-sent events, from a server as in production."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientResponse, ClientSession

from tests.support.scripted_gateway import MSISDN, ScriptedGateway, run_scripted_gateway
from web.simulator.wallets import NoWallets

SHORT_TIMEOUT = 0.01  # seconds between heartbeats
TIMEOUT = 10.0  # seconds; a test that waits longer has failed


@pytest.fixture
async def gateway() -> AsyncIterator[ScriptedGateway]:
    async with run_scripted_gateway(heartbeat=SHORT_TIMEOUT) as running:
        yield running


@pytest.fixture
async def browser(gateway: ScriptedGateway) -> AsyncIterator[ClientSession]:
    async with ClientSession(gateway.url) as session:
        yield session


async def read_events(response: ClientResponse) -> AsyncIterator[tuple[str, str]]:
    """Each event as its id, or its name if it has no id, and its data."""
    name = ""
    async with asyncio.timeout(TIMEOUT):
        async for line in response.content:
            key, _, value = line.decode().rstrip("\n").partition(": ")
            if key in {"id", "event"}:
                name = value
            elif key == "data":
                yield name, value


async def read_texts(response: ClientResponse, count: int) -> list[str]:
    found = []
    async for name, data in read_events(response):
        if name != "listening":
            found.append(json.loads(data)["text"])
        if len(found) == count:
            break
    return found


async def wait_until_unsubscribed(gateway: ScriptedGateway) -> None:
    async with asyncio.timeout(TIMEOUT):
        while gateway.sms._listeners:  # noqa: ASYNC110 - the feed tells nobody who has left
            await asyncio.sleep(SHORT_TIMEOUT)


async def test_what_is_in_the_inbox_comes_first_and_then_what_arrives(
    gateway: ScriptedGateway, browser: ClientSession
) -> None:
    await gateway.deliver(MSISDN, "482913 is your Ekdial code (OTP).")
    async with browser.get("/simulator/sms", params={"number": MSISDN}) as response:
        assert response.content_type == "text/event-stream"
        stream = read_events(response)
        name, data = await anext(stream)
        assert await anext(stream) == ("listening", "now")
        await gateway.deliver(MSISDN, "তৃতীয়\nলাইন")
        assert json.loads((await anext(stream))[1])["text"] == "তৃতীয়\nলাইন"
    sms = gateway.sms.messages_to(MSISDN)[0]
    assert name == sms.id
    assert json.loads(data) == {"id": sms.id, "from": "123", "text": sms.text, "at": sms.sent_at.isoformat()}


async def test_a_message_comes_to_its_own_number_only(gateway: ScriptedGateway, browser: ClientSession) -> None:
    await gateway.deliver("+254700000001", "for somebody else")
    async with browser.get("/simulator/sms", params={"number": MSISDN}) as response:
        await gateway.deliver("+254700000001", "again for somebody else")
        await gateway.deliver(MSISDN, "for you")
        assert await read_texts(response, 1) == ["for you"]


async def test_a_browser_that_comes_back_gets_what_it_missed(gateway: ScriptedGateway, browser: ClientSession) -> None:
    for text in ("one", "two", "three"):
        await gateway.deliver(MSISDN, text)
    seen = gateway.sms.messages_to(MSISDN)[0].id
    async with browser.get("/simulator/sms", params={"number": MSISDN}, headers={"Last-Event-ID": seen}) as response:
        assert await read_texts(response, 2) == ["two", "three"]


async def test_a_browser_that_saw_another_gateway_gets_everything(
    gateway: ScriptedGateway, browser: ClientSession
) -> None:
    await gateway.deliver(MSISDN, "one")
    gone = {"Last-Event-ID": "of a gateway that was restarted"}
    async with browser.get("/simulator/sms", params={"number": MSISDN}, headers=gone) as response:
        assert await read_texts(response, 1) == ["one"]


@pytest.mark.parametrize("number", ["", "8801700000001", " 8801700000001", "+", "+01700000001", "EKDIAL"])
async def test_only_a_number_has_an_inbox(browser: ClientSession, number: str) -> None:
    async with browser.get("/simulator/sms", params={"number": number}) as response:
        assert response.status == 400
        assert "%2B" in await response.text()


async def test_a_quiet_stream_says_now_and_then_that_it_is_there(browser: ClientSession) -> None:
    async with browser.get("/simulator/sms", params={"number": MSISDN}) as response, asyncio.timeout(TIMEOUT):
        await response.content.readuntil(b": here\n\n")
        await response.content.readuntil(b": here\n\n")


async def test_a_browser_that_leaves_is_no_longer_listened_for(
    gateway: ScriptedGateway, browser: ClientSession
) -> None:
    async with browser.get("/simulator/sms", params={"number": MSISDN}) as response:
        await response.content.readline()
        assert gateway.sms._listeners
    await wait_until_unsubscribed(gateway)


async def test_a_browser_that_leaves_without_a_word_is_noticed_too(
    gateway: ScriptedGateway, browser: ClientSession
) -> None:
    response = await browser.get("/simulator/sms", params={"number": MSISDN})
    assert response.connection is not None
    assert response.connection.transport is not None
    response.connection.transport.abort()
    await wait_until_unsubscribed(gateway)
    response.close()


async def test_every_stream_ends_when_the_server_does() -> None:
    async with asyncio.timeout(TIMEOUT), ClientSession() as browser:
        async with run_scripted_gateway(heartbeat=3600) as gateway:
            one = await browser.get(f"{gateway.url}/simulator/sms", params={"number": MSISDN})
            other = await browser.get(f"{gateway.url}/simulator/sms", params={"number": "+254700000001"})
            await one.content.readline()
        assert b"listening" in await one.read(), "read to a proper end, or this would have raised"
        assert b"listening" in await other.read()


async def test_a_message_is_never_lost_between_two_heartbeats(gateway: ScriptedGateway, browser: ClientSession) -> None:
    async with browser.get("/simulator/sms", params={"number": MSISDN}) as response:
        for number in range(50):
            await gateway.deliver(MSISDN, str(number))
            await asyncio.sleep(SHORT_TIMEOUT / 7)
        assert await read_texts(response, 50) == [str(number) for number in range(50)]


async def test_a_message_that_arrives_while_the_stream_begins_comes_once(
    gateway: ScriptedGateway, browser: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def deliver_meanwhile(*_: object) -> tuple[()]:
        await gateway.deliver(MSISDN, "while it begins")
        return ()

    monkeypatch.setattr(NoWallets, "pending_prompts", deliver_meanwhile)
    async with browser.get("/simulator/sms", params={"number": MSISDN}) as response:
        await gateway.deliver(MSISDN, "afterwards")
        assert await read_texts(response, 2) == ["while it begins", "afterwards"]
