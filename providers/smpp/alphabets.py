"""The 7-bit alphabets of SMS: the default one, and the national tables of Bengali and Hindi.

Source: 3GPP TS 23.038, 6.2.1 (default alphabet), A.2.4 and A.2.6 (single shift), A.3.4 and A.3.6 (locking shift). Each table is
its 128 characters by septet; NUL stands where there is none. The tables were compared with those of two mobile telephones'
software, and with the package `gsmcodecs` 1.0.0, which differs at 0x2C of the locking tables: it has an apostrophe there, and
telephones a comma.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from core.gsm7 import BASIC_CHARACTERS

ESCAPE: Final = 0x1B
NONE: Final = "\0"

DEFAULT: Final = BASIC_CHARACTERS[:ESCAPE] + NONE + BASIC_CHARACTERS[ESCAPE:]
BENGALI_LOCKING: Final = (
    "\u0981\u0982\u0983\u0985\u0986\u0987\u0988\u0989\u098a\u098b\n\u098c\0\r\0\u098f"
    "\u0990\0\0\u0993\u0994\u0995\u0996\u0997\u0998\u0999\u099a\0\u099b\u099c\u099d\u099e"
    " !\u099f\u09a0\u09a1\u09a2\u09a3\u09a4)(\u09a5\u09a6,\u09a7.\u09a8"
    "0123456789:;\0\u09aa\u09ab?"
    "\u09ac\u09ad\u09ae\u09af\u09b0\0\u09b2\0\0\0\u09b6\u09b7\u09b8\u09b9\u09bc\u09bd"
    "\u09be\u09bf\u09c0\u09c1\u09c2\u09c3\u09c4\0\0\u09c7\u09c8\0\0\u09cb\u09cc\u09cd"
    "\u09ceabcdefghijklmno"
    "pqrstuvwxyz\u09d7\u09dc\u09dd\u09f0\u09f1"
)
BENGALI_SINGLE: Final = (
    "@£$¥¿\"¤%&'\f*+\0-/"
    "<=>¡^¡_#*\u09e6\u09e7\0\u09e8\u09e9\u09ea\u09eb"
    "\u09ec\u09ed\u09ee\u09ef\u09df\u09e0\u09e1\u09e2{}\u09e3\u09f2\u09f3\u09f4\u09f5\\"
    "\u09f6\u09f7\u09f8\u09f9\u09fa\0\0\0\0\0\0\0[~]\0"
    "|ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZ\0\0\0\0\0"
    "\0\0\0\0\0\u20ac\0\0\0\0\0\0\0\0\0\0"
    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
)
HINDI_LOCKING: Final = (
    "\u0901\u0902\u0903\u0905\u0906\u0907\u0908\u0909\u090a\u090b\n\u090c\u090d\r\u090e\u090f"
    "\u0910\u0911\u0912\u0913\u0914\u0915\u0916\u0917\u0918\u0919\u091a\0\u091b\u091c\u091d\u091e"
    " !\u091f\u0920\u0921\u0922\u0923\u0924)(\u0925\u0926,\u0927.\u0928"
    "0123456789:;\u0929\u092a\u092b?"
    "\u092c\u092d\u092e\u092f\u0930\u0931\u0932\u0933\u0934\u0935\u0936\u0937\u0938\u0939\u093c\u093d"
    "\u093e\u093f\u0940\u0941\u0942\u0943\u0944\u0945\u0946\u0947\u0948\u0949\u094a\u094b\u094c\u094d"
    "\u0950abcdefghijklmno"
    "pqrstuvwxyz\u0972\u097b\u097c\u097e\u097f"
)
HINDI_SINGLE: Final = (
    "@£$¥¿\"¤%&'\f*+\0-/"
    "<=>¡^¡_#*\u0964\u0965\0\u0966\u0967\u0968\u0969"
    "\u096a\u096b\u096c\u096d\u096e\u096f\u0951\u0952{}\u0953\u0954\u0958\u0959\u095a\\"
    "\u095b\u095c\u095d\u095e\u095f\u0960\u0961\u0962\u0963\u0970\u0971\0[~]\0"
    "|ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZ\0\0\0\0\0"
    "\0\0\0\0\0\u20ac\0\0\0\0\0\0\0\0\0\0"
    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
)
EXTENSION: Final[Mapping[int, str]] = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "\u20ac",
}
LOCKING: Final[Mapping[int, str]] = {0: DEFAULT, 4: BENGALI_LOCKING, 6: HINDI_LOCKING}
SINGLE: Final[Mapping[int, Mapping[int, str]]] = {
    0: EXTENSION,
    4: {septet: character for septet, character in enumerate(BENGALI_SINGLE) if character != NONE},
    6: {septet: character for septet, character in enumerate(HINDI_SINGLE) if character != NONE},
}
IDENTIFIERS: Final[Mapping[str, int]] = {"bn": 4, "hi": 6}
"""National language identifiers of 3GPP TS 23.038, 6.2.1.2.4."""


class UnencodableError(ValueError):
    """A text has a character that the tables do not have."""


class Tables(NamedTuple):
    """The national tables of a text: the identifiers of the locking and of the single shift table; 0 is the default."""

    locking: int = 0
    single: int = 0

    def encode(self, text: str) -> bytes:
        """Return the septets of a text, one an octet.

        Raises:
            UnencodableError: the tables do not have one of its characters.
        """
        septets = _ENCODED[self]
        try:
            return b"".join([septets[character] for character in text])
        except KeyError:
            raise UnencodableError from None

    def decode(self, septets: bytes) -> str:
        """Return the text of septets; a septet without a character is U+FFFD.

        After an escape, one that the single shift table does not have is that of the locking table (23.038, 6.2.1.2.2).
        """
        locking, single = LOCKING.get(self.locking, DEFAULT), SINGLE.get(self.single, EXTENSION)
        text, escaped = [], False
        for septet in septets:
            if septet == ESCAPE and not escaped:
                escaped = True
                continue
            character = single.get(septet, NONE) if escaped else NONE
            text.append(character if character != NONE else locking[septet & 0x7F])
            escaped = False
        return "".join(text).replace(NONE, "\ufffd")


def _map_characters(tables: Tables) -> Mapping[str, bytes]:
    """Return the septets of each character: one where the locking table has it, else an escape and one."""
    escaped = {character: bytes([ESCAPE, septet]) for septet, character in SINGLE[tables.single].items()}
    plain = {character: bytes([septet]) for septet, character in enumerate(LOCKING[tables.locking])}
    mapped = {**escaped, **plain}
    mapped.pop(NONE, None)
    return mapped


_ENCODED: Final = {
    tables: _map_characters(tables) for tables in (Tables(locking, single) for locking in LOCKING for single in SINGLE)
}
