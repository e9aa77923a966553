"""The names of people: what may be in them, in the script of any language."""

import unicodedata
from typing import Final

import regex

from core.typed_input import JOINERS, MINUS_SIGNS, clean_text

NAME_PUNCTUATION: Final = f" .,-/@'’(){JOINERS}"
"""The signs of a name; `@` stands between two words alone, as in Alam @ Babu, and `/` between two letters, as in s/o."""
_COLON_FOR_VISARGA: Final = regex.compile("(?<=[\u0980-\u09ff]):")  # many people type মো: for মোঃ
_ABBREVIATION_SIGN: Final = regex.compile("\u0970|(?<=[\u0900-\u096f])0(?!\\d)")  # डॉ॰, and डॉ० with a zero instead
_SYMBOLS: Final = regex.compile(r"[\p{So}\p{Emoji_Modifier}\p{Regional_Indicator}]+")
_EQUAL_SIGNS: Final = str.maketrans(dict.fromkeys("`´‘‛′ʹʻʽ", "'") | {"[": "(", "]": ")"})
_DASH: Final = regex.compile(rf"[\p{{Pd}}{MINUS_SIGNS}]")
_ENDS: Final = " ,@/-"  # part of no name; an @ fills the last octet of an SMS
# Two letters or more right after a dot, as in Md.Karim, could be the end of a host name, which programs show as a link.
_DOT_BEFORE_WORD: Final = regex.compile(r"\.(?=[^\W\d_]{2})")
_COMMA: Final = regex.compile(r"\s*,\s*")
_MISPLACED: Final = regex.compile(r"@(?! )|(?<! )@|@.*@|/(?![^\W\d_])|(?<![^\W\d_])/")


def parse_person_name(text: str) -> str | None:
    """The name in letters, marks, blanks and the signs of NAME_PUNCTUATION, beginning with a letter; else None.

    So it has no control character, and is no address and no formula. Emoji are left out, apostrophes and dashes of every
    kind become `'` and `-`, and after a dot a blank is added before a word.
    """
    name = _SYMBOLS.sub(" ", _DASH.sub("-", _ABBREVIATION_SIGN.sub(".", clean_text(text))))
    name = _COLON_FOR_VISARGA.sub("\u0983", name.translate(_EQUAL_SIGNS))
    name = _COMMA.sub(", ", _DOT_BEFORE_WORD.sub(". ", name.rstrip(_ENDS)))
    name = " ".join(name.split())
    return name if name[:1].isalpha() and all(map(_is_name_character, name)) and _is_well_formed(name) else None


def _is_name_character(character: str) -> bool:
    return unicodedata.category(character)[0] in "LM" or character in NAME_PUNCTUATION


def _is_well_formed(name: str) -> bool:
    opened = 0
    for character in name:
        opened += (character == "(") - (character == ")")
        if not 0 <= opened <= 1:
            return False
    return not opened and not _MISPLACED.search(name)
