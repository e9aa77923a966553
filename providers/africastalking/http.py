"""Africa's Talking: the transport that replaces that of its SDK, which blocks on `requests` or starts a thread."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import ClientSession, ClientTimeout
from yarl import URL

CONNECT_TIMEOUT: Final = 3.05  # seconds, as in the SDK; half the deadline if that is shorter
MAX_RESPONSE_BYTES: Final = 64 * 1024  # a real response has about 300 bytes


@dataclass(frozen=True, slots=True)
class ProviderResponse:
    """A raw HTTP response; `retry_after` is the header of that name."""

    status: int
    body: bytes
    retry_after: str = ""


class Transport:
    """Sends the requests that the SDK builds over our connections. Redirects are not followed."""

    def __init__(self, http: ClientSession, deadline: float) -> None:
        """`deadline` in seconds covers a request from connecting on."""
        self._http = http
        self._timeout = ClientTimeout(total=deadline, connect=min(CONNECT_TIMEOUT, deadline / 2))

    async def request(self, method: str, url: str, headers: Mapping[str, str], body: str) -> ProviderResponse:
        """Return the response; the part of its body beyond MAX_RESPONSE_BYTES is dropped.

        Raises:
            ClientError, OSError, TimeoutError: there is no whole response.
        """
        async with self._http.request(
            method, URL(url), data=body.encode(), headers=headers, timeout=self._timeout, allow_redirects=False
        ) as answer:
            text = bytearray()
            async for piece in answer.content.iter_any():
                text += piece[: MAX_RESPONSE_BYTES - len(text)]
            return ProviderResponse(answer.status, bytes(text), answer.headers.get("Retry-After", ""))


def validated_base_url(base_url: str, setting: str = "base_url", example: str = "version1") -> str:
    """The URL without a slash at its end. `setting` and `example` are for the message.

    Raises:
        ValueError: it is not an HTTP address.
    """
    url = URL(base_url)
    if url.scheme not in {"http", "https"} or not url.host or url.user or url.query_string:
        raise ValueError(f"providers.africastalking.{setting} must be like https://api.africastalking.com/{example}")
    return base_url.rstrip("/")
