"""Types that many services take as arguments: the clock, translated texts, Redis scripts; and the names of channels."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Protocol, TypeAlias

CHANNEL_USSD: Final = "ussd"
CHANNEL_SMS: Final = "sms"

UtcClock: TypeAlias = Callable[[], datetime]
"""Returns the current time, time-zone aware, in UTC."""

Translations: TypeAlias = Mapping[str, str]
"""Language (`en`, `bn`, `hi`, `bn_Latn`, `hi_Latn`) to text. English stands in for a missing language."""

TextRenderer: TypeAlias = Callable[[str, str, Mapping[str, object]], str]
"""Renders the text of an SMS from the language, the key of the text (`received`, `code`, …) and its facts."""


class RedisScripting(Protocol):
    """The part of a Redis client (`redis.asyncio`, single server or cluster) that runs Lua scripts."""

    def eval(self, script: str, numkeys: int, /, *keys_and_args: Any) -> Awaitable[Any]:
        """Run the script with `numkeys` keys and then its arguments, and return its result."""


def utc_now() -> datetime:
    """Return the current time in UTC: the clock that every service uses by default."""
    return datetime.now(UTC)
