"""The HTTP client for other systems, on aiohttp: with a deadline, a limit of the body, and no redirects."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientHandlerType,
    ClientOSError,
    ClientPayloadError,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    DummyCookieJar,
    FormData,
    ServerDisconnectedError,
    hdrs,
)
from yarl import URL

from core.deadline import limit_wait
from core.http.client import HttpRequest, HttpResponse, NoResponseError

CHUNK_BYTES = 65_536
CONNECT_TIMEOUT = 3.0  # seconds for a connection with its TLS handshake; half the deadline if that is shorter


class AiohttpClient:
    """Sends requests on the connections of `session`; each has `deadline` seconds and `max_bytes` for its response."""

    def __init__(self, session: ClientSession, *, deadline: float, max_bytes: int) -> None:
        self._session = session
        self._deadline = deadline
        self._max_bytes = max_bytes

    async def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the response with any status.

        Raises:
            NoResponseError: No connection was made in time, no time is left for the caller who waits, or the response is too
                slow, cut off or larger than `max_bytes`.
        """
        seconds = limit_wait(self._deadline)
        if not seconds:
            raise NoResponseError(never_arrived=True)
        try:
            async with self._session.request(
                request.method,
                URL(request.url, encoded=True),
                headers={hdrs.ACCEPT_ENCODING: "identity", **request.headers},
                data=_build_body(request),
                allow_redirects=False,
                timeout=ClientTimeout(total=seconds, connect=min(CONNECT_TIMEOUT, seconds / 2)),
            ) as response:
                body = await self._read_body(response)
                return HttpResponse(response.status, response.content_type.lower(), response.headers, body)
        except (ClientConnectorError, ConnectionTimeoutError):
            raise NoResponseError(never_arrived=True) from None
        except (ClientError, TimeoutError, asyncio.IncompleteReadError):
            raise NoResponseError(never_arrived=False) from None

    async def _read_body(self, response: ClientResponse) -> bytes:
        if (response.content_length or 0) > self._max_bytes:
            raise NoResponseError(never_arrived=False)
        body = b""
        async for piece in response.content.iter_chunked(CHUNK_BYTES):
            body += piece
            if len(body) > self._max_bytes:
                raise NoResponseError(never_arrived=False)
        return body


@asynccontextmanager
async def open_http_client(*, deadline: float, max_bytes: int) -> AsyncIterator[AiohttpClient]:
    """Open a client that reuses connections and stores no cookies."""
    async with ClientSession(cookie_jar=DummyCookieJar()) as session:
        yield AiohttpClient(session, deadline=deadline, max_bytes=max_bytes)


async def forbid_repeats(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """A middleware of a session: aiohttp repeats a GET, a PUT or a DELETE by itself whose connection breaks; not with this.

    Raises:
        ClientConnectorError: there was no connection.
        ClientPayloadError: the connection broke, after the request may have arrived.
    """
    try:
        return await handler(request)
    except ClientConnectorError:
        raise
    except (ServerDisconnectedError, ClientOSError) as error:
        raise ClientPayloadError(type(error).__name__) from None


def _build_body(request: HttpRequest) -> FormData | bytes | None:
    if request.form is None:
        return request.body
    form = FormData(default_to_multipart=request.multipart)
    for name, value in request.form.items():
        form.add_field(name, value)
    return form
