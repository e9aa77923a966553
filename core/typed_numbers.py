"""Read numbers and dates as people type them: in groups, in the digits of any script, with letters that look like digits.

Every function takes raw or normalized text. A function of a number without check digit accepts less than one with it.
"""

import unicodedata
from datetime import date
from typing import Final

import regex

from core.languages import LANGUAGES
from core.typed_input import JOINERS, MINUS_SIGNS, clean_text, normalize_input, remove_joiners
from core.validation import Invalid, Valid

_LOOKALIKE_DIGITS: Final = str.maketrans("oOiIlL|", "0011111")
_LOOKALIKES: Final = "oOiIlL|"
_DANDA_LOOKALIKE: Final = "\u09f7"
# All punctuation, thus every dash, dot, comma, slash, # and _, and the @ that fills the last octet of an SMS.
_SEPARATOR: Final = rf"[\p{{P}}\p{{Z}}\p{{Cc}}{MINUS_SIGNS}{_DANDA_LOOKALIKE}{JOINERS}]"
_remove_separators = regex.compile(f"{_SEPARATOR}+").sub
_split_at_separators = regex.compile(f"{_SEPARATOR}+").split

_has_inner_dash = regex.compile(rf"(?<=\w)\s*[\p{{Pd}}{MINUS_SIGNS}]\s*(?=\w)").search

_GROUP: Final = r"(?=[oOiI|l]*\d)[\doOiI|l]*[\doO]"  # no l at the end: 10 L are ten lakh
_AMOUNT_WORDS: Final = "|".join(regex.escape(word) for language in LANGUAGES for word in language.amount_words)
_CURRENCY: Final = rf"(?:{_AMOUNT_WORDS}|\p{{Sc}})[.:]*"
_match_amount = regex.compile(
    rf"(?:{_CURRENCY}\s*)?[\p{{Ps}}\p{{Pi}}\"'#:]*"
    rf"(?P<whole>{_GROUP}(?:,\d{{2,3}})*(?:,\d{{3}})|{_GROUP}(?:[\s_]+{_GROUP})*)(?P<fraction>\.\d*)?"
    rf"[\p{{Pe}}\p{{Pf}}\"'@#:;,।]*(?:\s*{_CURRENCY})?\s*(?:/?[\p{{Pd}}=])?(?:\s*only)?[.।]?",
    regex.IGNORECASE | regex.V1,
).fullmatch
_match_option_number = regex.compile(r"[^\p{L}\p{M}\p{N}]*(?P<number>[\doO]{1,3})[^\p{L}\p{M}\p{N}]*").fullmatch  # fmt: skip
_CIRCLED: Final = {code: unicodedata.normalize("NFKC", chr(code)) for code in range(0x2460, 0x249C)}

YEAR_DIGITS: Final = 4
DATE_DIGITS: Final = 8
MAX_PART_DIGITS: Final = 2
DATE_PARTS: Final = 3


def read_lookalike_digits(word: str) -> str:
    """The digits that the letters of a word look like (`Ol` is 01); empty where a letter looks like none."""
    return word.translate(_LOOKALIKE_DIGITS) if word and not word.strip(_LOOKALIKES) else ""


def remove_separators(text: str) -> str:
    """The normalized text without the blanks, dashes and other punctuation between its letters and digits."""
    return remove_joiners(_remove_separators("", normalize_input(text)))


def read_digits(text: str) -> str:
    """The digits of a number, with whatever separators; empty where something else is in the text.

    The letters O, o, I, i, l, L and the sign | among digits are read as the digits that they look like.
    """
    if text.isascii() and text.isdigit():
        return text
    bare = remove_separators(text)
    digits = bare.translate(_LOOKALIKE_DIGITS)
    return digits if digits.isdecimal() and bare.strip(_LOOKALIKES) else ""


def split_leading_digits(text: str, count: int) -> tuple[str, str]:
    """The number of `count` digits at the beginning, and the text after it; `("", text)` without one."""
    text = normalize_input(text)
    digit = rf"[\d{_LOOKALIKES}]"
    pattern = rf"{_SEPARATOR}*+(?P<number>(?:{digit}{_SEPARATOR}*+){{{count - 1}}}{digit})(?!\d){_SEPARATOR}*+"
    match = regex.match(pattern, text)
    digits = read_digits(match["number"]) if match else ""
    return (digits, text[match.end() :]) if match and digits else ("", text)


def read_pin(text: str) -> str:
    """The digits of a PIN, without separators; empty where something else is in the text, a letter too."""
    if text.isascii() and text.isdigit():
        return text
    digits = remove_separators(text)
    return digits if digits.isdecimal() else ""


def read_whole_number(text: str) -> Valid | Invalid:
    """The digits of a whole number or an amount: `5 000`, `1,20,000`, `Rs. 1200/-`, `5000.00`.

    Invalid: `not_whole` for a number with a fraction, `not_a_number` for everything else. The grouping of 1200,50 is not
    one: it may be a fraction. A dash does not separate digits either: it may be a minus, or the middle of a range.
    """
    if text.isascii() and text.isdigit():
        return Valid(text)
    amount = _match_amount(remove_joiners(clean_text(text)))
    if amount is None:
        return Invalid("not_a_number")
    if amount["fraction"] and amount["fraction"] not in {".", ".0", ".00"}:
        return Invalid("not_whole")
    return Valid(read_digits(amount["whole"]))


def read_date(text: str) -> date | Invalid:
    """The date of day, month and year in this order, or of year, month and day.

    Invalid: `no_such_day` for 31 February and the like, `not_a_date` for everything else. A year has four digits. Without separators, a date has eight digits, and the day comes first.
    """
    parts = [part.translate(_LOOKALIKE_DIGITS) for part in _split_at_separators(clean_text(text)) if part]
    if not all(part.isdecimal() for part in parts):
        return Invalid("not_a_date")
    if len(parts) < DATE_PARTS and len(whole := "".join(parts)) == DATE_DIGITS:
        parts = [whole[:2], whole[2:4], whole[4:]]
    if len(parts) == DATE_PARTS and len(parts[0]) == YEAR_DIGITS:
        parts.reverse()
    if len(parts) != DATE_PARTS or len(parts[2]) != YEAR_DIGITS or max(map(len, parts[:2])) > MAX_PART_DIGITS:
        return Invalid("not_a_date")
    try:
        return date(int(parts[2]), int(parts[1]), int(parts[0]))
    except ValueError:
        return Invalid("no_such_day")


def read_postcode(text: str) -> str:
    """The letters, in upper case, and digits of a postcode. One dash or blank stays between groups, no blank between digits."""
    parts = [part for part in _split_at_separators(clean_text(text).upper()) if part]
    if _has_inner_dash(text.strip()):
        return "-".join(parts)
    return ("" if all(part.isdecimal() for part in parts) else " ").join(parts)


def read_option_number(text: str) -> str:
    """The digits, with their zeros, of a short number between signs: `2.`, `(2)`, `#02`, `2️⃣`; empty where there is none."""
    match = _match_option_number(clean_text(text).translate(_CIRCLED))
    number = match["number"] if match else ""
    return number.translate(_LOOKALIKE_DIGITS) if number.strip(_LOOKALIKES) else ""
