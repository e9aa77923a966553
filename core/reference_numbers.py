"""Numbers of applications, complaints and feedback: twelve digits, of which the last is a check digit."""

import secrets
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from stdnum import damm

TRACKING_NUMBER_DIGITS: Final = 12
MAX_DRAWS: Final = 5
"""Collisions in a row, out of 10**11 numbers, that prove the random source broken."""

Result = TypeVar("Result")


class NumbersExhaustedError(RuntimeError):
    """Every number that was drawn is in use: the random source does not work."""

    def __init__(self) -> None:
        super().__init__("no free number was drawn; check the random source of this machine")


def generate_tracking_number(randbelow: Callable[[int], int] = secrets.randbelow) -> str:
    """Random digits and the Damm check digit over them. `randbelow(n)` returns an integer from 0 to n - 1."""
    random_digits = TRACKING_NUMBER_DIGITS - 1
    digits = f"{randbelow(10**random_digits):0{random_digits}}"
    return digits + str(damm.calc_check_digit(digits))


async def record_with_new_number(record: Callable[[str], Awaitable[Result | None]]) -> Result:
    """The result of `record` with the first number that is free; `record` returns None where its number is in use.

    Raises:
        NumbersExhaustedError: MAX_DRAWS numbers in a row are in use.
    """
    for _ in range(MAX_DRAWS):
        if (result := await record(generate_tracking_number())) is not None:
            return result
    raise NumbersExhaustedError
