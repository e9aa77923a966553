"""A TCP proxy in the event loop of a test that treats connections as a bad network or a bad server does."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal

CHUNK = 65536

Fault = Literal["none", "refuse", "hang", "cut off", "half an answer"]
"""refuse: connections are closed at once. hang: nothing is answered. cut off: the request reaches the server, the answer is
lost with the connection. half an answer: its first half comes, then the connection is lost."""


class FaultProxy:
    """Forwards connections to a port of this machine, with the fault of the moment."""

    def __init__(self, target_port: int) -> None:
        self.fault: Fault = "none"
        self.delay = 0.0
        """Seconds that each piece of an answer waits, whatever comes before it."""
        self.connections = 0
        """Those that were accepted."""
        self.answers = 0
        """Pieces of answers that the server sent."""
        self.port = 0
        self._target_port = target_port
        self._writers: set[asyncio.StreamWriter] = set()
        self._handlers: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def listen(self, tls: ssl.SSLContext | None = None) -> AsyncIterator["FaultProxy"]:
        """Listen on a free port, with TLS towards the client where a context is given."""
        server = await asyncio.start_server(self._forward, "127.0.0.1", 0, ssl=tls)
        self.port = int(server.sockets[0].getsockname()[1])
        try:
            yield self
        finally:
            server.close()
            self.drop_connections()
            if self._handlers:
                await asyncio.wait(self._handlers)

    def drop_connections(self) -> None:
        """Reset all connections."""
        for writer in self._writers:
            writer.transport.abort()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handler = asyncio.current_task()
        if handler is not None:
            self._handlers.add(handler)
            handler.add_done_callback(self._handlers.discard)
        self.connections += 1
        self._writers.add(writer)
        with suppress(OSError):
            if self.fault != "refuse":
                upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
                self._writers.add(upstream_writer)
                await asyncio.gather(self._copy(reader, upstream_writer), self._copy_answers(upstream_reader, writer))
        writer.transport.abort()
        self._writers.discard(writer)

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                writer.write(data)
        writer.transport.abort()
        self._writers.discard(writer)

    async def _copy_answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                self.answers += 1
                if self.delay:
                    asyncio.get_running_loop().call_later(self.delay, _write, writer, data)
                elif self.fault == "none":
                    writer.write(data)
                elif self.fault == "half an answer":
                    writer.write(data[: len(data) // 2])
                    await writer.drain()
                    break
                elif self.fault == "cut off":
                    break
        writer.close()


def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    if not writer.is_closing():
        writer.write(data)
