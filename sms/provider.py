"""What a provider of SMS is asked to do."""

from typing import Protocol

import phonenumbers

from services.messages.sends import Accepted, Held, Outcome, Refused, Retry, Unclear

__all__ = ["Accepted", "Held", "Outcome", "Provider", "Refused", "Retry", "Unclear", "is_e164"]


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
