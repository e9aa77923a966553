"""Whether a call is heard of for the first time: its callbacks are two or more, and any process may hear them."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final, Protocol

import structlog
from redis.exceptions import RedisError

from failures import told

REMEMBERED: Final = timedelta(days=1)  # a call is over within minutes; for how long it is repeated, nobody says

log = structlog.get_logger()


class Redis(Protocol):
    """What is asked of a Redis client (`redis.asyncio`)."""

    def set(self, name: str, value: bytes, *, nx: bool, px: timedelta) -> Awaitable[Any]:
        """True when it was set; None when, with `nx`, there was one already."""

    def delete(self, *names: str) -> Awaitable[Any]:
        """How many there were."""


class FirstSight:
    """The calls of the last day, under keyed hashes of the provider's session ids.

    Where Redis is down every callback counts as the first: what must not be done twice has an effect in the database.
    """

    def __init__(self, redis: Redis, name: Callable[[str, str], str]) -> None:
        """`name` is `sealing.Seal.name`."""
        self._redis = redis
        self._name = name

    async def of(self, session: str) -> bool:
        """Whether nobody has asked about this call before; of many who ask at once, one hears yes."""
        try:
            return bool(await self._redis.set(self._key(session), b"1", nx=True, px=REMEMBERED))
        except (RedisError, OSError, TimeoutError) as down:
            log.warning("calls are not remembered", **told(down))
            return True

    async def forget(self, session: str) -> None:
        """Have the next callback of this call be its first."""
        try:
            await self._redis.delete(self._key(session))
        except (RedisError, OSError, TimeoutError) as down:
            log.warning("calls are not remembered", **told(down))

    def _key(self, session: str) -> str:
        return f"ekdial:call:{self._name('call', session)}"
