"""Validators for what the menus themselves ask: PINs, codes, names, tracking numbers.

The catalogue validates the fields of a service's form.
"""

import re
from collections.abc import Callable
from datetime import date

from stdnum import damm
from stdnum.exceptions import InvalidChecksum, ValidationError
from stdnum.in_ import aadhaar as aadhaar_numbers

from core import pin_policy
from core.person_names import parse_person_name
from core.phone_numbers import PhoneNumberError, normalize_typed_number, parse_other_msisdn
from core.reference_numbers import TRACKING_NUMBER_DIGITS
from core.typed_input import clean_text, remove_joiners
from core.typed_numbers import read_date, read_digits, read_pin, remove_separators
from core.validation import Invalid, Valid

CODE_DIGITS = 6
AADHAAR_DIGITS = 12
MAX_AGE_YEARS = 120  # years
MAX_NAME_LENGTH = 60
MAX_SEARCH_LENGTH = 60
MIN_SEARCH_LETTERS, MIN_SEARCH_DIGITS = 2, 3
MAX_ANSWER_LENGTH = 80
MAX_EMAIL_BYTES = 254  # RFC 5321
_SPELLED_AT = re.compile(r"[(\[]at[)\]]")
# @ and _ have the codes 0 and 17 in the GSM alphabet and 64 and 95 in ASCII; each is the other's NUL, ¡, § or control.
_GSM_MISREADINGS = str.maketrans({"\x00": "@", "¡": "@", "\x11": "_", "§": "_", ",": "."})
_match_email = re.compile(
    r"[a-z0-9!$%&'+/=?^_`{|}~-][a-z0-9.!$%&'+/=?^_`{|}~-]{0,63}(?<!\.)"  # no * and no #, which a USSD path cannot contain
    r"@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{2,59})"
).fullmatch


def phone_text(text: str, _today: date) -> Valid | Invalid:
    """The digits of what may be a telephone number, with its plus; `other_number` decides."""
    number = normalize_typed_number(text)
    return Valid(number) if number else Invalid("not_a_phone")


def other_number(
    text: str, own_msisdn: str, is_supported: Callable[[str], bool], *, mobile_only: bool = False
) -> Valid | Invalid:
    """The MSISDN of another person, typed in the national form of the country of `own_msisdn`, or with a plus."""
    try:
        return Valid(parse_other_msisdn(text, own_msisdn, is_supported, mobile_only=mobile_only))
    except PhoneNumberError as error:
        return Invalid(error.problem)


def search_text(text: str, _today: date) -> Valid | Invalid:
    """The name of a service, or digits of its number or name; one or two digits alone are the number of a list row."""
    query = clean_text(text)[:MAX_SEARCH_LENGTH]
    bare = remove_separators(query)
    minimum = MIN_SEARCH_DIGITS if bare.isdecimal() else MIN_SEARCH_LETTERS
    return Valid(query) if len(bare) >= minimum else Invalid("too_short", {"least": minimum})


def place(text: str, _today: date) -> Valid | Invalid:
    """A postcode or the name of a district, or the beginning of either."""
    query = clean_text(text)[:MAX_SEARCH_LENGTH]
    return Valid(query) if len(query) >= MIN_SEARCH_LETTERS else Invalid("too_short", {"least": MIN_SEARCH_LETTERS})


def tracking_number(text: str, _today: date) -> Valid | Invalid:
    """Twelve digits, the last one a Damm check digit; see `read_digits`."""
    digits = _parse_digits(text, TRACKING_NUMBER_DIGITS)
    if isinstance(digits, Invalid):
        return digits
    return Valid(digits) if damm.is_valid(digits) else Invalid("slip")


def aadhaar(text: str, _today: date) -> Valid | Invalid:
    """An Aadhaar number: twelve digits, the last one a Verhoeff check digit; see `read_digits`."""
    digits = _parse_digits(text, AADHAAR_DIGITS)
    if isinstance(digits, Invalid):
        return digits
    try:
        return Valid(aadhaar_numbers.validate(digits))
    except InvalidChecksum:
        return Invalid("slip")
    except ValidationError:  # the number begins with 0 or 1, or is a palindrome
        return Invalid("not_aadhaar")


def _parse_digits(text: str, count: int) -> str | Invalid:
    """The digits without separators. The question names the count, so a rejection states how many digits were typed."""
    digits = read_digits(text)
    if not digits:
        return Invalid("not_a_number")
    return digits if len(digits) == count else Invalid("other_count", {"digits": len(digits)})


def birth_date(text: str, today: date) -> Valid | Invalid:
    """A date of birth, see `read_date`; stored as ISO 8601."""
    day = read_date(text)
    if isinstance(day, Invalid):
        return day
    if day > today:
        return Invalid("date_in_future")
    if day.year < today.year - MAX_AGE_YEARS:
        return Invalid("date_too_old", {"earliest": date(today.year - MAX_AGE_YEARS, 1, 1).isoformat()})
    return Valid(day.isoformat())


def pin(text: str, _today: date) -> Valid | Invalid:
    """A PIN for signing in. A weak PIN is rejected only when it is chosen."""
    digits = read_pin(text)
    return Valid(digits) if pin_policy.is_pin(digits) else Invalid("not_a_pin")


def new_pin(text: str, today: date) -> Valid | Invalid:
    """A new PIN that is not easy to guess."""
    result = pin(text, today)
    return Invalid("weak_pin") if isinstance(result, Valid) and pin_policy.is_easy_to_guess(result.value) else result


def code(text: str, _today: date) -> Valid | Invalid:
    """A one-time code of six digits; see `read_digits`."""
    digits = read_digits(text)
    return Valid(digits) if len(digits) == CODE_DIGITS else Invalid("not_a_code")


def person_name(text: str, _today: date) -> Valid | Invalid:
    """A name in letters of any script; see `core.person_names`."""
    name = parse_person_name(text)
    if name is None:
        return Invalid("not_a_name")
    return Valid(name) if len(name) <= MAX_NAME_LENGTH else Invalid("too_long", {"most": MAX_NAME_LENGTH})


def security_answer(text: str, _today: date) -> Valid | Invalid:
    """The answer to a security question."""
    text = clean_text(text)
    if not text:
        return Invalid("empty")
    return Valid(text) if len(text) <= MAX_ANSWER_LENGTH else Invalid("too_long", {"most": MAX_ANSWER_LENGTH})


def new_security_answer(text: str, today: date) -> Valid | Invalid:
    """The answer to a security question when it is chosen: a bare number, such as a year, is guessed in a few tries."""
    answer = security_answer(text, today)
    if isinstance(answer, Valid) and remove_separators(answer.value).isdecimal():
        return Invalid("number_as_answer")
    return answer


def email(text: str, _today: date) -> Valid | Invalid:
    """An e-mail address of plain letters, in lower case.

    Corrected: blanks, `(at)`, a comma instead of a dot, a trailing full stop, and what a network makes of @ and _.
    """
    typed = clean_text(remove_joiners(text).translate(_GSM_MISREADINGS))
    address = _SPELLED_AT.sub("@", "".join(typed.split()).casefold()).rstrip(".")
    if len(address) > MAX_EMAIL_BYTES or ".." in address or not _match_email(address):
        return Invalid("not_an_email")
    return Valid(address)
