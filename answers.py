"""Answers a provider's callback in one piece: head and text put together here, written at once.

aiohttp makes, checks and serialises the headers of every response anew, and that is a fifth of what a hop costs. These
are the same octets; a test holds them to what aiohttp sends.
"""

import time
from email.utils import formatdate
from functools import lru_cache

from aiohttp import HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import SERVER_SOFTWARE
from aiohttp.web_request import BaseRequest

_FIXED = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
_SERVER = f"Server: {SERVER_SOFTWARE}\r\n\r\n"


def answer(request: web.Request, text: str, header: tuple[str, str] | None = None) -> web.StreamResponse:
    """200 with this plain text to a POST, and one more header where there is one; its parts must be plain ASCII."""
    if request.version == HttpVersion11 and request.keep_alive:
        return _InOnePiece(text, header)
    return web.Response(text=text, headers=dict([header]) if header else None)


class _InOnePiece(web.Response):
    """One whose connection stays open; everything aiohttp asks of it afterwards is known beforehand."""

    _status, _reason, _keep_alive = 200, "OK", True

    def __init__(self, text: str, header: tuple[str, str] | None) -> None:
        body = text.encode()
        more = f"{header[0]}: {header[1]}\r\n" if header else ""
        head = f"{_FIXED}{more}Content-Length: {len(body)}{_date_and_server()}"
        self._octets = head.encode("ascii") + body

    async def prepare(self, request: BaseRequest) -> AbstractStreamWriter | None:
        """Write it all; there is nothing left to write for who comes after."""
        self._eof_sent = True
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the provider hung up before it was answered")
        transport.write(self._octets)
        self._body_length = len(self._octets)
        return None


def _date_and_server() -> str:
    return _headers_of(int(time.time()))


@lru_cache(maxsize=1)
def _headers_of(second: int) -> str:
    return f"\r\nDate: {formatdate(second, usegmt=True)}\r\n{_SERVER}"
