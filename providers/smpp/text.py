"""The text of an SMS as octets and back: GSM 7-bit with or without national tables, packed or not, UCS-2, and headers.

Headers are those of 3GPP TS 23.040, 9.2.3.24.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple
from unicodedata import normalize

import regex

from core.gsm7 import count_septets
from providers.smpp.alphabets import LOCKING, SINGLE, Tables, UnencodableError

DefaultAlphabet = Literal["gsm7", "latin1", "ascii"]
LongForm = Literal["udh", "sar", "payload"]

DATA_OCTETS: Final = 140  # user data of one segment, its header included
CARRIAGE_RETURN: Final = 0x0D
MAX_SEGMENTS: Final = 255

CONCATENATED_8: Final = 0x00
CONCATENATED_16: Final = 0x08
SINGLE_SHIFT: Final = 0x24
LOCKING_SHIFT: Final = 0x25
CONCATENATION_OCTETS: Final = 5  # the element that numbers the segments by one octet

CODINGS: Final[Mapping[int, str]] = {1: "ascii", 3: "latin-1", 6: "iso8859-5", 7: "iso8859-8"}
"""Values of `data_coding` (SMPP 3.4, 5.2.19) and codecs; 0 is the alphabet of the SMSC."""
ASCII: Final = 1
UCS2: Final = 8
BINARY: Final = frozenset({2, 4})

_find_graphemes = regex.compile(r"\X").findall


class UnreadableTextError(ValueError):
    """What was received is no text, or its header is broken."""


@dataclass(frozen=True, slots=True)
class TextRules:
    """How the texts of one bind are written."""

    packed: bool = False
    default_alphabet: DefaultAlphabet = "gsm7"
    ucs2_coding: int = 8
    long_form: LongForm = "udh"
    tables: Sequence[Tables] = ()


@dataclass(frozen=True, slots=True)
class EncodedText:
    """A text as its segments; their headers are in the octets of each."""

    data_coding: int
    segments: Sequence[bytes] = field(repr=False)
    has_header: bool = False


class ReceivedPart(NamedTuple):
    """A part of a received text: the text, and which of how many parts with this reference it is."""

    text: str
    reference: str = ""
    number: int = 1
    total: int = 1


def encode_text(text: str, rules: TextRules, reference: int = 0) -> EncodedText:
    """Return a text in the alphabet that takes the fewest segments.

    `reference`, 0 to 255, is the same in all segments of one text.

    Raises:
        ValueError: it takes more than 255 segments.
    """
    best = _choose_plan(text, rules)
    if best.count_segments() > MAX_SEGMENTS:
        raise ValueError("The text is too long for one SMS.")
    return best.build(rules, reference)


@dataclass(frozen=True, slots=True)
class _Plan:
    """One way to write a text: bodies without headers, one septet an octet in a 7-bit alphabet."""

    data_coding: int
    bodies: Sequence[bytes]
    elements: bytes = b""
    packs: bool = False

    def count_segments(self) -> int:
        """Return the segments that the network carries: an SMSC splits a payload itself."""
        bits, scale = (16, 2) if self.data_coding else (7, 1)
        first, *rest = self.bodies
        if rest or len(first) <= _capacity(len(self.elements), bits) * scale:
            return len(self.bodies)
        return -(-len(first) // (_capacity(CONCATENATION_OCTETS + len(self.elements), bits) * scale))

    def build(self, rules: TextRules, reference: int) -> EncodedText:
        """Return the segments with their headers."""
        numbers = len(self.bodies) > 1 and rules.long_form == "udh"
        segments = []
        for number, body in enumerate(self.bodies, 1):
            own = bytes([CONCATENATED_8, 3, reference, len(self.bodies), number]) if numbers else b""
            header = _header(own + self.elements)
            segments.append(header + (_pack(body, len(header)) if self.packs else body))
        return EncodedText(self.data_coding, segments, has_header=numbers or bool(self.elements))


def _choose_plan(text: str, rules: TextRules) -> _Plan:
    """Return the first of the plans with the fewest segments; those after a plan of one segment are not made."""
    plans = []
    for plan in _list_plans(text, rules):
        if plan is not None and plan.count_segments() == 1:
            return plan
        plans += [plan] if plan is not None else []
    return min(plans, key=_Plan.count_segments)


def _list_plans(text: str, rules: TextRules) -> Iterator[_Plan | None]:
    """The ways to write a text, the one that most handsets show first."""
    yield _plan_default(text, rules)
    yield _plan_ucs2(text, rules)
    for tables in rules.tables:
        # The tables have a letter with a dot as two characters, as NFC writes it.
        yield _plan_national(normalize("NFC", text), tables, rules)


def _plan_default(text: str, rules: TextRules) -> _Plan | None:
    """The alphabet of data_coding 0; None where it does not have the text."""
    if count_septets(text) is None:
        return None
    if rules.default_alphabet == "gsm7":
        return _Plan(0, _split(text, rules, 0, Tables().encode), packs=rules.packed)
    codec = {"latin1": "latin-1", "ascii": "ascii"}[rules.default_alphabet]
    if not _can_encode(text, codec):
        return None
    # The SMSC writes it in GSM 7-bit: a character that needs two septets there counts as two.
    bodies = _split(text, rules, 0, Tables().encode)
    parts = [Tables().decode(body).encode(codec) for body in bodies]
    return _Plan(0, parts)


def _plan_national(text: str, tables: Tables, rules: TextRules) -> _Plan | None:
    """National tables; None where they do not have the text, or the SMSC would have to repeat their header itself."""
    elements = build_elements(tables)
    try:
        bodies = _split(text, rules, len(elements), tables.encode)
    except UnencodableError:
        return None
    needs_repeat = rules.long_form == "payload" and len(bodies[0]) > _capacity(len(elements), 7)
    if rules.default_alphabet != "gsm7" or needs_repeat:
        return None
    return _Plan(0, bodies, elements=elements, packs=rules.packed)


def build_elements(tables: Tables) -> bytes:
    """Return the elements of a header that name the tables."""
    single = bytes([SINGLE_SHIFT, 1, tables.single]) if tables.single else b""
    return single + (bytes([LOCKING_SHIFT, 1, tables.locking]) if tables.locking else b"")


def _plan_ucs2(text: str, rules: TextRules) -> _Plan:
    bodies = _split(text, rules, 0, lambda piece: piece.encode("utf-16-be", "surrogatepass"), bits=16)
    return _Plan(rules.ucs2_coding, bodies)


def _can_encode(text: str, codec: str) -> bool:
    try:
        text.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def _split(
    text: str, rules: TextRules, element_octets: int, encode: Callable[[str], bytes], *, bits: Literal[7, 16] = 7
) -> Sequence[bytes]:
    """Return the bodies of the segments, cut between graphemes. An octet of a body is a septet, or half of a unit."""
    whole = encode(text)
    scale = 1 if bits == 7 else 2  # noqa: PLR2004 - octets of a unit
    if rules.long_form == "payload" or len(whole) <= _capacity(element_octets, bits) * scale:
        return [whole]
    return list(_fill(text, encode, _capacity(CONCATENATION_OCTETS + element_octets, bits) * scale))


def _fill(text: str, encode: Callable[[str], bytes], capacity: int) -> Iterator[bytes]:
    body = b""
    for grapheme in _find_graphemes(text):
        whole = encode(grapheme)
        for piece in [whole] if len(whole) <= capacity else map(encode, grapheme):
            if len(body) + len(piece) > capacity:
                yield body
                body = b""
            body += piece
    yield body


def _capacity(element_octets: int, bits: int) -> int:
    """Return how many septets or units fit beside header elements of this length."""
    header = element_octets + 1 if element_octets else 0
    return (DATA_OCTETS - header) * 8 // bits


def _header(elements: bytes) -> bytes:
    return bytes([len(elements)]) + elements if elements else b""


def _pack(septets: bytes, header_octets: int = 0) -> bytes:
    """Return septets packed into octets, after fill bits up to a septet boundary behind the header (23.040, 9.2.3.24).

    Where seven bits are left over they are a carriage return: as zeros they would be read as `@` (23.038, 6.1.2.3.1).
    """
    fill = -header_octets * 8 % 7
    if (fill + len(septets) * 7) % 8 == 1:
        septets += bytes([CARRIAGE_RETURN])
    bits = fill
    value = 0
    for septet in septets:
        value |= septet << bits
        bits += 7
    return value.to_bytes((bits + 7) // 8, "little")


def _unpack(octets: bytes, header_octets: int = 0) -> bytes:
    """Return the septets of packed octets; the inverse of `_pack`."""
    fill = -header_octets * 8 % 7
    value = int.from_bytes(octets, "little") >> fill
    count = (len(octets) * 8 - fill) // 7
    septets = bytes(value >> (7 * place) & 0x7F for place in range(count))
    ends_on_boundary = (len(octets) * 8 - fill) % 7 == 0
    return septets[:-1] if ends_on_boundary and septets[-1:] == bytes([CARRIAGE_RETURN]) else septets


def decode_part(data: bytes, data_coding: int, rules: TextRules, *, has_header: bool) -> ReceivedPart:
    """Return the text of what was received, and its place among the parts where its header says one.

    Raises:
        UnreadableTextError: it is binary, or its header is longer than it.
    """
    elements: Mapping[int, bytes] = {}
    header_octets = 0
    if has_header:
        elements, header_octets = _read_header(data)
    text = _decode(data[header_octets:], data_coding, rules, elements, header_octets)
    reference, total, number = _read_concatenation(elements)
    return ReceivedPart(text, reference, number, total)


def join_texts(texts: Iterable[str]) -> str:
    """Return the texts of parts as one; a character whose halves were in two parts is whole again."""
    return "".join(texts).encode("utf-16-be", "surrogatepass").decode("utf-16-be", "replace")


def _read_header(data: bytes) -> tuple[Mapping[int, bytes], int]:
    end = data[0] + 1 if data else 1
    if end > len(data):
        raise UnreadableTextError("The header is longer than the text.")
    elements: dict[int, bytes] = {}
    place = 1
    while place + 1 < end:
        kind, length = data[place], data[place + 1]
        elements[kind] = data[place + 2 : min(place + 2 + length, end)]
        place += 2 + length
    return elements, end


def _read_concatenation(elements: Mapping[int, bytes]) -> tuple[str, int, int]:
    """Return reference, total and number; one of one where the header has no such element, or a nonsensical one."""
    for kind, octets in ((CONCATENATED_8, 1), (CONCATENATED_16, 2)):
        value = elements.get(kind, b"")
        if len(value) == octets + 2 and 1 <= value[-1] <= value[-2]:
            return f"{kind}.{value[:octets].hex()}", value[-2], value[-1]
    return "", 1, 1


def _decode(body: bytes, data_coding: int, rules: TextRules, elements: Mapping[int, bytes], header_octets: int) -> str:
    coding = _simplify_coding(data_coding, rules)
    if coding == UCS2:  # half a character may be in the next part
        return body[: len(body) & ~1].decode("utf-16-be", "surrogatepass")
    if coding == ASCII and _has_controls(
        body
    ):  # some SMSCs say ASCII and write GSM 7-bit, where `{` begins with an escape
        coding = 0
    if coding in CODINGS:
        return body.decode(CODINGS[coding], "replace")
    if coding in BINARY:
        raise UnreadableTextError("This is binary.")
    if rules.default_alphabet != "gsm7":
        return body.decode("latin-1")
    tables = Tables(_read_table(elements, LOCKING_SHIFT, LOCKING), _read_table(elements, SINGLE_SHIFT, SINGLE))
    septets = _unpack(body, header_octets) if rules.packed else bytes(octet & 0x7F for octet in body)
    return tables.decode(septets)


def _has_controls(body: bytes) -> bool:
    return any(octet < ord(" ") and octet not in b"\t\n\r" for octet in body)


def _simplify_coding(data_coding: int, rules: TextRules) -> int:
    """Return the value of SMPP's own table for codings of the air interface (23.038, 4) with or without a class."""
    if data_coding == rules.ucs2_coding:
        return UCS2
    if data_coding & 0xF0 == 0xF0:  # noqa: PLR2004 - a class, and whether it has 8 bits
        return 4 if data_coding & 0x04 else 0
    if data_coding & 0xE0 == 0 and data_coding >= 0x10:  # noqa: PLR2004 - the general group, with a class
        return data_coding & 0x0C
    return data_coding


def _read_table(elements: Mapping[int, bytes], kind: int, known: Mapping[int, object]) -> int:
    """Return the identifier of a national table; 0 for one that we do not have."""
    value = elements.get(kind, b"")
    return value[0] if value and value[0] in known else 0
