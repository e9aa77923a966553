"""Guards what a provider may post: who may, how much, how it is read, and what is written down of it."""

import asyncio
import hmac
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import cast

import structlog
from aiohttp import ClientError, web
from aiohttp.abc import AbstractAccessLogger
from yarl import query_to_pairs

MOST = 16 * 1024  # octets in a body
FIELDS = 64  # the longest of Africa's Talking's forms has about twenty
WITHIN = 5.0  # seconds for the rest of a body; those of real callbacks arrive with their headers

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

log = structlog.get_logger()


class BadCallback(Exception):
    """A body that cannot be read; `line` says in one line what was wrong and what would be right."""

    def __init__(self, status: int, line: str) -> None:
        super().__init__(line)
        self.status = status
        self.line = line

    def answer(self) -> web.Response:
        """The response for those who are told: 413, 408 or 400 with the line as plain text."""
        return web.Response(status=self.status, text=self.line)


class Guard:
    """Knows a provider by the secret in its callback's address and, where a list is given, by where it calls from."""

    def __init__(
        self, token: str = "", allowed_ips: tuple[str, ...] = (), trusted_proxies: tuple[str, ...] = ()
    ) -> None:
        """An empty token or list guards nothing; `ValueError` names an entry that is no address and no network."""
        self._token = token.encode()
        self._allowed = tuple(map(_network, allowed_ips))
        self._trusted = tuple(map(_network, trusted_proxies))

    def refuse(self, request: web.Request) -> web.Response | None:
        """None for whom may come in; for others what a path that does not exist answers. The body stays unread."""
        if self._token and not self._knows(request.query.get("token", "")):
            return _not_found(request, "token")
        if self._allowed and not self._lets_in(request):
            return _not_found(request, "address")
        return None

    def _knows(self, token: str) -> bool:
        return hmac.compare_digest(token.encode("utf-8", "surrogatepass"), self._token)

    def _lets_in(self, request: web.Request) -> bool:
        caller = self.caller(request)
        return caller is not None and _among(caller, self._allowed)

    def caller(self, request: web.Request) -> Address | None:
        """The nearest hop that is no proxy of ours: what stands left of it in X-Forwarded-For, anyone can write."""
        forwarded = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")
        hops = [hop.strip() for hop in forwarded if hop.strip()]
        caller = _address(request.remote or "")
        while caller is not None and hops and _among(caller, self._trusted):
            caller = _address(hops.pop())
        return caller


async def form(request: web.Request, most: int = MOST, within: float = WITHIN) -> Mapping[str, str]:
    """The fields of a posted form, whatever content type it claims; of a repeated field the first value.

    Raises BadCallback: 413 above `most` octets, 408 after `within` seconds, 400 for what is no form.
    What is not UTF-8 becomes U+FFFD.
    """
    body = await _body(request, most, within)
    try:
        # aiohttp's own reader of forms; a yarl.URL would keep the last bodies, and PINs with them, in its cache
        pairs = query_to_pairs(body.decode(errors="replace").rstrip("\r\n"), max_fields=FIELDS)
    except ValueError:
        raise BadCallback(400, f"A callback has at most {FIELDS} fields.") from None
    return dict(reversed(pairs))


async def octets(request: web.Request, most: int = MOST, within: float = WITHIN) -> bytes:
    """A posted body as it came. Raises BadCallback, as `form` does."""
    return await _body(request, most, within)


async def _body(request: web.Request, most: int, within: float) -> bytes:
    if request.content.is_eof():  # it came in one piece with its headers, as nearly always
        return _checked(request.content.read_nowait(), most)
    if (request.content_length or 0) > most:
        raise _too_large(most)
    try:
        async with asyncio.timeout(within):
            return await _pieces(request, most)
    except TimeoutError:
        raise BadCallback(408, f"The body of a callback must arrive within {within:g} s.") from None
    except (ClientError, OSError, web.PayloadAccessError, web.RequestPayloadError):
        raise BadCallback(400, "The body of this callback is damaged or ended early.") from None


async def _pieces(request: web.Request, most: int) -> bytes:
    body = b""
    async for piece in request.content.iter_any():
        body = _checked(body + piece, most)
    return body


def _checked(body: bytes, most: int) -> bytes:
    if len(body) > most:
        raise _too_large(most)
    return body


def _too_large(most: int) -> BadCallback:
    return BadCallback(413, f"A callback is at most {most} octets long.")


def _not_found(request: web.Request, wrong: str) -> web.Response:
    log.warning("callback refused", route=_pattern(request), wrong=wrong)
    return web.Response(status=404, text="404: Not Found")


def _network(written: str) -> Network:
    try:
        return ip_network(written)
    except ValueError:
        raise ValueError(f"{written!r} is no IP address and no network; write 203.0.113.7 or 203.0.113.0/24") from None


@lru_cache(maxsize=1024)
def _address(written: str) -> Address | None:
    """None for what is no address; an IPv4 address that came in over IPv6 is an IPv4 address."""
    try:
        address = ip_address(written)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _among(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address in network for network in networks)


class AccessLog(AbstractAccessLogger):
    """One line for each request, by the route's pattern: a query may hold a token, and a path a citizen's link."""

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """`time` is in seconds, as aiohttp measured it."""
        log.info(
            "request",
            method=request.method,
            route=_pattern(request),
            status=response.status,
            octets=response.body_length,
            ms=round(time * 1000, 1),
        )


def _pattern(request: web.BaseRequest) -> str:
    """`/d/{token}` for `/d/8kQ…`; empty for a path that leads nowhere, and for what was no HTTP and led nowhere."""
    try:
        resource = cast("web.Request", request).match_info.route.resource
    except (AttributeError, AssertionError):
        return ""
    return "" if resource is None else resource.canonical
