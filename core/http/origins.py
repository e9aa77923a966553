"""Where a request comes from: this machine itself, a proxy, or a page of another site in somebody's browser."""

from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

OWN_FETCH_SITES: Final = frozenset({"same-origin", "none"})
"""`Sec-Fetch-Site` of a page of our own, and of an address that somebody typed."""
FORWARDING_HEADERS: Final = frozenset({"forwarded", "via", "x-real-ip"})
FORWARDING_PREFIX: Final = "x-forwarded-"


def is_loopback_host(host: str) -> bool:
    """Return whether the name or address of a host is always this machine's own."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def is_local_request(request: web.Request) -> bool:
    """Return whether a program on this machine sent the request itself, to a name of this machine.

    A proxy or a tunnel on this machine sends requests of others: it adds a header, or leaves their name for the host. A
    page of another site whose name leads here (DNS rebinding) has that name for the host too.
    """
    return (
        is_loopback_host(request.remote or "") and is_loopback_host(_host_name(request)) and not _is_forwarded(request)
    )


def is_cross_site(request: web.Request) -> bool:
    """Return whether a browser sent the request for a page of another site. Programs send neither header."""
    headers = request.headers
    if headers.get("Sec-Fetch-Site", "none") not in OWN_FETCH_SITES:
        return True
    origin = headers.get("Origin")
    return origin is not None and origin.rpartition("://")[2].casefold() != headers.get("Host", "").casefold()


def _is_forwarded(request: web.Request) -> bool:
    names = map(str.casefold, request.headers)
    return any(name in FORWARDING_HEADERS or name.startswith(FORWARDING_PREFIX) for name in names)


def _host_name(request: web.Request) -> str:
    try:
        return urlsplit(f"//{request.host}").hostname or ""
    except ValueError:
        return ""
