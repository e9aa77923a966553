"""Limits how often an IP address can request links that do not exist."""

import secrets
from collections.abc import Callable
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Final, TypeAlias

from aiohttp import web

from core.rate_limit import MissLimit, MissLimiter, RedisSets

# Well-formed tokens that do not exist; a token that was cut off or mistyped is rarely well-formed.
MAX_MISSES: Final = 30
WINDOW: Final = timedelta(minutes=10)
IPV6_PREFIX_LENGTH: Final = 64  # the bits of an IPv6 address that identify one home or handset

Address: TypeAlias = IPv4Address | IPv6Address
GetAddress: TypeAlias = Callable[[web.Request], Address | None]


class AddressMissLimiter:
    """Counts misses by client address. Every request counts, also a repeated one: each costs a database query."""

    def __init__(self, redis: RedisSets, keyed_hash: Callable[[str, str], str], get_address: GetAddress) -> None:
        """`keyed_hash` is `core.crypto.Cipher.keyed_hash`; `get_address` gives the client address behind our proxies."""
        self._limiter = MissLimiter(redis, keyed_hash, MissLimit("guesses", MAX_MISSES, WINDOW))
        self._get_address = get_address

    async def is_over_limit(self, request: web.Request) -> bool:
        """Whether the client of this request is over the limit."""
        home = self._client_network(request)
        return bool(home) and await self._limiter.is_over_limit(home)

    async def record_miss(self, request: web.Request) -> None:
        """Count a miss of the client of this request."""
        if home := self._client_network(request):
            await self._limiter.record_miss(home, secrets.token_hex(8))

    def _client_network(self, request: web.Request) -> str:
        match self._get_address(request):
            case IPv6Address() as address:
                return str(IPv6Network((address, IPV6_PREFIX_LENGTH), strict=False))
            case address:
                return str(address or "")
