"""Read what a caller dialled: our short code, and the digits past it."""

import re
from collections.abc import Sequence
from typing import Final

from sessions.session import SEPARATOR

_is_dial_string: Final = re.compile(r"\*[\d*]+#", re.ASCII).fullmatch


def build_path(dial_string: str, text: str, service_codes: Sequence[str]) -> str:
    """The typed path `text`, preceded by the digits dialled past our short code."""
    past = parse_digits_past_code(dial_string, service_codes)
    if past and text:
        return f"{past}{SEPARATOR}{text}"
    return past or text


def find_path_past_code(dial_string: str, code: str, service_codes: Sequence[str]) -> str:
    """The typed path in everything dialled and typed so far: `*415*33*1#`, or `33*1` after the `code` `*415#`.

    It begins behind the longest of our codes that begins the string, and behind `code` where none of ours does. Typed `#` that
    is not the last character belongs to the path.
    """
    dialled = dial_string.removesuffix("#") if dial_string.startswith(SEPARATOR) else _join(code, dial_string)
    known = [
        one
        for one in filter(None, (*service_codes, code))
        if dialled == one[:-1] or dialled.startswith(one[:-1] + SEPARATOR)
    ]
    ours = [one for one in known if one in service_codes] or known
    return dialled[len(max(ours, key=len)) :] if ours else dialled.removeprefix(SEPARATOR)


def _join(code: str, text: str) -> str:
    return f"{code[:-1]}{SEPARATOR}{text}" if text else code[:-1]


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
