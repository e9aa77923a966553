"""How often one may ask for what there is not, before one is told to wait: links, tracking numbers.

Only what was asked for in vain is counted, so that who asks for what there is costs no trip to Redis.
"""

import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final, NamedTuple, Protocol

import structlog
from redis.exceptions import RedisError

from failures import told
from services.given import Scripts

REMEMBERED: Final = 10_000  # who is held back, in this process; more at once are asked of Redis again

# KEYS: what one has guessed, as a set of keyed hashes: the same guess heard again is no other one.
# ARGV: the guess, and a window in ms, which begins with the first. Gives how many there are, and what is left of it.
COUNT: Final = """
redis.call('SADD', KEYS[1], ARGV[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  left = tonumber(ARGV[2])
  redis.call('PEXPIRE', KEYS[1], left)
end
return {redis.call('SCARD', KEYS[1]), left}
"""

log = structlog.get_logger()


class Redis(Scripts, Protocol):
    """What is asked of a Redis client (`redis.asyncio`)."""

    def scard(self, name: str, /) -> Any:
        """To be awaited: how many members the set at `name` has."""


class Limit(NamedTuple):
    """So many guesses within a time, of whoever or whatever `whose` says."""

    whose: str
    most: int
    within: timedelta = timedelta(minutes=10)


class Guesses:
    """The guesses of each, counted for all processes in Redis under keyed hashes.

    Where Redis is down nobody is held back: nothing that is asked for so can be guessed by chance in the meantime.
    """

    def __init__(
        self,
        redis: Redis,
        name: Callable[[str, str], str],
        limit: Limit,
        *,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        """`name` is `sealing.Seal.name`; `seconds` a clock that only goes forward."""
        self._redis = redis
        self._name = name
        self._limit = limit
        self._seconds = seconds
        self._held: dict[str, float] = {}

    def held(self, who: str) -> bool:
        """Whether this process knows already that they must wait; that asks nobody."""
        return bool(self._held) and self._held.get(self._key(who), 0.0) > self._seconds()

    async def too_many(self, who: str) -> bool:
        """Whether they have guessed so often, here or elsewhere, that they must wait."""
        return int(await _asked(self._redis.scard(self._key(who))) or 0) >= self._limit.most

    async def count(self, who: str, guess: str) -> bool:
        """One more; whether that was one too many."""
        key, window = self._key(who), self._limit.within // timedelta(milliseconds=1)
        answer = await _asked(self._redis.eval(COUNT, 1, key, self._name("guess", guess), window))
        if answer is None:
            return False
        many, left = map(int, answer)
        if many >= self._limit.most:
            self._hold(key, left / 1000)
        return many > self._limit.most

    def _hold(self, key: str, left: float) -> None:
        now = self._seconds()
        if len(self._held) >= REMEMBERED:
            self._held = {one: until for one, until in self._held.items() if until > now}
        if len(self._held) < REMEMBERED:
            self._held[key] = now + left

    def _key(self, who: str) -> str:
        return f"ekdial:guesses:{self._name(self._limit.whose, who)}"


async def _asked(question: Awaitable[Any]) -> Any:
    try:
        return await question
    except (RedisError, OSError, TimeoutError) as down:
        log.warning("guesses are not counted", **told(down))
        return None
