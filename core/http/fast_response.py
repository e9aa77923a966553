"""Fast path: respond to a webhook with one write of a head and a body that are built here.

aiohttp builds, validates and serializes the headers of each response, which costs a fifth of a USSD request. This module
sends the same headers; a test compares them with those of aiohttp.
"""

import time
from email.utils import formatdate
from functools import lru_cache

from aiohttp import HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.web_request import BaseRequest

from core.http.security_headers import SECURITY_HEADER_LINES

PREBUILT_STATUS = 200


def build_text_response(
    request: web.Request,
    text: str,
    extra_header: tuple[str, str] | None = None,
    content_type: str = "text/plain",
    status: int = 200,
) -> web.StreamResponse:
    """Return a response with the text in UTF-8. `extra_header` and `content_type` must be ASCII."""
    if request.version == HttpVersion11 and request.keep_alive and status == PREBUILT_STATUS:
        return _PrebuiltResponse(text, extra_header, content_type)
    headers = dict([extra_header]) if extra_header else None
    return web.Response(text=text, headers=headers, content_type=content_type, status=status)


class _PrebuiltResponse(web.Response):
    """A response on a connection that stays open, with the attributes that aiohttp reads after it was sent."""

    _status, _reason, _keep_alive = 200, "OK", True

    def __init__(self, text: str, extra_header: tuple[str, str] | None, content_type: str) -> None:
        body = text.encode()
        more = f"{extra_header[0]}: {extra_header[1]}\r\n" if extra_header else ""
        head = (
            f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}; charset=utf-8\r\n"
            f"{more}Content-Length: {len(body)}{_common_headers()}"
        )
        self._raw_response = head.encode("ascii") + body

    async def prepare(self, request: BaseRequest) -> AbstractStreamWriter | None:
        """Write the whole response. The writer is None, because nothing is left to write.

        Raises:
            ConnectionResetError: The provider closed the connection.
        """
        self._eof_sent = True
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the provider closed the connection before the response")
        transport.write(self._raw_response)
        self._body_length = len(self._raw_response)
        return None


def _common_headers() -> str:
    return _build_common_headers(int(time.time()))


@lru_cache(maxsize=1)
def _build_common_headers(second: int) -> str:
    return f"\r\nDate: {formatdate(second, usegmt=True)}\r\n{SECURITY_HEADER_LINES}\r\n"
