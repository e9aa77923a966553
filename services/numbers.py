"""Tracking numbers: twelve digits that a keypad can type, the last of them a check digit, so that a slip is noticed."""

import secrets
from collections.abc import Callable

from stdnum import damm

DRAWN = 11


def tracking_number(draw: Callable[[int], int] = secrets.randbelow) -> str:
    """Eleven digits out of `draw(10**11)` and the Damm check digit over them."""
    digits = f"{draw(10**DRAWN):0{DRAWN}}"
    return digits + str(damm.calc_check_digit(digits))
