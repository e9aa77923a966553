"""Who is never answered, and when answering has become a loop: two machines that write to each other for ever."""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal, Protocol, TypeAlias

import structlog

from sessions.line import DOWN
from sms.provider import is_e164

WINDOW: Final = 600  # seconds in which answers are counted
MOST: Final = 30  # answers to one number in a window: a form and its slips have half as many
SAME: Final = 5  # times that one number is told the same outside a conversation in a window, as CHT has it
DAY: Final = 86_400  # seconds in which a number that is not served is told so once
REMEMBERED: Final = 10_000  # counters in this process, while Redis is away

Loop: TypeAlias = Literal["echo", "too_many", "too_often"]
log = structlog.get_logger()


class Scripts(Protocol):
    """The one thing that is asked of a Redis client (`redis.asyncio`): to run a script."""

    def eval(self, script: str, numkeys: int, /, *keys_and_args: Any) -> Awaitable[Any]:
        """What the script returns."""


class Counters(Protocol):
    """Counters that begin anew some time after their first count. Names tell nothing."""

    async def more(self, name: str, seconds: int) -> int:
        """Count one more; how many there are now."""

    async def so_far(self, name: str) -> int:
        """How many there are."""


class RedisCounters:
    """For all processes."""

    MORE: Final = """
    local count = redis.call('INCR', KEYS[1])
    if count == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
    return count
    """

    def __init__(self, redis: Scripts) -> None:
        self._redis = redis

    async def more(self, name: str, seconds: int) -> int:
        """As Counters promise; raises what the client raises."""
        return int(await self._redis.eval(self.MORE, 1, name, seconds))

    async def so_far(self, name: str) -> int:
        """As Counters promise; raises what the client raises."""
        return int(await self._redis.eval("return redis.call('GET', KEYS[1]) or 0", 1, name))


class OwnCounters:
    """For this process: the newest REMEMBERED of them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, most: int = REMEMBERED) -> None:
        self._clock = clock
        self._most = most
        self._counts: OrderedDict[str, tuple[int, float]] = OrderedDict()

    async def more(self, name: str, seconds: int) -> int:
        """As Counters promise."""
        count, until = self._counts.get(name, (0, 0.0))
        now = self._clock()
        count, until = (count + 1, until) if until > now else (1, now + seconds)
        self._counts[name] = count, until
        if len(self._counts) > self._most:
            self._counts.popitem(last=False)
        return count

    async def so_far(self, name: str) -> int:
        """As Counters promise."""
        count, until = self._counts.get(name, (0, 0.0))
        return count if until > self._clock() else 0


class EitherCounters:
    """Those of all processes, and while they cannot be reached those of this one."""

    def __init__(self, shared: Counters, own: Counters) -> None:
        self._shared = shared
        self._own = own

    async def more(self, name: str, seconds: int) -> int:
        """As Counters promise."""
        try:
            return await self._shared.more(name, seconds)
        except DOWN as error:
            log.warning("answers are counted in this process alone", error=type(error).__name__)
            return await self._own.more(name, seconds)

    async def so_far(self, name: str) -> int:
        """As Counters promise."""
        try:
            return await self._shared.so_far(name)
        except DOWN:
            return await self._own.so_far(name)


class Guards:
    """Counts what each number is answered, under names that tell nobody which number."""

    def __init__(self, counters: Counters, name: Callable[[str, str], str]) -> None:
        """`name` is a keyed hash of a value for a purpose."""
        self._counters = counters
        self._name = name

    async def loop(self, number: str, text: str) -> Loop | None:
        """What speaks against answering this text: it is what we wrote ourselves, or there have been too many answers."""
        if await self._counters.so_far(self._said(number, text)):
            return "echo"
        if await self._counters.more(self._key("answers", number), WINDOW) > MOST:
            return "too_many"
        return None

    async def told_too_often(self, number: str, text: str) -> bool:
        """Count that this number is told this; whether that has been so often that it should be told no more."""
        return await self._counters.more(self._said(number, text), WINDOW) > SAME

    async def first_today(self, number: str) -> bool:
        """Whether this is the first time in a day that this is asked of the number."""
        return await self._counters.more(self._key("refused", number), DAY) == 1

    def _said(self, number: str, text: str) -> str:
        return self._key("said", f"{number} {' '.join(text.split())}")

    def _key(self, purpose: str, value: str) -> str:
        return f"ek:sms:{{{self._name(f'sms {purpose}', value)}}}"


def answerable(sender: str) -> bool:
    """Whether a person can have written from there: not a short code, not a name such as `MTN`."""
    return is_e164(sender)
