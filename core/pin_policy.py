"""The PIN policy: how long a PIN is, and which PINs are too easy to guess.

The locales print the lengths as `{pin_min}` and `{pin_max}`.
"""

import secrets
from collections.abc import Callable
from typing import Final

MIN_DIGITS: Final = 4
MAX_DIGITS: Final = 6
GENERATED_DIGITS: Final = 4  # of a PIN that the gateway chooses and sends

_ASCENDING: Final = "0123456789" * 2
_DESCENDING: Final = _ASCENDING[::-1]


def is_pin(text: str) -> bool:
    """Whether the text has the form of a PIN."""
    return text.isascii() and text.isdigit() and MIN_DIGITS <= len(text) <= MAX_DIGITS


def is_easy_to_guess(pin: str) -> bool:
    """Whether a PIN repeats one digit or runs up or down, as 2345, 9876 and 8901 do."""
    return len(set(pin)) == 1 or pin in _ASCENDING or pin in _DESCENDING


def generate_pin(randbelow: Callable[[int], int] = secrets.randbelow) -> str:
    """A random PIN that is not easy to guess. `randbelow(n)` returns an integer from 0 to n - 1."""
    while True:
        pin = f"{randbelow(10**GENERATED_DIGITS):0{GENERATED_DIGITS}}"
        if not is_easy_to_guess(pin):
            return pin
