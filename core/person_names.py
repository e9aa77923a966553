"""The names of people: what may be in them, in the script of any language."""

import re
import unicodedata
from typing import Final

from core.typed_input import JOINERS, clean_text

NAME_PUNCTUATION: Final = f" .-'’{JOINERS}"
_COLON_FOR_VISARGA: Final = re.compile("(?<=[\u0980-\u09ff]):")  # many people type মো: for মোঃ
# Two letters or more right after a dot, as in Md.Karim, could be the end of a host name, which programs show as a link.
_DOT_BEFORE_WORD: Final = re.compile(r"\.(?=[^\W\d_]{2})")


def parse_person_name(text: str) -> str | None:
    """The name in letters, marks, blanks, dots, hyphens and apostrophes, beginning with a letter; else None.

    So it has no control character, and is no address and no formula. After a dot a blank is added before a word.
    """
    name = _DOT_BEFORE_WORD.sub(". ", _COLON_FOR_VISARGA.sub("\u0983", clean_text(text)))
    return name if name[:1].isalpha() and all(map(_is_name_character, name)) else None


def _is_name_character(character: str) -> bool:
    return unicodedata.category(character)[0] in "LM" or character in NAME_PUNCTUATION
