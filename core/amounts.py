"""Amounts of money as people write them, in units such as 10.50, and as they are stored: integers in hundredths."""

import re
from typing import Final

HUNDREDTHS: Final = 100
MAX_DIGITS: Final = 15
"""Digits before the point: more than any sum of money, and within an integer column."""
_AMOUNT: Final = re.compile(r"(?P<units>\d{1,3}(?:,\d{3})+|\d+)(?:\.(?P<decimals>\d+))?", re.ASCII)


class AmountError(ValueError):
    """A text is no amount, or an amount that cannot be paid; its message says what would be right."""


def parse_amount(text: str) -> int:
    """Return the hundredths of an amount in units: `10` is 1000, `1,250.50` is 125050.

    Raises:
        AmountError: it is no amount, or has more than two decimals.
    """
    found = _AMOUNT.fullmatch(text.strip())
    if found is None or len(found["units"].replace(",", "")) > MAX_DIGITS:
        raise AmountError(f"{text[:40]!r} is not an amount; write one such as 10 or 1250.50")
    decimals = (found["decimals"] or "").rstrip("0")
    if len(decimals) > 2:  # noqa: PLR2004 - hundredths
        raise AmountError(f"{text[:40]} has more than two decimals; write one such as 10 or 1250.50")
    return int(found["units"].replace(",", "")) * HUNDREDTHS + int(f"{decimals:0<2}")


def check_step(minor: int, step: int, currency: str) -> None:
    """Check that an amount is a multiple of `step`, the smallest amount that a wallet can pay; both in hundredths.

    Raises:
        AmountError: it is not; the message names the amounts around it.
    """
    if minor % step:
        below = minor - minor % step
        near = [format_units(one) for one in (below, below + step) if one]
        raise AmountError(
            f"This wallet pays {currency} in steps of {format_units(step)}, and {format_units(minor)} is none; "
            f"write {' or '.join(near)}"
        )


def format_units(minor: int) -> str:
    """Return hundredths in units, with two decimals: `10.50`."""
    sign = "-" if minor < 0 else ""
    return f"{sign}{abs(minor) // HUNDREDTHS}.{abs(minor) % HUNDREDTHS:02}"


def format_money(minor: int, currency: str) -> str:
    """Return hundredths in units with the currency before them: `BDT 10.50`."""
    return f"{currency} {format_units(minor)}".strip()
