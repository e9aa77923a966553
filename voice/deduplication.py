"""Find the first webhook of a call. A call has two webhooks or more, and any process may receive each."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final, Protocol

import structlog
from redis.exceptions import RedisError

from core.logging import error_facts

MAX_CALL_AGE: Final = timedelta(days=1)  # how long webhooks are repeated is not documented
CALL_TTL: Final = 2 * MAX_CALL_AGE  # longer by more than the hours that the zone of a call's beginning may be off

log = structlog.get_logger()


class RedisClient(Protocol):
    """The two commands used of a Redis client (`redis.asyncio`)."""

    def set(self, name: str, value: bytes, *, nx: bool, px: timedelta) -> Awaitable[Any]:
        """True if the key was set; None if, with `nx`, it existed."""

    def delete(self, *names: str) -> Awaitable[Any]:
        """The number of keys deleted."""


class CallDeduplicator:
    """Remembers the calls of the last two days, by keyed hashes of the provider's session ids.

    While Redis is down every webhook counts as the first. The cooldown in the database then prevents a second answer.
    """

    def __init__(self, redis: RedisClient, keyed_hash: Callable[[str, str], str]) -> None:
        self._redis = redis
        self._keyed_hash = keyed_hash

    async def is_first(self, session_id: str) -> bool:
        """Whether this is the first question about the call; of concurrent questions one gets True."""
        try:
            return bool(await self._redis.set(self._key(session_id), b"1", nx=True, px=CALL_TTL))
        except (RedisError, OSError, TimeoutError) as down:
            log.warning("calls_not_remembered", **error_facts(down))
            return True

    async def forget(self, session_id: str) -> None:
        """Let the next webhook of this call count as the first."""
        try:
            await self._redis.delete(self._key(session_id))
        except (RedisError, OSError, TimeoutError) as down:
            log.warning("calls_not_remembered", **error_facts(down))

    def _key(self, session_id: str) -> str:
        return f"ekdial:call:{self._keyed_hash('call', session_id)}"
