"""Passwords of staff."""

import re
import secrets
import unicodedata
from typing import Final

from services.staff.models import PasswordProblem

MIN_LENGTH: Final = 12
"""NIST SP 800-63B-4 asks for 15 characters where a password is the only factor and 8 beside another."""
MAX_LENGTH: Final = 128
MIN_DISTINCT: Final = 5
"""Characters that differ, in a password."""
MIN_LETTERS: Final = 4
"""Characters that are left of a password without its common words and rows of keys."""
COMMON_PARTS: Final = (
    *(
        "password",
        "passwort",
        "passphrase",
        "welcome",
        "letmein",
        "iloveyou",
        "administrator",
        "admin",
        "changeme",
        "default",
    ),
    *(
        "secret",
        "sunshine",
        "princess",
        "dragon",
        "monkey",
        "football",
        "cricket",
        "superman",
        "batman",
        "master",
        "login",
    ),
    *(
        "qwertyuiop",
        "asdfghjkl",
        "zxcvbnm",
        "qwerty",
        "asdfgh",
        "zxcvbn",
        "qazwsxedc",
        "qazwsx",
        "1qaz2wsx3edc",
        "1qaz2wsx",
    ),
    *(
        "q1w2e3r4t5y6",
        "q1w2e3r4",
        "1q2w3e4r5t6y",
        "1q2w3e4r",
        "abcdefghijkl",
        "abcdefgh",
        "abcdef",
        "abc",
        "asdf",
        "qwer",
    ),
    *(
        "bangladesh",
        "dhaka",
        "india",
        "bharat",
        "delhi",
        "kenya",
        "nairobi",
        "government",
        "sarkar",
        "ekdial",
        "console",
    ),
)
"""What attackers try first, in every order and with digits around it."""
_LETTERS_FOR_SIGNS: Final = str.maketrans("@013$57!", "aoiessti")
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # no letter or digit that looks like another
_GROUPS: Final = 4
_GROUP_LENGTH: Final = 4


def generate_password() -> str:
    """A password of 16 characters in groups, such as `k7mq-p2xd-9wte-hbn4`: 79 bits."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS))


def normalize_password(password: str) -> str:
    """The password in one of the forms that Unicode has for the same characters (NFKC, as NIST SP 800-63B-4 advises)."""
    return unicodedata.normalize("NFKC", password)


def find_password_problem(password: str, login: str) -> PasswordProblem | None:
    """Why this is no password for the login; None for one that is good.

    No rule asks for capitals, digits or signs: a rule makes people write `Password1234!`, and length is what counts.
    """
    normalized = normalize_password(password).casefold()
    if len(normalized) < MIN_LENGTH:
        return "too_short"
    if len(normalized) > MAX_LENGTH:
        return "too_long"
    if login in normalized and len(normalized) - len(login) < MIN_LENGTH - MIN_LETTERS:
        return "like_login"
    return "common" if _is_common(normalized) else None


def _is_common(password: str) -> bool:
    """Whether little is left without common words, rows of keys and digits, or few characters differ."""
    if len(set(password)) < MIN_DISTINCT:
        return True
    return any(
        len(_remove_common_parts(text)) < MIN_LETTERS for text in (password, password.translate(_LETTERS_FOR_SIGNS))
    )


def _remove_common_parts(text: str) -> str:
    for part in COMMON_PARTS:
        text = text.replace(part, "")
    return re.sub(r"[\W\d_]", "", text)
