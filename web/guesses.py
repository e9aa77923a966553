"""How often one address may ask for links that never were, before it is told to wait."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Any, Final, Protocol, TypeAlias

import structlog
from aiohttp import web
from redis.exceptions import RedisError

from failures import told
from services.given import Scripts

MOST: Final = 30  # well-formed guesses from one address; a link that was cut short or mistyped is seldom well-formed
WITHIN: Final = timedelta(minutes=10)
HOME: Final = 64  # bits of an IPv6 address that belong to one home or handset

# KEYS: the guesses of one address. ARGV: a window in ms.
COUNT: Final = """
if redis.call('INCR', KEYS[1]) == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return 1
"""

Address: TypeAlias = IPv4Address | IPv6Address
AddressOf: TypeAlias = Callable[[web.Request], Address | None]

log = structlog.get_logger()


class Redis(Scripts, Protocol):
    """What is asked of a Redis client (`redis.asyncio`)."""

    def get(self, name: str) -> Awaitable[Any]:
        """The octets at `name`, or None."""


class Guesses:
    """The guesses of every address, counted for all processes in Redis under keyed hashes.

    Where Redis is down nobody is held back: no token can be guessed, this only spares the database the asking.
    """

    def __init__(self, redis: Redis, name: Callable[[str, str], str], address_of: AddressOf) -> None:
        """`name` is `sealing.Seal.name`; `address_of` knows which proxies are ours."""
        self._redis = redis
        self._name = name
        self._address_of = address_of

    async def too_many(self, request: web.Request) -> bool:
        """Whether this address has guessed so often that it must wait."""
        key = self._key(request)
        return bool(key) and int(await _asked(self._redis.get(key)) or 0) >= MOST

    async def count(self, request: web.Request) -> None:
        """One more; the window begins with the first."""
        if key := self._key(request):
            await _asked(self._redis.eval(COUNT, 1, key, WITHIN // timedelta(milliseconds=1)))

    def _key(self, request: web.Request) -> str:
        address = self._address_of(request)
        return f"ekdial:guesses:{self._name('guesses', _home(address))}" if address else ""


def _home(address: Address) -> str:
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, HOME), strict=False))
    return str(address)


async def _asked(question: Awaitable[Any]) -> Any:
    try:
        return await question
    except (RedisError, OSError, TimeoutError) as down:
        log.warning("guesses of links are not counted", **told(down))
        return None
