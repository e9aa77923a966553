"""Read numbers as people type them: in groups, in the digits of any script, with the letter O for 0, and I or l for 1."""

from collections.abc import Iterator, Sequence

from stdnum import damm

from core.reference_numbers import TRACKING_NUMBER_DIGITS
from core.typed_numbers import read_lookalike_digits
from sms.keywords.tokenizer import Token


def read_leading_number(tokens: Sequence[Token]) -> tuple[str, int]:
    """The digits at the beginning, and the number of tokens they take; `("", 0)` where a word comes first.

    Groups of digits are joined as long as the number is shorter than a tracking number.
    """
    number = ""
    for used, _ in enumerate(tokens):
        digits = _read_digits(tokens, used)
        if not digits or len(number) == TRACKING_NUMBER_DIGITS:
            return number, used
        number += digits
    return number, len(tokens)


def find_numbers(tokens: Sequence[Token]) -> Iterator[str]:
    """Every number among the tokens, in their order."""
    index = 0
    while index < len(tokens):
        number, used = read_leading_number(tokens[index : index + TRACKING_NUMBER_DIGITS])
        if number:
            yield number
        index += used or 1


def is_tracking_number(number: str) -> bool:
    """Whether a number has twelve digits and a right check digit."""
    return len(number) == TRACKING_NUMBER_DIGITS and damm.is_valid(number)


def contains_only_numbers(tokens: Sequence[Token]) -> bool:
    """Whether there are tokens, and each is a number, or letters that look like digits and touch a number."""
    return bool(tokens) and all(_read_digits(tokens, index) for index in range(len(tokens)))


def _read_digits(tokens: Sequence[Token], index: int) -> str:
    """The digits of a number, or of letters that look like digits and touch a number; else an empty text."""
    token = tokens[index]
    if token.is_number:
        return token.key
    before, after = tokens[max(index - 1, 0) : index], tokens[index + 1 : index + 2]
    touches = any(it.is_number and it.end == token.start for it in before)
    touches = touches or any(it.is_number and it.start == token.end for it in after)
    return read_lookalike_digits(token.key) if touches else ""
