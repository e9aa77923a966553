"""A connection that cannot be trusted, or is never made, carries nothing: what was to be sent is sent later."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from core.http.aiohttp_client import AiohttpClient
from core.http.client import HttpRequest, NoResponseError
from providers.africastalking.sms import AfricasTalkingSms
from services.messaging.models import OutgoingMessage
from services.messaging.provider import Retry, Unknown
from tests.support.certificates import build_tls_context, create_certificate
from tests.support.servers import free_port

AMINA = "+254700000001"
DEADLINE = 0.6  # seconds; half of it is for the connection
LONG_DEADLINE = 30.0
HOUR = timedelta(hours=1)

Client = Callable[[str, float, ssl.SSLContext], Awaitable[str]]


async def send_sms(url: str, deadline: float, trusted: ssl.SSLContext) -> str:
    """What becomes of an SMS."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusted)) as http:
        outcome = await AfricasTalkingSms(http, "sandbox", "atsk", base_url=url, deadline=deadline).send(
            OutgoingMessage(AMINA, "x")
        )
    return {Retry: "not sent", Unknown: "may have been sent"}[type(outcome)]


async def post_by_client(url: str, deadline: float, trusted: ssl.SSLContext) -> str:
    """What becomes of a request to a wallet, a biller, a department or an issuer."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusted)) as http:
        client = AiohttpClient(http, deadline=deadline, max_bytes=1000)
        with pytest.raises(NoResponseError) as failed:
            await client(HttpRequest("POST", url, body=b"x"))
    return "not sent" if failed.value.never_arrived else "may have been sent"


CLIENTS = {"SMS": send_sms, "client": post_by_client}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One that is right, and three that are not; of all but one the client trusts the issuer."""
    folder, now = tmp_path_factory.mktemp("tls"), datetime.now(UTC)
    names = {"right": "127.0.0.1", "of a stranger": "127.0.0.1", "of another host": "192.0.2.7", "expired": "127.0.0.1"}
    created = {}
    for number, (kind, name) in enumerate(names.items()):
        (folder / str(number)).mkdir()
        ends = now - HOUR if kind == "expired" else now + HOUR
        created[kind] = create_certificate(folder / str(number), name, ends=ends)
    return created


@asynccontextmanager
async def run_server(
    certificate: Path | None, answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server on loopback; its address, and the first bytes of each request that it was told."""
    heard: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            heard.append(await reader.readuntil(b"\r\n\r\n"))
            await answer(reader, writer)
        writer.close()

    context = build_tls_context(certificate) if certificate else None
    async with await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context) as listener:
        port = listener.sockets[0].getsockname()[1]
        yield f"https://127.0.0.1:{port}/version1", heard


async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("kind", ["of a stranger", "of another host", "expired"])
async def test_a_server_with_a_wrong_certificate_is_told_nothing(certificates, client, kind):
    trusted = ssl.create_default_context(cafile=str(certificates["right" if kind == "of a stranger" else kind]))
    async with run_server(certificates[kind], reset) as (url, heard):
        assert await CLIENTS[client](url, LONG_DEADLINE, trusted) == "not sent"
    assert heard == []


@pytest.mark.parametrize("client", CLIENTS)
async def test_after_a_reset_behind_the_right_certificate_nobody_knows(certificates, client):
    trusted = ssl.create_default_context(cafile=str(certificates["right"]))
    async with run_server(certificates["right"], reset) as (url, heard):
        assert await CLIENTS[client](url, LONG_DEADLINE, trusted) == "may have been sent"
    assert len(heard) == 1


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_handshake_that_hangs_is_told_nothing(certificates, client):
    """A server that accepts the connection and never says a word."""
    closing = asyncio.Event()

    async def hang(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await closing.wait()
        writer.close()

    trusted = ssl.create_default_context()
    async with await asyncio.start_server(hang, "127.0.0.1", 0) as listener:
        url = f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}/version1"
        assert await CLIENTS[client](url, DEADLINE, trusted) == "not sent"
        closing.set()


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("host", ["127.0.0.1", "sms.invalid"])
async def test_nobody_and_a_name_of_nobody_are_told_nothing(client, host):
    url = f"https://{host}:{free_port()}/version1"
    assert await CLIENTS[client](url, LONG_DEADLINE, ssl.create_default_context()) == "not sent"
