"""Callers on keep-alive connections: each presses the next key as soon as the last one was answered rightly."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import cast

from bench.session import ROUTE, Hop

TOKEN = "the-token-of-a-benchmark"  # noqa: S105 - it guards nothing
METADATA, LENGTH = b"at-ussd-hop-metadata: ", b"Content-Length: "
HEAD = (
    f"POST {ROUTE}?token={TOKEN} HTTP/1.1\r\n"
    "Host: 127.0.0.1\r\n"
    "User-Agent: at-ussd-api/1.0\r\n"
    "Accept-Encoding: gzip\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\n"
).encode()


class WrongAnswer(Exception):
    """A hop was not answered as it must be; the message shows the callback, its answer and the right one."""

    def __init__(self, hop: Hop, answer: bytes) -> None:
        asked, answered, right = (part.decode(errors="replace") for part in (hop.asks, answer, hop.right))
        super().__init__(f"{asked}\n--- was answered\n{answered or '(nothing: it hung up)'}\n--- and not\n{right}")


class Caller(asyncio.Protocol):
    """One connection with session after session on it. `done` holds the seconds that each hop took, in the end."""

    def __init__(self, sessions: Iterator[Sequence[Hop]], until: float) -> None:
        self.done: asyncio.Future[list[float]] = asyncio.get_running_loop().create_future()
        self._sessions = sessions
        self._until = until
        self._took: list[float] = []
        self._left: Iterator[Hop] = iter(())
        self._echo = b""
        self._got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Dial."""
        self._transport = cast("asyncio.Transport", transport)
        self._press()

    def data_received(self, data: bytes) -> None:
        """An answer, or a part of one."""
        self._got += data
        head, _, body = self._got.partition(b"\r\n\r\n")
        if len(body) < int(_header(head, LENGTH) or 1):
            return
        now = time.perf_counter()
        if body != self._hop.right:
            self._hang_up(WrongAnswer(self._hop, self._got))
            return
        self._took.append(now - self._pressed)
        self._echo = _header(head, METADATA)
        if now < self._until:
            self._press()
        else:
            self._hang_up()

    def connection_lost(self, _: Exception | None) -> None:
        """The server may not be the one that hangs up."""
        if not self.done.done():
            self._hang_up(WrongAnswer(self._hop, self._got))

    def _press(self) -> None:
        """The next key, or another call when this one has none left; what an answer told us to bring back is brought."""
        hop = next(self._left, None)
        if hop is None:
            self._left, self._echo = iter(next(self._sessions)), b""
            hop = next(self._left)
        brought = b"%b%b\r\n" % (METADATA, self._echo) if self._echo else b""
        self._hop, self._got, self._pressed = hop, b"", time.perf_counter()
        self._transport.write(b"%bContent-Length: %d\r\n%b\r\n%b" % (HEAD, len(hop.asks), brought, hop.asks))

    def _hang_up(self, wrong: WrongAnswer | None = None) -> None:
        if wrong:
            self.done.set_exception(wrong)
        else:
            self.done.set_result(self._took)
        self._transport.close()


async def call(port: int, sessions: Iterator[Sequence[Hop]], connections: int, seconds: float) -> list[float]:
    """The seconds that each hop took, those too that were out when time was up; WrongAnswer for the first wrong one."""
    loop, until = asyncio.get_running_loop(), time.perf_counter() + seconds
    made = [
        await loop.create_connection(lambda: Caller(sessions, until), "127.0.0.1", port) for _ in range(connections)
    ]
    return [seconds for took in await asyncio.gather(*(caller.done for _, caller in made)) for seconds in took]


def _header(head: bytes, name: bytes) -> bytes:
    """The value of a header that is written exactly so; empty where there is none."""
    return head.partition(name)[2].partition(b"\r\n")[0]
