"""The channels by which people reach us from a phone, as rows, messages and the audit name them."""

from typing import Final

BY_CALL: Final = "ussd"
BY_SMS: Final = "sms"


def channel_of(effect: str) -> str:
    """The channel on which something was done; the effects of an SMS begin with `sms/`."""
    return BY_SMS if effect.startswith(f"{BY_SMS}/") else BY_CALL
