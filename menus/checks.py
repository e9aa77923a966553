"""What may be typed where the menus themselves ask: PINs, codes, names, tracking numbers.

The fields of a service's form are checked by the catalogue; these are the same for every deployment.
"""

import re
import unicodedata
from datetime import date

from stdnum import damm
from stdnum.exceptions import InvalidChecksum, ValidationError
from stdnum.in_ import aadhaar as aadhaar_numbers

from menus.model import Accepted, Refused

TRACKING_DIGITS = 12
CODE_DIGITS = 6
AADHAAR_DIGITS = 12
OLDEST = 120  # years
LEAST_PIN, MOST_PIN = 4, 6
LONGEST_NAME = 60
LONGEST_SOUGHT = 60
LEAST_LETTERS, LEAST_KEYS = 2, 3
LONGEST_ANSWER = 80
_BETWEEN_DIGITS = re.compile(r"[\s.-]+")
_is_day = re.compile(r"(\d{1,2})[^\w]*(\d{1,2})[^\w]*(\d{4})", re.ASCII).fullmatch
_RUN = "01234567890123456789"
LONGEST_EMAIL = 254  # octets, RFC 5321
_AT = re.compile(r"[(\[]at[)\]]")
# @ and _ have the codes 0 and 17 in the GSM alphabet and 64 and 95 in ASCII; each is the other's NUL, ¡, § or control.
_MISREAD = str.maketrans({"\x00": "@", "¡": "@", "\x11": "_", "§": "_", ",": "."})
_is_email = re.compile(
    r"[a-z0-9!$%&'+/=?^_`{|}~-][a-z0-9.!$%&'+/=?^_`{|}~-]{0,63}(?<!\.)"  # no * and no #, which a call cannot carry
    r"@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{2,59})"
).fullmatch


def sought(typed: str, _today: date) -> Accepted | Refused:
    """What a service is called, or some digits of it; one or two digits alone are the number of a list's line."""
    words = " ".join(typed.split())[:LONGEST_SOUGHT]
    least = LEAST_KEYS if words.isascii() and words.isdigit() else LEAST_LETTERS
    return Accepted(words) if len(words) >= least else Refused("too_short", {"least": least})


def place(typed: str, _today: date) -> Accepted | Refused:
    """A postcode or the name of a district, or the beginning of either."""
    words = " ".join(typed.split())[:LONGEST_SOUGHT]
    return Accepted(words) if len(words) >= LEAST_LETTERS else Refused("too_short", {"least": LEAST_LETTERS})


def tracking_number(typed: str, _today: date) -> Accepted | Refused:
    """Twelve digits, the last a Damm check digit over the others; spaces, dots and hyphens between them are forgiven."""
    digits = _digits(typed, TRACKING_DIGITS)
    if isinstance(digits, Refused):
        return digits
    return Accepted(digits) if damm.is_valid(digits) else Refused("slip")


def aadhaar(typed: str, _today: date) -> Accepted | Refused:
    """An Aadhaar number: twelve digits, the last a Verhoeff check digit; spaces, dots and hyphens between are forgiven."""
    digits = _digits(typed, AADHAAR_DIGITS)
    if isinstance(digits, Refused):
        return digits
    try:
        return Accepted(aadhaar_numbers.validate(digits))
    except InvalidChecksum:
        return Refused("slip")
    except ValidationError:  # it begins with 0 or 1, or reads the same backwards
        return Refused("not_aadhaar")


def _digits(typed: str, count: int) -> str | Refused:
    """So many digits without what stands between them; the question says how many, so it is said how many there were."""
    digits = _BETWEEN_DIGITS.sub("", typed)
    if not digits.isascii() or not digits.isdigit():
        return Refused("not_a_number")
    return digits if len(digits) == count else Refused("other_count", {"digits": len(digits)})


def birthday(typed: str, today: date) -> Accepted | Refused:
    """The day somebody was born, `21-11-1990` with anything or nothing between day, month and year; kept as ISO 8601."""
    parts = _is_day(typed)
    try:
        day = date(int(parts[3]), int(parts[2]), int(parts[1])) if parts else None
    except ValueError:
        day = None
    if day is None:
        return Refused("not_a_date")
    if day > today:
        return Refused("date_in_future")
    if day.year < today.year - OLDEST:
        return Refused("date_too_old", {"earliest": date(today.year - OLDEST, 1, 1).isoformat()})
    return Accepted(day.isoformat())


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


def email(typed: str, _today: date) -> Accepted | Refused:
    """An e-mail address in plain letters, as it can be typed on a keypad; kept in lower case, for no server tells it apart.

    Forgiven: blanks, `(at)`, a comma for a dot, a full stop at the end, and what a network made of @ and _.
    """
    address = _AT.sub("@", "".join(typed.split()).translate(_MISREAD).casefold()).rstrip(".")
    if len(address) > LONGEST_EMAIL or ".." in address or not _is_email(address):
        return Refused("not_an_email")
    return Accepted(address)
