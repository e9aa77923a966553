"""Send bytes to a server that need not be HTTP, and read what it answers until it closes the connection."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from urllib.parse import urlsplit

READ_TIMEOUT: Final = 20.0  # seconds; a server closes the connection long before

ODD_BYTES: Final = (b" ", b"\0", b"\x80", b":", b"\r\n")
"""Each of them makes a request malformed somewhere."""


async def exchange(url: str, *parts: bytes, pause: float = 0.0) -> bytes:
    """Send the parts, `pause` seconds apart; return all bytes until the server closes the connection."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        for part in parts:
            writer.write(part)
            if pause:
                await asyncio.sleep(pause)
        async with asyncio.timeout(READ_TIMEOUT):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def exchange_all(url: str, requests: Iterable[bytes], *, concurrency: int = 50) -> Sequence[bytes]:
    """The answers to many requests, each on a connection of its own."""
    slots = asyncio.Semaphore(concurrency)

    async def send(request: bytes) -> bytes:
        async with slots:
            return await exchange(url, request)

    return await asyncio.gather(*map(send, requests))


def mutate(request: bytes, *, step: int = 1) -> Iterator[bytes]:
    """Every variant of a request with an odd byte inserted, or a byte left out, at each `step`th place."""
    for place in range(0, len(request), step):
        for odd in ODD_BYTES:
            yield request[:place] + odd + request[place:]
        yield request[:place] + request[place + 1 :]


def build_request(method: str, target: str, *headers: str, body: bytes = b"", version: str = "HTTP/1.1") -> bytes:
    """A request with `Connection: close`, so that the server ends the exchange."""
    lines = [f"{method} {target} {version}", "Host: gateway", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body
