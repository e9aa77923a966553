"""The rate limit of the department API: requests of each key in a minute, counted over all processes."""

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final, NamedTuple

import structlog

from core.logging import error_facts
from core.rate_limit import REDIS_ERRORS, RedisWindowCounter
from core.types import RedisScripting

WINDOW: Final = timedelta(minutes=1)
REDIS_RETRY_DELAY: Final = 5.0  # seconds; after an error Redis is not asked, so that no request waits for a timeout

log = structlog.get_logger()


class RateLimitStatus(NamedTuple):
    """What remains of the current minute after this request. A negative `remaining` means the request is one too many."""

    limit: int
    remaining: int
    reset_seconds: int

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of every response, named as in the IETF draft."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(max(self.remaining, 0)),
            "RateLimit-Reset": str(self.reset_seconds),
        }


class RateLimiter:
    """At most `per_minute` requests for each key. While Redis is down, requests are neither counted nor rejected."""

    def __init__(self, redis: RedisScripting, per_minute: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._counter = RedisWindowCounter(redis)
        self._limit = per_minute
        self._clock = clock
        self._retry_at = 0.0
        self._is_counting = True

    async def count_request(self, key: str) -> RateLimitStatus | None:
        """Count one more request of this key; None while Redis is down."""
        if self._clock() < self._retry_at:
            return None
        try:
            count, ms_left = await self._counter.increment(f"ekdial:api:{key}", WINDOW)
        except REDIS_ERRORS as error:
            self._record_failure(error)
            return None
        self._is_counting = True
        return RateLimitStatus(self._limit, self._limit - count, max(1, -(-ms_left // 1000)))

    def _record_failure(self, error: Exception) -> None:
        """Log the first failure of an outage, and pause."""
        if self._is_counting:
            log.warning("api_requests_not_counted", **error_facts(error))
        self._is_counting = False
        self._retry_at = self._clock() + REDIS_RETRY_DELAY
