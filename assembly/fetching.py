"""Asks other people's servers over HTTP: within a deadline, no redirect followed, no more octets read than are wanted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    FormData,
    hdrs,
)
from yarl import URL

from services.client import Answered, Request, Unanswered

PIECE = 65_536  # octets read at a time


class Fetching:
    """One client for all requests, each of which takes `deadline` seconds and brings `most` octets at most."""

    def __init__(self, session: ClientSession, *, deadline: float, most: int) -> None:
        self._session = session
        self._timeout = ClientTimeout(total=deadline)
        self._most = most

    async def __call__(self, request: Request) -> Answered:
        """The answer, whatever its status.

        Raises:
            Unanswered: nobody there, too slow, cut off, or more than `most` octets.
        """
        try:
            async with self._session.request(
                request.method,
                URL(request.url, encoded=True),
                headers={hdrs.ACCEPT_ENCODING: "identity", **request.headers},
                data=_body(request),
                allow_redirects=False,
                timeout=self._timeout,
            ) as response:
                body = await self._read(response)
                return Answered(response.status, response.content_type.lower(), response.headers, body)
        except ClientConnectorError:
            raise Unanswered(unheard=True) from None
        except (ClientError, TimeoutError, asyncio.IncompleteReadError):
            raise Unanswered(unheard=False) from None

    async def _read(self, response: ClientResponse) -> bytes:
        """The body as far as it may go; what says that it is larger is not begun."""
        if (response.content_length or 0) > self._most:
            raise Unanswered(unheard=False)
        body = b""
        async for piece in response.content.iter_chunked(PIECE):
            body += piece
            if len(body) > self._most:
                raise Unanswered(unheard=False)
        return body


@asynccontextmanager
async def fetching(*, deadline: float, most: int) -> AsyncIterator[Fetching]:
    """A client that keeps its connections open, and no cookies."""
    async with ClientSession(cookie_jar=DummyCookieJar()) as session:
        yield Fetching(session, deadline=deadline, most=most)


def _body(request: Request) -> FormData | bytes | None:
    if request.form is None:
        return request.body
    form = FormData(default_to_multipart=request.parts)
    for name, value in request.form.items():
        form.add_field(name, value)
    return form
