"""A TCP proxy on loopback that can hold back what a server answers."""

import asyncio
from contextlib import suppress
from typing import Self

from chaos.loop_thread import LoopThread

CHUNK = 65536


class SlowProxy:
    """Forwards connections to a port of this machine; every answer waits `delay` seconds."""

    def __init__(self, target_port: int) -> None:
        self.delay = 0.0
        self._target_port = target_port
        self._thread = LoopThread()

    def __enter__(self) -> Self:
        self._thread.__enter__()
        self._server = self._thread.run(asyncio.start_server(self._forward, "127.0.0.1", 0))
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()
        self._thread.__exit__()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(
            self._pump(reader, server_writer, delayed=False), self._pump(server_reader, writer, delayed=True)
        )

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, delayed: bool) -> None:
        """Copy one direction; each chunk keeps its own delay, so that a slow line is not a narrow one."""
        loop = asyncio.get_running_loop()
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                if delayed and self.delay:
                    loop.call_later(self.delay, _write, writer, data)
                else:
                    _write(writer, data)
        if delayed and self.delay:
            await asyncio.sleep(self.delay)
        writer.close()


def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    if not writer.is_closing():
        writer.write(data)
