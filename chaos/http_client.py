"""A small HTTP/1.1 client over kept connections: cheap enough that the callers are not the limit of a measurement."""

import asyncio
from typing import Final, NamedTuple, cast

METADATA_HEADER: Final = "at-ussd-hop-metadata"
CONNECT_TIMEOUT: Final = 2.0  # seconds


class RequestFailedError(Exception):
    """No response came: `reason` is `refused`, `reset`, `unreadable` or `timeout`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Response(NamedTuple):
    """A response with the hop metadata of its headers, empty where there is none."""

    status: int
    body: str
    metadata: str


class Connection(asyncio.Protocol):
    """One connection that carries one request at a time."""

    def __init__(self) -> None:
        self._received = b""
        self._response: asyncio.Future[Response] | None = None
        self._transport: asyncio.Transport | None = None
        self.is_open = True
        self.closes = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        """Finish the request once its whole response is there."""
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator or self._response is None or self._response.done():
            return
        headers = dict(_header_pairs(head))
        try:
            length, status = int(headers.get("content-length", "")), int(head[9:12])
        except ValueError:
            self._response.set_exception(RequestFailedError("unreadable"))
            self.close()
            return
        if len(body) >= length:
            self._received = b""
            self.closes = headers.get("connection", "").lower() == "close"
            self._response.set_result(
                Response(status, body[:length].decode(errors="replace"), headers.get(METADATA_HEADER, ""))
            )

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio passes it
        """Fail the request in flight."""
        self.is_open = False
        if self._response is not None and not self._response.done():
            self._response.set_exception(RequestFailedError("reset"))

    async def send(self, request: bytes) -> Response:
        """Return the response to these bytes.

        Raises:
            RequestFailedError: the connection ended first.
        """
        if not self.is_open or self._transport is None:
            raise RequestFailedError("reset")
        self._received = b""
        self._response = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._response

    def close(self) -> None:
        """Close the connection."""
        self.is_open = False
        if self._transport is not None:
            self._transport.close()


class ConnectionPool:
    """Kept connections to one server on loopback. The newest idle one is used first."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._idle: list[Connection] = []

    async def send(self, request: bytes, timeout: float) -> Response:
        """Return the response to these bytes.

        Raises:
            RequestFailedError: there was none within `timeout` seconds.
        """
        try:
            async with asyncio.timeout(timeout):
                connection = await self._acquire()
                try:
                    response = await connection.send(request)
                except BaseException:
                    connection.close()
                    raise
        except TimeoutError:
            raise RequestFailedError("timeout") from None
        if connection.closes:
            connection.close()
        else:
            self._idle.append(connection)
        return response

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._idle.pop().close()

    async def _acquire(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open:
                return connection
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", self.port)
        except (OSError, TimeoutError):
            raise RequestFailedError("refused") from None
        return connection


def _header_pairs(head: bytes) -> list[tuple[str, str]]:
    lines = head.decode("latin-1").split("\r\n")[1:]
    return [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
