"""Clients that hold connections or send too much, in a thread of their own."""

import asyncio
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, Self

from chaos.gateways import TOKEN
from chaos.loop_thread import LoopThread

PACE: Final = 0.5  # seconds between two bytes
HALF_HEADER: Final = b"POST /ussd/africastalking HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Padding: "
BIG_BODY: Final = 16 * 1024  # bytes


class HostileClients(ABC):
    """Connections to every port for the block, each with `attack`. `seen` counts how they ended."""

    name = "connections"

    def __init__(self, ports: Sequence[int], *, connections: int) -> None:
        self._ports, self._connections = ports, connections
        self._thread = LoopThread()
        self.seen: Counter[str] = Counter()

    def __enter__(self) -> Self:
        self._thread.__enter__()
        self._tasks = self._thread.run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.run(self._stop())
        self._thread.__exit__()

    def describe(self) -> str:
        """How the connections ended, for the notes of a row."""
        ended = ", ".join(f"{what} {count}" for what, count in sorted(self.seen.items()))
        return f"{self._connections * len(self._ports)} {self.name}: {ended or 'nothing ended'}"

    @abstractmethod
    async def attack(self, port: int) -> None:
        """Use one connection for as long as it lasts."""

    async def _start(self) -> list[asyncio.Task[None]]:
        return [asyncio.create_task(self._run(port)) for port in self._ports for _ in range(self._connections)]

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, port: int) -> None:
        try:
            await self.attack(port)
        except asyncio.CancelledError:
            self.seen["open to the end"] += 1
            raise
        except OSError:
            self.seen["closed by the gateway"] += 1


class HalfSentHeaders(HostileClients):
    """A header that grows by a byte now and then, and never ends."""

    name = "half-sent headers"

    async def attack(self, port: int) -> None:
        """Send the header until the gateway closes."""
        await self._drip(port, HALF_HEADER)

    async def _drip(self, port: int, beginning: bytes) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(beginning)
            while not reader.at_eof():
                writer.write(b"x")
                await writer.drain()
                with suppress(TimeoutError):
                    async with asyncio.timeout(PACE):
                        await reader.read(1024)
            self.seen["closed by the gateway"] += 1
        finally:
            writer.close()


class HalfSentBodies(HalfSentHeaders):
    """A body that grows by a byte now and then, and never ends."""

    name = "half-sent bodies"

    async def attack(self, port: int) -> None:
        """Send the body until the gateway closes."""
        head = f"POST /ussd/africastalking?token={TOKEN} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10000\r\n\r\n"
        await self._drip(port, head.encode())


class BigBodies(HostileClients):
    """One request of 16 KiB after the other; `seen` counts the statuses."""

    name = "connections with bodies of 16 KiB"

    async def attack(self, port: int) -> None:
        """Post until the end of the block."""
        body = (
            b"phoneNumber=%2B8801611000000&serviceCode=%2A123%23&sessionId=big&networkCode=99999&text="
            + b"1" * BIG_BODY
        )
        head = (
            f"POST /ussd/africastalking?token={TOKEN} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        while True:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            with suppress(OSError):
                writer.write(head.encode() + body)
                status = (await reader.read(64))[9:12].decode(errors="replace")
                self.seen[f"status {status or 'none'}"] += 1
            writer.close()
            await asyncio.sleep(0.02)
