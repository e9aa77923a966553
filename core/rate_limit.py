"""Rate limits: counters in Redis that all processes share, each with a fixed window, and what is built on them.

A window begins with the first count and ends by itself: Redis deletes the key. Nothing here raises because Redis is down;
every class says what happens then.
"""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final, NamedTuple, Protocol

import structlog
from redis.exceptions import RedisClusterException, RedisError

from core.logging import error_facts
from core.types import RedisScripting

REDIS_ERRORS: Final = (RedisError, RedisClusterException, OSError)  # TimeoutError is an OSError
MAX_LOCAL_COUNTERS: Final = 10_000  # counters of one process while Redis is down
MAX_BLOCKED_SUBJECTS: Final = 10_000  # subjects that one process remembers as blocked; for others it asks Redis again
DAY: Final = timedelta(days=1)

# KEYS: the counter. ARGV: the window in ms. Returns the count with this one, and the ms until the window ends.
INCREMENT_SCRIPT: Final = """
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {count, redis.call('PTTL', KEYS[1])}
"""
COUNT_SCRIPT: Final = "return redis.call('GET', KEYS[1]) or 0"

# KEYS: the missed values of one subject, as a set of keyed hashes: the same value missed twice counts once.
# ARGV: the value, and the window in ms. Returns the number of values, and the ms until the window ends.
RECORD_MISS_SCRIPT: Final = """
redis.call('SADD', KEYS[1], ARGV[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  left = tonumber(ARGV[2])
  redis.call('PEXPIRE', KEYS[1], left)
end
return {redis.call('SCARD', KEYS[1]), left}
"""

log = structlog.get_logger()


class WindowCount(NamedTuple):
    """The value of a counter in its current window, and the milliseconds until the window ends."""

    value: int
    ms_left: int


class WindowCounter(Protocol):
    """Counts by key, each key with a fixed window. Keys contain keyed hashes, never personal data."""

    async def increment(self, key: str, window: timedelta) -> WindowCount:
        """Count one more; the window begins with the first count."""

    async def count(self, key: str) -> int:
        """The count of the current window; 0 where there is none."""


class RedisWindowCounter:
    """Counts for all processes. Both methods raise one of REDIS_ERRORS when Redis does not answer."""

    def __init__(self, redis: RedisScripting) -> None:
        self._redis = redis

    async def increment(self, key: str, window: timedelta) -> WindowCount:
        """Count one more; the window begins with the first count."""
        count, ms_left = await self._redis.eval(INCREMENT_SCRIPT, 1, key, _milliseconds(window))
        return WindowCount(int(count), int(ms_left))

    async def count(self, key: str) -> int:
        """The count of the current window; 0 where there is none."""
        return int(await self._redis.eval(COUNT_SCRIPT, 1, key))


class LocalWindowCounter:
    """Counts for this process alone; remembers the newest `limit` keys."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, limit: int = MAX_LOCAL_COUNTERS) -> None:
        self._clock = clock
        self._limit = limit
        self._counts: OrderedDict[str, tuple[int, float]] = OrderedDict()

    async def increment(self, key: str, window: timedelta) -> WindowCount:
        """Count one more; the window begins with the first count."""
        count, until = self._counts.get(key, (0, 0.0))
        now = self._clock()
        count, until = (count + 1, until) if until > now else (1, now + window.total_seconds())
        self._counts[key] = count, until
        if len(self._counts) > self._limit:
            self._counts.popitem(last=False)
        return WindowCount(count, round((until - now) * 1000))

    async def count(self, key: str) -> int:
        """The count of the current window; 0 where there is none."""
        count, until = self._counts.get(key, (0, 0.0))
        return count if until > self._clock() else 0


class FallbackWindowCounter:
    """Counts with `shared`, and with `local` while `shared` does not answer."""

    def __init__(self, shared: WindowCounter, local: WindowCounter) -> None:
        self._shared = shared
        self._local = local

    async def increment(self, key: str, window: timedelta) -> WindowCount:
        """Count one more; the window begins with the first count."""
        try:
            return await self._shared.increment(key, window)
        except REDIS_ERRORS as error:
            log.warning("window_counted_in_this_process_only", **error_facts(error))
            return await self._local.increment(key, window)

    async def count(self, key: str) -> int:
        """The count of the current window; 0 where there is none."""
        try:
            return await self._shared.count(key)
        except REDIS_ERRORS:
            return await self._local.count(key)


class DailyQuota:
    """At most `limit` uses of `key` a day, counted over all processes. While Redis is down, every use is allowed."""

    def __init__(self, redis: RedisScripting, limit: int, key: str) -> None:
        self._counter = RedisWindowCounter(redis)
        self._limit = limit
        self._key = key

    async def try_consume(self) -> bool:
        """Whether one more use is allowed. The first use that is not allowed is logged as critical."""
        try:
            used, _ = await self._counter.increment(self._key, DAY)
        except REDIS_ERRORS as error:
            log.warning("daily_quota_not_counted", key=self._key, **error_facts(error))
            return True
        if used == self._limit + 1:
            log.critical("daily_quota_exhausted", key=self._key, limit=self._limit)
        return used <= self._limit


class SubjectQuota(NamedTuple):
    """At most `limit` uses in `window` by one subject; `scope` separates the kinds of subjects, such as callers."""

    scope: str
    limit: int
    window: timedelta


class SubjectLimiter:
    """Counts the uses of each subject against a quota. Subjects are stored as keyed hashes.

    `alarms`: the first use of a subject beyond the limit in a window is logged as critical and counted.
    """

    def __init__(
        self,
        counter: WindowCounter,
        keyed_hash: Callable[[str, str], str],
        quota: SubjectQuota,
        *,
        alarms: bool = False,
    ) -> None:
        """`keyed_hash` is `core.crypto.Cipher.keyed_hash`."""
        self._counter = counter
        self._keyed_hash = keyed_hash
        self._quota = quota
        self._alarms = alarms
        self.alarm_count = 0

    async def try_consume(self, subject: str) -> bool:
        """Count one use of the subject; whether it is within the limit."""
        key = f"ekdial:uses:{{{self._keyed_hash(self._quota.scope, subject)}}}"
        used, _ = await self._counter.increment(key, self._quota.window)
        if self._alarms and used == self._quota.limit + 1:
            self.alarm_count += 1
            log.critical("quota_exceeded", scope=self._quota.scope, limit=self._quota.limit)
        return used <= self._quota.limit


class RedisSets(RedisScripting, Protocol):
    """The two calls of a Redis client (`redis.asyncio`) that MissLimiter makes."""

    def scard(self, name: str, /) -> Any:
        """Awaitable: the size of the set at `name`."""


class MissLimit(NamedTuple):
    """At most `max_misses` in `window` by one subject; `scope` separates the kinds of subjects, such as callers."""

    scope: str
    max_misses: int
    window: timedelta = timedelta(minutes=10)


class MissLimiter:
    """Limits guesses: counts requests for values that do not exist, by subject, such as a caller or a number range.

    Only misses are counted, so a request for a value that exists costs no trip to Redis. Subjects and values are stored
    as keyed hashes. While Redis is down nobody is blocked: the values cannot be guessed in that time.
    """

    def __init__(
        self,
        redis: RedisSets,
        keyed_hash: Callable[[str, str], str],
        limit: MissLimit,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`keyed_hash` is `core.crypto.Cipher.keyed_hash`."""
        self._redis = redis
        self._keyed_hash = keyed_hash
        self._limit = limit
        self._monotonic = monotonic
        self._blocked_until: dict[str, float] = {}

    def is_blocked(self, subject: str) -> bool:
        """Whether this process knows that the subject is over the limit; asks Redis nothing."""
        return bool(self._blocked_until) and self._blocked_until.get(self._key(subject), 0.0) > self._monotonic()

    async def is_over_limit(self, subject: str) -> bool:
        """Whether the subject is over the limit, counted over all processes."""
        return int(await _value_or_none(self._redis.scard(self._key(subject))) or 0) >= self._limit.max_misses

    async def record_miss(self, subject: str, missed_value: str) -> bool:
        """Count a miss; whether it exceeds the limit."""
        key, value = self._key(subject), self._keyed_hash("miss", missed_value)
        answer = await _value_or_none(
            self._redis.eval(RECORD_MISS_SCRIPT, 1, key, value, _milliseconds(self._limit.window))
        )
        if answer is None:
            return False
        misses, ms_left = map(int, answer)
        if misses >= self._limit.max_misses:
            self._block(key, ms_left / 1000)
        return misses > self._limit.max_misses

    def _block(self, key: str, seconds_left: float) -> None:
        now = self._monotonic()
        if len(self._blocked_until) >= MAX_BLOCKED_SUBJECTS:
            self._blocked_until = {one: until for one, until in self._blocked_until.items() if until > now}
        if len(self._blocked_until) < MAX_BLOCKED_SUBJECTS:
            self._blocked_until[key] = now + seconds_left

    def _key(self, subject: str) -> str:
        return f"ekdial:misses:{self._keyed_hash(self._limit.scope, subject)}"


def _milliseconds(window: timedelta) -> int:
    return window // timedelta(milliseconds=1)


async def _value_or_none(command: Awaitable[Any]) -> Any:
    try:
        return await command
    except REDIS_ERRORS as error:
        log.warning("misses_not_counted", **error_facts(error))
        return None
