"""The security headers of every response, and the removal of the header that names our software."""

from collections.abc import Mapping
from typing import Final

from aiohttp import hdrs
from multidict import CIMultiDict

SECURITY_HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",  # a response can contain personal data
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",  # a URL can contain a token
    "X-Content-Type-Options": "nosniff",
}
"""The defaults: a handler that sets one of these headers overrides it."""

SECURITY_HEADER_LINES: Final = "".join(f"{name}: {value}\r\n" for name, value in SECURITY_HEADERS.items())
"""The defaults as they are sent, each with its line end; for responses that are written without aiohttp."""


def add_security_headers(headers: CIMultiDict[str]) -> None:
    """Add the headers that are missing, and remove `Server`, which would name the versions of Python and aiohttp."""
    for name, value in SECURITY_HEADERS.items():
        headers.setdefault(name, value)
    headers.pop(hdrs.SERVER, None)
