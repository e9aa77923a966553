"""Types that many services take as arguments: the clock, translated texts, Redis scripts; and the names of channels."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Protocol, Self, TypeAlias

CHANNEL_USSD: Final = "ussd"
CHANNEL_SMS: Final = "sms"

UtcClock: TypeAlias = Callable[[], datetime]
"""Returns the current time, time-zone aware, in UTC."""

Translations: TypeAlias = Mapping[str, str]
"""Language (`en`, `bn`, `hi`, `bn_Latn`, `hi_Latn`) to text. English stands in for a missing language."""


class SmsText(str):
    """The text of an SMS in the letters of its language; `latin` is the same text in Latin letters."""

    __slots__ = ("latin",)
    latin: str

    def __new__(cls, own: str, latin: str) -> Self:
        """The two texts, which may be equal."""
        text = super().__new__(cls, own)
        text.latin = latin
        return text


def in_latin_letters(text: str) -> str:
    """The text in Latin letters, as far as it has such a form."""
    return text.latin if isinstance(text, SmsText) else text


TextRenderer: TypeAlias = Callable[[str, str, Mapping[str, object]], str]
"""Renders the text of an SMS from the language, the key of the text (`received`, `code`, …) and its facts."""


class RedisScripting(Protocol):
    """The part of a Redis client (`redis.asyncio`, single server or cluster) that runs Lua scripts."""

    def eval(self, script: str, numkeys: int, /, *keys_and_args: Any) -> Awaitable[Any]:
        """Run the script with `numkeys` keys and then its arguments, and return its result."""


def utc_now() -> datetime:
    """Return the current time in UTC: the clock that every service uses by default."""
    return datetime.now(UTC)
