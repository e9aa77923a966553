"""Callers on keep-alive connections: each sends the next input as soon as the last reply was right."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import cast

from bench.session import USSD_ROUTE, Exchange

TOKEN = "the-token-of-a-benchmark-is-long-enough"  # nosec B105  # noqa: S105 - not a secret
METADATA_HEADER, CONTENT_LENGTH = b"at-ussd-hop-metadata: ", b"Content-Length: "
REQUEST_HEAD = (
    f"POST {USSD_ROUTE}?token={TOKEN} HTTP/1.1\r\n"
    "Host: 127.0.0.1\r\n"
    "User-Agent: at-ussd-api/1.0\r\n"
    "Accept-Encoding: gzip\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\n"
).encode()


class WrongReplyError(Exception):
    """A USSD request got a wrong reply; the message shows the request, the reply and the expected reply."""

    def __init__(self, exchange: Exchange, reply: bytes) -> None:
        asked, answered, right = (
            part.decode(errors="replace") for part in (exchange.request_body, reply, exchange.expected_reply)
        )
        super().__init__(f"{asked}\n--- was answered\n{answered or '(nothing: it hung up)'}\n--- and not\n{right}")


class Caller(asyncio.Protocol):
    """One connection that plays session after session. `durations` is the seconds of each request, when time is up."""

    def __init__(self, sessions: Iterator[Sequence[Exchange]], deadline: float) -> None:
        self.durations: asyncio.Future[list[float]] = asyncio.get_running_loop().create_future()
        self._sessions = sessions
        self._deadline = deadline
        self._durations: list[float] = []
        self._remaining: Iterator[Exchange] = iter(())
        self._echoed_metadata = b""
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = cast("asyncio.Transport", transport)
        self._send_next()

    def data_received(self, data: bytes) -> None:
        """Receive a reply or a part of one, and send the next request."""
        self._received += data
        head, _, body = self._received.partition(b"\r\n\r\n")
        if len(body) < int(_header_value(head, CONTENT_LENGTH) or 1):
            return
        now = time.perf_counter()
        if body != self._exchange.expected_reply:
            self._finish(WrongReplyError(self._exchange, self._received))
            return
        self._durations.append(now - self._sent_at)
        self._echoed_metadata = _header_value(head, METADATA_HEADER)
        if now < self._deadline:
            self._send_next()
        else:
            self._finish()

    def connection_lost(self, _: Exception | None) -> None:
        """Fail if the server closes the connection."""
        if not self.durations.done():
            self._finish(WrongReplyError(self._exchange, self._received))

    def _send_next(self) -> None:
        """Send the next request of the session, or the first of the next session, with the metadata of the last reply."""
        hop = next(self._remaining, None)
        if hop is None:
            self._remaining, self._echoed_metadata = iter(next(self._sessions)), b""
            hop = next(self._remaining)
        brought = b"%b%b\r\n" % (METADATA_HEADER, self._echoed_metadata) if self._echoed_metadata else b""
        self._exchange, self._received, self._sent_at = hop, b"", time.perf_counter()
        self._transport.write(
            b"%bContent-Length: %d\r\n%b\r\n%b" % (REQUEST_HEAD, len(hop.request_body), brought, hop.request_body)
        )

    def _finish(self, error: WrongReplyError | None = None) -> None:
        if error:
            self.durations.set_exception(error)
        else:
            self.durations.set_result(self._durations)
        self._transport.close()


async def run_callers(
    port: int, sessions: Iterator[Sequence[Exchange]], connections: int, seconds: float
) -> list[float]:
    """Return the seconds of each request, with those in flight when time was up; the first wrong reply is raised."""
    loop, until = asyncio.get_running_loop(), time.perf_counter() + seconds
    made = [
        await loop.create_connection(lambda: Caller(sessions, until), "127.0.0.1", port) for _ in range(connections)
    ]
    return [seconds for took in await asyncio.gather(*(caller.durations for _, caller in made)) for seconds in took]


def _header_value(head: bytes, name: bytes) -> bytes:
    """The value of the header with this exact name; empty if there is none."""
    return head.partition(name)[2].partition(b"\r\n")[0]
