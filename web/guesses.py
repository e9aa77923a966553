"""How often one address may ask for links that never were, before it is told to wait."""

import secrets
from collections.abc import Callable
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Final, TypeAlias

from aiohttp import web

from services import guesses
from services.guesses import Limit, Redis

MOST: Final = 30  # well-formed guesses from one address; a link that was cut short or mistyped is seldom well-formed
WITHIN: Final = timedelta(minutes=10)
HOME: Final = 64  # bits of an IPv6 address that belong to one home or handset

Address: TypeAlias = IPv4Address | IPv6Address
AddressOf: TypeAlias = Callable[[web.Request], Address | None]


class Guesses:
    """The guesses of every address; it spares the database the asking, so each time counts, also for the same link."""

    def __init__(self, redis: Redis, name: Callable[[str, str], str], address_of: AddressOf) -> None:
        """`name` is `sealing.Seal.name`; `address_of` knows which proxies are ours."""
        self._guesses = guesses.Guesses(redis, name, Limit("guesses", MOST, WITHIN))
        self._address_of = address_of

    async def too_many(self, request: web.Request) -> bool:
        """Whether this address has guessed so often that it must wait."""
        home = self._home(request)
        return bool(home) and await self._guesses.too_many(home)

    async def count(self, request: web.Request) -> None:
        """One more; the window begins with the first."""
        if home := self._home(request):
            await self._guesses.count(home, secrets.token_hex(8))

    def _home(self, request: web.Request) -> str:
        match self._address_of(request):
            case IPv6Address() as address:
                return str(IPv6Network((address, HOME), strict=False))
            case address:
                return str(address or "")
