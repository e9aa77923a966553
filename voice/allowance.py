"""How many missed calls are answered in a day: who makes callers up makes us pay for an SMS to each of them."""

from datetime import timedelta
from typing import Final

import structlog
from redis.exceptions import RedisError

from failures import told
from services.given import Scripts

DAY: Final = timedelta(days=1)  # from the first call that is counted
KEY: Final = "ekdial:calls:answered"
REFUSED: Final = "ekdial:calls:refused"

# KEYS: the count. ARGV: a day in ms.
TAKE: Final = """
local taken = redis.call('INCR', KEYS[1])
if taken == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return taken
"""

log = structlog.get_logger()


class Allowance:
    """So many answers of a kind a day, of all processes together. Where Redis is down nobody counts, and all are given."""

    def __init__(self, redis: Scripts, most: int, key: str = KEY) -> None:
        self._redis = redis
        self._most = most
        self._key = key

    async def take(self) -> bool:
        """Whether one more may be given; when the first may not, that is an alarm."""
        try:
            taken = int(await self._redis.eval(TAKE, 1, self._key, DAY // timedelta(milliseconds=1)))
        except (RedisError, OSError, TimeoutError) as down:
            log.warning("answered calls are not counted", **told(down))
            return True
        if taken == self._most + 1:
            log.critical("no more missed calls are answered today", most=self._most, key=self._key)
        return taken <= self._most
