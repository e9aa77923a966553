"""Count the segments of an SMS, their price, and split a text between graphemes.

A segment carries 140 bytes. In an SMS of several segments, six of them are the header that joins the segments. All
functions treat a text as it is sent, that is after `fold_to_gsm7`.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Literal, NamedTuple, TypeAlias
from unicodedata import normalize

import regex

from core.gsm7 import EXTENSION_CHARACTERS, count_septets, count_utf16_units

SEGMENT_BYTES = 140
HEADER_BYTES = 6
"""The user data header that numbers the segments with one byte (3GPP TS 23.040, 9.2.3.24.1)."""

Alphabet: TypeAlias = Literal["gsm7", "ucs2"]

SINGLE_SEGMENT_CAPACITY: Mapping[Alphabet, int] = {"gsm7": SEGMENT_BYTES * 8 // 7, "ucs2": SEGMENT_BYTES // 2}
"""160 septets or 70 UTF-16 units, in an SMS of one segment."""
MULTI_SEGMENT_CAPACITY: Mapping[Alphabet, int] = {
    "gsm7": (SEGMENT_BYTES - HEADER_BYTES) * 8 // 7,
    "ucs2": (SEGMENT_BYTES - HEADER_BYTES) // 2,
}
"""153 septets or 67 units, in each segment of a longer SMS."""

PLAIN_REPLACEMENTS = {
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
_FOLD_TABLE = str.maketrans(PLAIN_REPLACEMENTS)
_find_graphemes = regex.compile(r"\X").findall


class SmsSize(NamedTuple):
    """The size of a text: `units` are septets or UTF-16 units, and a segment holds `units_per_segment` of them."""

    segments: int
    units: int
    units_per_segment: int
    alphabet: Alphabet


class SmsPreview(NamedTuple):
    """The cost of a text: `price` for all recipients together, in the currency of the given segment price.

    `saved_segments` are the segments that folding saves in each SMS. `non_gsm7_characters` holds, each once, the
    characters that force UCS-2.
    """

    text: str
    size: SmsSize
    price: Decimal
    saved_segments: int
    non_gsm7_characters: str


def fold_to_gsm7(text: str) -> str:
    """The text as it is sent: with plain quotes, dashes and spaces if these save segments, else unchanged.

    One curly quote reduces a segment from 160 to 70 characters. Letters stay the same, so that names do; an accent that
    was typed as a character of its own is joined with its letter.
    """
    if count_septets(text) is not None:
        return text
    plain = fold_characters(text)
    if count_septets(plain) is None or _measure_folded(plain).segments >= _measure_folded(text).segments:
        return text
    return plain


def fold_characters(text: str) -> str:
    """The text with plain quotes, dashes and spaces, and with accents joined with their letters."""
    return normalize("NFC", text.translate(_FOLD_TABLE))


def measure(text: str) -> SmsSize:
    """The size of a text; an empty text has no segment.

    A provider that splits inside graphemes may need fewer segments, never more.
    """
    return _measure_folded(fold_to_gsm7(text))


def fits_segments(text: str, limit: int) -> bool:
    """Whether a text takes at most `limit` segments; a text that is clearly too long is not split to find out."""
    sent = fold_to_gsm7(text)
    alphabet, cost = _count_units(sent)
    return (
        cost <= max(limit * MULTI_SEGMENT_CAPACITY[alphabet], SINGLE_SEGMENT_CAPACITY[alphabet])
        and _measure_folded(sent).segments <= limit
    )


def split_segments(text: str) -> list[str]:
    """The texts of the segments; joined they are the text as it is sent.

    Only a grapheme that is longer than a segment is split, and never inside a surrogate pair.
    """
    return _split_folded(fold_to_gsm7(text))


def preview_cost(text: str, price_per_segment: Decimal, recipients: int = 1) -> SmsPreview:
    """The cost of sending `text` to this number of recipients."""
    sent = fold_to_gsm7(text)
    size = _measure_folded(sent)
    foreign = "".join(dict.fromkeys(character for character in sent if count_septets(character) is None))
    return SmsPreview(
        sent,
        size,
        size.segments * recipients * price_per_segment,
        _measure_folded(text).segments - size.segments,
        foreign,
    )


def _measure_folded(text: str) -> SmsSize:
    alphabet, cost = _count_units(text)
    if cost <= SINGLE_SEGMENT_CAPACITY[alphabet]:
        return SmsSize(1 if text else 0, cost, SINGLE_SEGMENT_CAPACITY[alphabet], alphabet)
    return SmsSize(len(_split_folded(text)), cost, MULTI_SEGMENT_CAPACITY[alphabet], alphabet)


def _count_units(text: str) -> tuple[Alphabet, int]:
    """The alphabet of a text, and its length in septets or UTF-16 units."""
    cost = count_septets(text)
    return ("ucs2", count_utf16_units(text)) if cost is None else ("gsm7", cost)


def _split_folded(text: str) -> list[str]:
    alphabet, cost = _count_units(text)
    if cost <= SINGLE_SEGMENT_CAPACITY[alphabet]:
        return [text] if text else []
    return list(_fill_segments(text, alphabet))


def _fill_segments(text: str, alphabet: Alphabet) -> Iterator[str]:
    """Segments filled with as many whole graphemes as fit."""
    most = MULTI_SEGMENT_CAPACITY[alphabet]
    part, taken = "", 0
    for piece, cost in _split_graphemes(text, alphabet):
        if taken + cost > most:
            yield part
            part, taken = "", 0
        part, taken = part + piece, taken + cost
    yield part


def _split_graphemes(text: str, alphabet: Alphabet) -> Iterator[tuple[str, int]]:
    """The graphemes with their lengths; a grapheme longer than a segment as its characters."""
    cost_of = _UNIT_COUNTERS[alphabet]
    for grapheme in _find_graphemes(text):
        cost = cost_of(grapheme)
        if cost <= MULTI_SEGMENT_CAPACITY[alphabet]:
            yield grapheme, cost
        else:
            yield from ((character, cost_of(character)) for character in grapheme)


def _count_septets(piece: str) -> int:
    """The length of GSM-7 text in septets."""
    return len(piece) + sum(character in EXTENSION_CHARACTERS for character in piece)


_UNIT_COUNTERS: Mapping[Alphabet, Callable[[str], int]] = {"gsm7": _count_septets, "ucs2": count_utf16_units}
