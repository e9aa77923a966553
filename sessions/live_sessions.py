"""Count the sessions under way over all processes, in batches, so that a key press waits for nothing.

A session is live while it has not ended and had a key press in the last `LIVE_FOR` seconds: a caller who hangs up says so on few
networks. Redis keeps the time of each one's last key press by a keyed hash of its id.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from core.logging import error_facts
from core.rate_limit import REDIS_ERRORS
from core.types import RedisScripting

LIVE_FOR: Final = 180
"""Seconds after its last key press for which a session that did not end counts as live: networks end silent ones by then."""
WRITE_INTERVAL: Final = 2.0
"""Seconds between two batches."""
MAX_PENDING: Final = 20_000
"""Sessions that one process remembers for a batch, such as while Redis is down; of more, the count is too low."""

log = structlog.get_logger()

# KEYS: the sorted set. ARGV: LIVE_FOR, then 1 and a session for each, or 0 for one that ended.
# Returns the number of live sessions.
WRITE_LUA: Final = """
local now = tonumber(redis.call('TIME')[1])
for at = 2, #ARGV, 2 do
  if ARGV[at] == '0' then redis.call('ZREM', KEYS[1], ARGV[at + 1])
  else redis.call('ZADD', KEYS[1], now, ARGV[at + 1]) end
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[1])
return redis.call('ZCARD', KEYS[1])
"""


class LiveSessions(Collector):
    """The live sessions of each channel, as of the last batch. A channel without a count of the last batch is not shown."""

    def __init__(
        self, registry: CollectorRegistry, redis: RedisScripting, keyed_hash: Callable[[str, str], str]
    ) -> None:
        self._redis = redis
        self._keyed_hash = keyed_hash
        self._pending: dict[str, dict[str, bool]] = {}
        self._counts: dict[str, int] = {}
        self._is_known = True
        registry.register(self)

    def open(self, channel: str) -> None:
        """Show a channel from the beginning."""
        self._pending.setdefault(channel, {})

    def note(self, channel: str, session_id: str, *, ended: bool) -> None:
        """Note a key press of a session, and whether it ended the session."""
        pending = self._pending[channel]
        if len(pending) < MAX_PENDING:
            pending[session_id] = not ended

    async def write(self) -> None:
        """Write what was noted since the last time, and read how many sessions are live. Without Redis nothing is shown."""
        try:
            self._counts = {channel: await self._write_channel(channel) for channel in self._pending}
            self._is_known = True
        except REDIS_ERRORS as error:
            if self._is_known:
                log.warning("live_sessions_unknown", **error_facts(error))
            self._counts, self._is_known = {}, False

    async def _write_channel(self, channel: str) -> int:
        pending, self._pending[channel] = self._pending[channel], {}
        key = f"ekdial:live:{channel}"
        live: int = await self._redis.eval(WRITE_LUA, 1, key, LIVE_FOR, *self._list_arguments(pending))
        return live

    def _list_arguments(self, pending: Mapping[str, bool]) -> Iterator[str]:
        for session_id, is_live in pending.items():
            yield str(int(is_live))
            yield self._keyed_hash("live session", session_id)

    def collect(self) -> Iterator[Metric]:
        """The gauge."""
        live = GaugeMetricFamily("ekdial_live_sessions", "Sessions under way, by channel.", labels=["channel"])
        for channel, count in self._counts.items():
            live.add_metric([channel], count)
        yield live
