"""Drain a server before it ends: it serves what is sent to it while proxies turn to other processes, then it closes.

A connection that is closed while a request is on its way resets that request, and a proxy does not send a POST twice. So each
answer tells the other side to close (`Connection: close`), new connections are accepted for a while, and only then the
listener and what is idle are closed.
"""

import asyncio
import select
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from typing import Final, Protocol

import structlog

POLL_INTERVAL: Final = 0.05  # seconds between two looks at the connections
QUIET_SECONDS: Final = 1.0
"""Without a connection for so long, nobody is waited for: balancers that check, and callers, come more often or not at all."""
IDLE_GRACE: Final = 0.5  # seconds in which a request follows its new connection

log = structlog.get_logger()


class Connection(Protocol):
    """One connection of a server."""

    @property
    def idle_since(self) -> float | None:
        """The loop time since which it waits for a request without a byte of it; None while there is one."""

    def fileno(self) -> int:
        """The descriptor of its socket; -1 where there is none any more."""

    def force_close(self) -> None:
        """Close it."""


class DrainableServer(Protocol):
    """A server with its open connections."""

    @property
    def open_connections(self) -> Sequence[Connection]:
        """Those that are open now."""

    @property
    def last_connected(self) -> float:
        """The loop time of the newest connection; 0 where there was none."""


class Drain:
    """The end of one server: at most `seconds` in which it accepts, then at most `finish_seconds` for what is in flight."""

    def __init__(self, *, seconds: float = 0.0, finish_seconds: float = 0.0) -> None:
        self.is_active = False
        """True as soon as the server is about to end: it is not ready, and answers close their connections."""
        self.on_start: list[Callable[[], Awaitable[object]]] = []
        """Called at the start; what streams without an end stops here."""
        self._seconds = seconds
        self._finish_seconds = finish_seconds

    def cut_short(self) -> None:
        """Do not wait for new connections: somebody waits in a terminal."""
        self._seconds = 0.0

    async def run(self, server: DrainableServer, stop_listening: Callable[[], Awaitable[None]]) -> None:
        """Drain the server; afterwards no connection is open but those that needed more than `finish_seconds`."""
        self.is_active = True
        log.info("server_draining", connections=len(server.open_connections), seconds=self._seconds)
        for callback in self.on_start:
            await callback()
        began, last_open = _now(), 0.0
        while _now() - began < self._seconds:
            if server.open_connections:
                last_open = _now()
            elif _now() - max(last_open, server.last_connected) >= QUIET_SECONDS:
                break
            await asyncio.sleep(POLL_INTERVAL)
        await stop_listening()
        await self._finish(server)
        log.info("server_drained", cut_off=len(server.open_connections))

    async def _finish(self, server: DrainableServer) -> None:
        """Close what is idle, and wait for what is not."""
        until = _now() + self._finish_seconds
        await asyncio.sleep(0)  # what was accepted in this iteration has its protocol in the next
        while server.open_connections:
            _close_idle(server.open_connections)
            if _now() >= until:
                return
            await asyncio.sleep(POLL_INTERVAL)


def _close_idle(connections: Sequence[Connection]) -> None:
    before = _now() - IDLE_GRACE
    idle = [one for one in connections if (since := one.idle_since) is not None and since <= before]
    with_data = _find_readable([one.fileno() for one in idle])
    for connection in idle:
        if connection.fileno() not in with_data:
            connection.force_close()


def _find_readable(descriptors: Sequence[int]) -> frozenset[int]:
    """Those on which data, or the end of it, waits to be read."""
    if not hasattr(select, "poll"):  # Windows
        return frozenset()
    poll = select.poll()
    for descriptor in descriptors:
        if descriptor >= 0:
            poll.register(descriptor, select.POLLIN)
    return frozenset(descriptor for descriptor, _ in poll.poll(0))


def _now() -> float:
    return asyncio.get_running_loop().time()


def accept_waiting(listener: socket.socket) -> Iterator[socket.socket]:
    """Accept the connections that wait in the queue of a listener: the system resets them when it is closed.

    uvloop accepts one in each iteration of the loop, so that under load some always wait.
    """
    listener.setblocking(False)
    with suppress(OSError):  # none waits, or no descriptor is left
        while True:
            connection, _ = listener.accept()
            connection.setblocking(False)
            yield connection
