"""The GSM 7-bit alphabet: count septets and UTF-16 units, and replace characters that it does not have.

The alphabet is the default one of 3GPP TS 23.038: 128 characters of one septet, and an extension table whose characters
take two.
"""

import re
from functools import lru_cache

from anyascii import anyascii

BASIC_CHARACTERS = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION_CHARACTERS = "\f^{}\\[~]|€"

_only_basic = re.compile(f"[{re.escape(BASIC_CHARACTERS)}]*").fullmatch
_only_gsm = re.compile(f"[{re.escape(BASIC_CHARACTERS + EXTENSION_CHARACTERS)}]*").fullmatch
_not_basic = re.compile(f"[^{re.escape(BASIC_CHARACTERS)}]")


def count_septets(text: str) -> int | None:
    """Return the number of septets of the text in GSM-7; None if the alphabet does not have one of its characters."""
    if _only_basic(text):
        return len(text)
    if _only_gsm(text):
        return len(text) + sum(text.count(character) for character in EXTENSION_CHARACTERS)
    return None


def count_utf16_units(text: str) -> int:
    """Return the number of UTF-16 units of the text: one for most characters, two for an emoji."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def to_basic_alphabet(text: str) -> str:
    """Return the text with the characters of the basic table only, for a network that shows no others.

    The texts of the gateway are written for such networks already; this is for names that people typed. A name in
    Bengali script, received by SMS, is shown in Latin letters on such a screen.
    """
    if _only_basic(text):
        return text
    return _not_basic.sub(lambda found: _transliterate(found[0]), text)


@lru_cache(maxsize=4096)
def _transliterate(character: str) -> str:
    spelled = {"[": "(", "]": ")", "{": "(", "}": ")", "|": "/", "~": "-", "^": "", "\\": "/", "`": "'"}
    return _not_basic.sub("", "".join(spelled.get(letter, letter) for letter in anyascii(character)))
