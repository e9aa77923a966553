"""How many segments an SMS takes, what that costs, and where it is cut, so that no character comes apart.

A segment carries 140 octets, and where an SMS has several, six of them are the header that joins them again. All that
is told here is told of a text as it is sent: `folded`.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Literal, NamedTuple, TypeAlias
from unicodedata import normalize

import regex

from screens.alphabet import EXTENSION, septets, units

OCTETS = 140
HEADER = 6
"""Octets of the user data header that numbers the parts with one octet (3GPP TS 23.040, 9.2.3.24.1)."""

Alphabet: TypeAlias = Literal["gsm7", "ucs2"]

ALONE: Mapping[Alphabet, int] = {"gsm7": OCTETS * 8 // 7, "ucs2": OCTETS // 2}
"""160 septets or 70 UTF-16 units, where one segment holds everything."""
JOINED: Mapping[Alphabet, int] = {"gsm7": (OCTETS - HEADER) * 8 // 7, "ucs2": (OCTETS - HEADER) // 2}
"""153 septets or 67 units, where it takes more."""

PLAIN = {
    **dict.fromkeys("‘’‚‛′´`ʼʹ‹›", "'"),
    **dict.fromkeys("“”„‟″«»", '"'),
    **dict.fromkeys("‐‑‒–—―−•", "-"),
    **dict.fromkeys(
        "\t\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " "
    ),
    **dict.fromkeys("\u2028\u2029\u0085\v", "\n"),
    **dict.fromkeys("\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\u2066\u2067\u2068\u2069\ufeff", ""),
    "…": "...",
}
_FOLDED = str.maketrans(PLAIN)
_graphemes = regex.compile(r"\X").findall


class Size(NamedTuple):
    """What a text takes: `units` are septets or UTF-16 units, and `per_segment` is how many of them a segment holds."""

    segments: int
    units: int
    per_segment: int
    alphabet: Alphabet


class Preview(NamedTuple):
    """What it would cost to send a text: `price` is in the caller's currency, for all who are to get it.

    `saved` are the segments an SMS that folding saved; `foreign` are the characters, each once, because of which the
    text does not go as GSM-7.
    """

    text: str
    size: Size
    price: Decimal
    saved: int
    foreign: str


def folded(text: str) -> str:
    """`text` as it is sent: with plain quotes, dashes and blanks where these make it fewer segments, else as it is.

    One curly quote makes 70 characters a segment out of 160. Letters are never changed: a name stays as it is written,
    though an accent that was typed apart from its letter may join it.
    """
    if septets(text) is not None:
        return text
    plain = normalize("NFC", text.translate(_FOLDED))
    if septets(plain) is None or _size(plain).segments >= _size(text).segments:
        return text
    return plain


def counted(text: str) -> Size:
    """What a text takes when it is sent; an empty one takes no segment.

    A provider that does not mind cutting through a grapheme may need fewer, never more.
    """
    return _size(folded(text))


def parts(text: str) -> list[str]:
    """What each segment of a text holds; joined they are the text as it is sent.

    Only a grapheme that is longer than a segment is cut, and never inside a surrogate pair.
    """
    return _cut(folded(text))


def preview(text: str, per_segment: Decimal, recipients: int = 1) -> Preview:
    """What it would cost to send `text` to so many, where a segment costs `per_segment`."""
    sent = folded(text)
    size = _size(sent)
    foreign = "".join(dict.fromkeys(character for character in sent if septets(character) is None))
    return Preview(sent, size, size.segments * recipients * per_segment, _size(text).segments - size.segments, foreign)


def _size(sent: str) -> Size:
    alphabet, cost = _cost(sent)
    if cost <= ALONE[alphabet]:
        return Size(1 if sent else 0, cost, ALONE[alphabet], alphabet)
    return Size(len(_cut(sent)), cost, JOINED[alphabet], alphabet)


def _cost(text: str) -> tuple[Alphabet, int]:
    """The alphabet that holds a text, and how many of its septets or units it takes."""
    cost = septets(text)
    return ("ucs2", units(text)) if cost is None else ("gsm7", cost)


def _cut(sent: str) -> list[str]:
    alphabet, cost = _cost(sent)
    if cost <= ALONE[alphabet]:
        return [sent] if sent else []
    return list(_filled(sent, alphabet))


def _filled(sent: str, alphabet: Alphabet) -> Iterator[str]:
    """Parts that are as full as whole graphemes make them."""
    most = JOINED[alphabet]
    part, taken = "", 0
    for piece, cost in _pieces(sent, alphabet):
        if taken + cost > most:
            yield part
            part, taken = "", 0
        part, taken = part + piece, taken + cost
    yield part


def _pieces(sent: str, alphabet: Alphabet) -> Iterator[tuple[str, int]]:
    """The graphemes, each with its cost; the characters of one that no segment holds."""
    cost_of = _COST[alphabet]
    for grapheme in _graphemes(sent):
        cost = cost_of(grapheme)
        if cost <= JOINED[alphabet]:
            yield grapheme, cost
        else:
            yield from ((character, cost_of(character)) for character in grapheme)


def _septets(piece: str) -> int:
    """What a piece of a text that is GSM-7 takes."""
    return len(piece) + sum(character in EXTENSION for character in piece)


_COST: Mapping[Alphabet, Callable[[str], int]] = {"gsm7": _septets, "ucs2": units}
