"""Read what a caller dialled: our short code, and the digits past it."""

import re
from collections.abc import Sequence
from typing import Final

from sessions.session import SEPARATOR

_is_dial_string: Final = re.compile(r"\*[\d*]+#", re.ASCII).fullmatch


def parse_digits_past_code(dial_string: str, service_codes: Sequence[str]) -> str:
    """The digits dialled past the longest of our codes that begins the string: `*123*2*99#` dials `2*99`.

    Empty where the string is one of the codes, no dial string, or of no code of ours.
    """
    if dial_string in service_codes or not _is_dial_string(dial_string):
        return ""
    longest = max(
        (code for code in service_codes if dial_string.startswith(code[:-1] + SEPARATOR)), key=len, default=""
    )
    return dial_string[len(longest) : -1] if longest else ""
