"""What every service here is given rather than makes: the time, the words, and the keeping of secrets."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol, TypeAlias

Clock: TypeAlias = Callable[[], datetime]
"""The time now, aware, in UTC."""

Texts: TypeAlias = Mapping[str, str]
"""Language (`en`, `bn`, `hi`, `bn_Latn`, `hi_Latn`) to text."""

Say: TypeAlias = Callable[[str, str, Mapping[str, object]], str]
"""The text of an SMS: language, which text (`received`, `code`, …), and the facts it says."""


class Sealing(Protocol):
    """Keyed names and sealed values, from the one master secret of the gateway."""

    def name(self, purpose: str, value: str) -> str:
        """A keyed hash as short url-safe text: the same in, the same out; another purpose, another name."""

    def close(self, plain: bytes, about: str) -> bytes:
        """Sealed so that it opens only with the same `about`."""

    def open(self, sealed: bytes, about: str) -> bytes:
        """What was closed; raises when it was damaged, moved, or sealed with another key."""


class Scripts(Protocol):
    """The one thing that is asked of a Redis client (`redis.asyncio`): to run a script."""

    def eval(self, script: str, numkeys: int, /, *keys_and_args: Any) -> Awaitable[Any]:
        """What the script returns."""


def utc_now() -> datetime:
    """The clock of every day."""
    return datetime.now(UTC)
