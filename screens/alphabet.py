"""How much room a text takes: GSM-7 septets where the alphabet has every character, UTF-16 units where it has not.

The alphabet is 3GPP TS 23.038's default one: 128 positions of one septet each and an extension table of two.
"""

import re
from functools import lru_cache

from anyascii import anyascii

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = "\f^{}\\[~]|€"

_only_basic = re.compile(f"[{re.escape(BASIC)}]*").fullmatch
_only_gsm = re.compile(f"[{re.escape(BASIC + EXTENSION)}]*").fullmatch
_not_basic = re.compile(f"[^{re.escape(BASIC)}]")


def septets(text: str) -> int | None:
    """How many septets `text` takes in GSM-7, or None when the alphabet lacks one of its characters."""
    if _only_basic(text):
        return len(text)
    if _only_gsm(text):
        return len(text) + sum(text.count(character) for character in EXTENSION)
    return None


def units(text: str) -> int:
    """How many UTF-16 units `text` takes in UCS-2: one for most characters, two for an emoji."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def in_basic(text: str) -> str:
    """`text` spelled with the basic alphabet alone, for a network that shows nothing else.

    Words of the gateway's own are written for such networks already; this is for what people are called:
    a name given in Bengali script by SMS is shown in Latin letters on a screen that has no others.
    """
    if _only_basic(text):
        return text
    return _not_basic.sub(lambda found: _spelled(found[0]), text)


@lru_cache(maxsize=4096)
def _spelled(character: str) -> str:
    spelled = {"[": "(", "]": ")", "{": "(", "}": ")", "|": "/", "~": "-", "^": "", "\\": "/", "`": "'"}
    return _not_basic.sub("", "".join(spelled.get(letter, letter) for letter in anyascii(character)))
