"""Types that many services take as arguments: the clock, translated texts, Redis scripts; and the names of channels."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, NewType, Protocol, Self, TypeAlias

CHANNEL_USSD: Final = "ussd"
CHANNEL_SMS: Final = "sms"
CHANNEL_KAIOS: Final = "kaios"

UtcClock: TypeAlias = Callable[[], datetime]
"""Returns the current time, time-zone aware, in UTC."""

Translations: TypeAlias = Mapping[str, str]
"""Language (`en`, `bn`, `hi`, `bn_Latn`, `hi_Latn`) to text. English stands in for a missing language."""


@dataclass(frozen=True, slots=True)
class Template:
    """The text of the locales that a message was rendered from.

    `key` is its key in the table `[sms]`, `form` the locale, such as `bn_Latn`. `variables` are the rendered facts in the
    order of the text, each with the name of its placeholder; placeholders side by side are one variable, such as
    `service+biller`. `omitted` names the variables that have no value, in the order of the text: the text is then without
    them, and without the lines that have no others. A text that was not rendered from one template has none.
    """

    key: str
    form: str
    variables: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    omitted: tuple[str, ...] = ()

    @property
    def variant(self) -> str:
        """The key with the names of what is omitted: `received-due-to_pay_at`."""
        return "-".join((self.key, *self.omitted))

    @property
    def name(self) -> str:
        """The name in `[dlt.templates]`: `received-due-to_pay_at.hi`."""
        return f"{self.variant}.{self.form}"


class SmsText(str):
    """The text of an SMS in the letters of its language; `latin` is the same text in Latin letters.

    `template` and `latin_template` are what the two were rendered from; None where that is not one template.
    """

    __slots__ = ("latin", "latin_template", "template")
    latin: str
    template: Template | None
    latin_template: Template | None

    def __new__(
        cls, own: str, latin: str, template: Template | None = None, latin_template: Template | None = None
    ) -> Self:
        """The two texts, which may be equal."""
        text = super().__new__(cls, own)
        text.latin, text.template, text.latin_template = latin, template, latin_template
        return text


def in_latin_letters(text: str) -> str:
    """The text in Latin letters, as far as it has such a form."""
    return text.latin if isinstance(text, SmsText) else text


TextKey = NewType("TextKey", str)
"""The key of an SMS text that is rendered later."""

TextRenderer: TypeAlias = Callable[[str, str, Mapping[str, object]], str]
"""Renders the text of an SMS from the language, the key of the text (`received`, `code`, …) and its facts."""


class RedisScripting(Protocol):
    """The part of a Redis client (`redis.asyncio`, single server or cluster) that runs Lua scripts."""

    def eval(self, script: str, numkeys: int, /, *keys_and_args: Any) -> Awaitable[Any]:
        """Run the script with `numkeys` keys and then its arguments, and return its result."""


def utc_now() -> datetime:
    """Return the current time in UTC: the clock that every service uses by default."""
    return datetime.now(UTC)
