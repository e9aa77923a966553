"""The five outcomes of a send; the answers of every provider are mapped to these."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider accepted the message; delivery reports have `provider_id`. `cost` is its own text, such as `KES 0.8000`."""

    provider_id: str
    cost: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The message was not sent and never will be."""

    reason: str


@dataclass(frozen=True, slots=True)
class Retry:
    """The message was not sent, and a later attempt may succeed: from `not_before` on, where the provider says when.

    `max_attempts` limits the attempts, where it is doubtful that the message was not sent or ever will be. `pauses_all`:
    the provider wants no other message before then either.
    """

    reason: str
    not_before: datetime | None = None
    max_attempts: int | None = None
    pauses_all: bool = False


@dataclass(frozen=True, slots=True)
class Suspended:
    """No message is sent until a person fixes the provider account or the configuration.

    `template_only`: only the messages with this text wait, because an operator refuses what is registered for it.
    """

    reason: str
    template_only: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """The message may have been sent; it is not sent again by itself, and a delivery report or a person settles it.

    `needs_attention`: the provider holds it until a person has looked at the account.
    """

    reason: str
    needs_attention: bool = False


SendOutcome: TypeAlias = Accepted | Rejected | Retry | Suspended | Unknown
"""Every `reason` is one word, fit for logs: never a number, never a text."""
