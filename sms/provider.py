"""What a provider of SMS is asked to do, and the five ways in which a send can end."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import phonenumbers


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

    `tries` bounds how often in all, where the provider is not quite to be believed that it was not sent.
    """

    reason: str
    due: datetime | None = None
    tries: int | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """It was not sent, and no other message will be, before a person has mended the account or the configuration."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """It may have been sent: never to be sent again by itself, but settled by a delivery report or by a person."""

    reason: str


Outcome = Accepted | Refused | Retry | Held | Unclear
"""Every `reason` is one word of the provider's or of ours, fit for logs: never a number, never a text."""


class Provider(Protocol):
    """One way out for SMS."""

    @property
    def name(self) -> str:
        """How settings, logs and routes call it."""

    async def send(self, to: str, text: str) -> Outcome:
        """Send one text to one E.164 number, within the provider's own deadline."""


def is_e164(number: str) -> bool:
    """Whether this is `+`, country code and national number as such a number can be written, and nothing else.

    *Possible*, not *valid*: a range that was opened after this copy of the numbering plans must still get its SMS.
    """
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return False
    plain = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return plain == number and phonenumbers.is_possible_number(parsed)
