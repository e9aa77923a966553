"""How many requests a key may make in a minute, counted in Redis for all processes together."""

import time
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import structlog
from redis.exceptions import RedisError

from failures import told
from services.given import Scripts

MINUTE: Final = 60_000  # milliseconds, from the first request that is counted
AWAY: Final = 5.0  # seconds in which a Redis that did not answer is not asked again: no request waits for it then

# KEYS: the count. ARGV: a minute in ms. Gives how many there are with this one, and in how many ms they are forgotten.
TAKE: Final = """
local taken = redis.call('INCR', KEYS[1])
if taken == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {taken, redis.call('PTTL', KEYS[1])}
"""

log = structlog.get_logger()


class Left(NamedTuple):
    """What a key has left of its minute after this request: below nothing it was one too many."""

    most: int
    requests: int
    seconds: int

    @property
    def headers(self) -> Mapping[str, str]:
        """As its holder is told with every answer, by the names of the IETF's draft."""
        return {
            "RateLimit-Limit": str(self.most),
            "RateLimit-Remaining": str(max(self.requests, 0)),
            "RateLimit-Reset": str(self.seconds),
        }


class Limits:
    """Requests of every key. While Redis is away nobody counts, and all are let through."""

    def __init__(self, redis: Scripts, per_minute: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis
        self._most = per_minute
        self._clock = clock
        self._asks_again = 0.0
        self._counts = True

    async def take(self, key: str) -> Left | None:
        """Count one more request of this key; None when nobody counts."""
        if self._clock() < self._asks_again:
            return None
        try:
            taken, left = await self._redis.eval(TAKE, 1, f"ekdial:api:{key}", MINUTE)
        except (RedisError, OSError, TimeoutError) as down:
            self._away(down)
            return None
        self._counts = True
        return Left(self._most, self._most - int(taken), max(1, -(-int(left) // 1000)))

    def _away(self, down: Exception) -> None:
        """Said once until Redis has been back."""
        if self._counts:
            log.warning("requests of departments are not counted", **told(down))
        self._counts = False
        self._asks_again = self._clock() + AWAY
