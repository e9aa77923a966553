"""What may be typed where the menus themselves ask: PINs, codes, names, tracking numbers.

The fields of a service's form are checked by the catalogue; these are the same for every deployment.
"""

import re
import unicodedata
from datetime import date

from stdnum import damm

from menus.model import Accepted, Refused

TRACKING_DIGITS = 12
CODE_DIGITS = 6
LEAST_PIN, MOST_PIN = 4, 6
LONGEST_NAME = 60
LONGEST_ANSWER = 80
_BETWEEN_DIGITS = re.compile(r"[\s.-]+")
_RUN = "01234567890123456789"


def tracking_number(typed: str, _today: date) -> Accepted | Refused:
    """Twelve digits, the last a Damm check digit over the others; spaces, dots and hyphens between them are forgiven."""
    digits = _BETWEEN_DIGITS.sub("", typed)
    if not digits.isascii() or not digits.isdigit() or len(digits) != TRACKING_DIGITS:
        return Refused("not_12_digits")
    return Accepted(digits) if damm.is_valid(digits) else Refused("slip")


def pin(typed: str, _today: date) -> Accepted | Refused:
    """Four to six digits, for signing in: whether it is a good PIN was asked when it was chosen."""
    if not typed.isascii() or not typed.isdigit() or not LEAST_PIN <= len(typed) <= MOST_PIN:
        return Refused("not_a_pin")
    return Accepted(typed)


def new_pin(typed: str, today: date) -> Accepted | Refused:
    """A PIN to be chosen: neither a run such as 2345 or 9876 nor one digit repeated."""
    understood = pin(typed, today)
    if isinstance(understood, Accepted) and (len(set(typed)) == 1 or typed in _RUN or typed[::-1] in _RUN):
        return Refused("weak_pin")
    return understood


def code(typed: str, _today: date) -> Accepted | Refused:
    """A one-time code of six digits; spaces between them are forgiven."""
    digits = _BETWEEN_DIGITS.sub("", typed)
    if not digits.isascii() or not digits.isdigit() or len(digits) != CODE_DIGITS:
        return Refused("not_a_code")
    return Accepted(digits)


def person(typed: str, _today: date) -> Accepted | Refused:
    """A name in letters of any script."""
    name = unicodedata.normalize("NFC", " ".join(typed.split()))
    if not any(character.isalpha() for character in name) or any(character.isdigit() for character in name):
        return Refused("not_a_name")
    return Accepted(name) if len(name) <= LONGEST_NAME else Refused("too_long", {"most": LONGEST_NAME})


def answer(typed: str, _today: date) -> Accepted | Refused:
    """The answer to a security question: something, and not too long."""
    if not typed:
        return Refused("empty")
    return Accepted(typed) if len(typed) <= LONGEST_ANSWER else Refused("too_long", {"most": LONGEST_ANSWER})
