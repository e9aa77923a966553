"""The five ways in which a send can end, in words that every provider's answers are put into."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took it; a delivery report under `provider_id` will tell more. `cost` as it wrote it, `KES 0.8000`."""

    provider_id: str
    cost: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """It was not sent and never will be, however often it is tried."""

    reason: str


@dataclass(frozen=True, slots=True)
class Retry:
    """It was not sent, and a later try may do better: not before `due`, where the provider's own rules say when.

    `tries` bounds how often in all, where the provider is not quite to be believed that it was not sent, or that it will
    ever be. `everybody`: what asked for this wants no other message before then either.
    """

    reason: str
    due: datetime | None = None
    tries: int | None = None
    everybody: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """It was not sent, and no other message will be, before a person has mended the account or the configuration."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """It may have been sent: never to be sent again by itself, but settled by a delivery report or by a person.

    `alarm`: the provider keeps it until a person has looked at the account.
    """

    reason: str
    alarm: bool = False


Outcome: TypeAlias = Accepted | Refused | Retry | Held | Unclear
"""Every `reason` is one word of the provider's or of ours, fit for logs: never a number, never a text."""
