"""The settings of the section `[sms]`."""

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import Field

from config.section import Section
from config.types import (
    CountryCode,
    NetworkCode,
    NetworkOrCountry,
    QuietHours,
    SmsNumber,
    SmsSender,
    StrictFloat,
    StrictInt,
    TtlSeconds,
    UsedCode,
)
from core.message_kinds import MessageKind

SANDBOX = "sandbox"


class SmsRoute(Section):
    """A provider, and the SMS that it carries; an empty list stands for all of them.

    `receives_replies` is None where the sender or the provider tells it.
    """

    provider: str
    fallback: str = ""
    sender: SmsSender = ""
    fallback_sender: SmsSender = ""
    receives_replies: bool | None = None
    countries: tuple[CountryCode, ...] = ()
    networks: tuple[NetworkCode, ...] = ()
    kinds: tuple[MessageKind, ...] = ()
    short_codes: tuple[UsedCode, ...] = ()


class SmsShortCode(Section):
    """A number that people send keywords to, and who does; an empty list stands for everybody."""

    code: SmsNumber
    countries: tuple[CountryCode, ...] = ()
    networks: tuple[NetworkCode, ...] = ()


class ProviderLimits(Section):
    """What one process sends by a provider; None has the value of `[sms]`."""

    concurrency: Annotated[StrictInt, Field(ge=1, le=500)] | None = None
    segments_per_second: Annotated[StrictFloat, Field(ge=0, le=10_000)] | None = None


class SmsSettings(Section):
    """SMS: providers and routes, conversations, sending limits."""

    provider: str = SANDBOX
    short_code: SmsNumber = "123"
    conversation_ttl: TtlSeconds = 1800
    screen_segments: Annotated[StrictInt, Field(ge=1, le=4)] = 2
    concurrency: Annotated[StrictInt, Field(ge=1, le=500)] = 16
    segments_per_second: Annotated[StrictFloat, Field(ge=0, le=10_000)] = 0
    quiet_hours: Mapping[NetworkOrCountry, QuietHours] = Field(default_factory=dict)
    limits: Mapping[str, ProviderLimits] = Field(default_factory=dict)
    short_codes: tuple[SmsShortCode, ...] = ()
    routes: tuple[SmsRoute, ...] = ()

    @property
    def providers(self) -> tuple[str, ...]:
        """Every provider that may send SMS, the default one first."""
        return tuple(dict.fromkeys(self._name_providers()))

    @property
    def leaves_this_machine(self) -> bool:
        """True if a provider other than the sandbox may send SMS."""
        return self.providers != (SANDBOX,)

    def _name_providers(self) -> Iterator[str]:
        yield self.provider
        for route in self.routes:
            yield from filter(None, (route.provider, route.fallback))
