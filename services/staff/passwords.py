"""Passwords of staff."""

import secrets
import unicodedata
from typing import Final

MIN_LENGTH: Final = 12
"""NIST SP 800-63B-4 asks for 15 characters where a password is the only factor and 8 beside another."""
MAX_LENGTH: Final = 128
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # no letter or digit that looks like another
_GROUPS: Final = 4
_GROUP_LENGTH: Final = 4


def generate_password() -> str:
    """A password of 16 characters in groups, such as `k7mq-p2xd-9wte-hbn4`: 79 bits."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS))


def normalize_password(password: str) -> str:
    """The password in one of the forms that Unicode has for the same characters (NFKC, as NIST SP 800-63B-4 advises)."""
    return unicodedata.normalize("NFKC", password)
