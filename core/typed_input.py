"""Clean what a person typed, before anything else reads it: invisible characters, full width, digits of every script.

Everything that reads typed text begins here: menus, forms, keywords and web pages. `core.typed_numbers` reads numbers and
dates, `core.typed_words` compares words, `core.person_names` reads names.
"""

import unicodedata
from typing import Final

import regex

MINUS_SIGNS: Final = "\u2212\u207b\u208b\u02d7\u2796"
"""Signs that look like a dash, beside those of the category Pd."""
JOINERS: Final = "\u200c\u200d"  # zero-width, and part of the spelling in Bengali and Devanagari

# The keycap and the place of an attachment (U+20E3, U+FFFC) are drawn around or instead of a character, never alone.
_remove_invisible_characters = regex.compile(
    rf"[[\p{{Cf}}\p{{Cs}}\p{{Co}}\p{{Cn}}\p{{Default_Ignorable_Code_Point}}\u20e3\ufffc]--[{JOINERS}]]+", regex.V1
).sub
_LETTER: Final = r"[[\p{L}\p{M}]--\p{Latin}]"
# A joiner joins two letters of a script with joined ones. Anywhere else, it is nothing that its writer could see.
_remove_stray_joiners = regex.compile(rf"(?<!{_LETTER})[{JOINERS}]++|[{JOINERS}]++(?!{_LETTER})", regex.V1).sub
_TO_ASCII: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: " ", 0x2800: " "}
"""The full-width forms, and two blanks that no function of Python takes for one."""


def normalize_input(text: str) -> str:
    """The text without invisible characters and outer whitespace, with plain width and the digits of every script as 0-9.

    Joiners stay between the letters of scripts that have them in their spelling. Control characters stay; `clean_text` removes them.
    """
    if text.isascii():
        return text.strip()
    return to_ascii_digits(remove_invisible(text).translate(_TO_ASCII)).strip()


def remove_invisible(text: str) -> str:
    """The text without characters that nobody sees. Joiners stay between letters."""
    return text if text.isascii() else _remove_stray_joiners("", _remove_invisible_characters("", text))


def clean_text(text: str) -> str:
    """The normalized text on one line, in NFC, with single spaces and without control characters."""
    text = normalize_input(text)
    if not text.isprintable():
        text = "".join(map(_remove_control_character, text))
    return normalize_input(unicodedata.normalize("NFC", " ".join(text.split())))


def remove_joiners(text: str) -> str:
    """The text without joiners, for what has no words in a script that needs them."""
    return text if text.isascii() else text.replace(JOINERS[0], "").replace(JOINERS[1], "")


def to_ascii_digits(text: str) -> str:
    """The text with the digits of every script as 0-9. Its length does not change."""
    return text if text.isascii() else "".join(map(_to_ascii_digit, text))


def extract_digits(text: str) -> str:
    """The digits of every script in the text as 0-9, and nothing else."""
    return "".join(str(value) for value in (unicodedata.decimal(character, -1) for character in text) if value >= 0)


def _to_ascii_digit(character: str) -> str:
    return str(unicodedata.decimal(character)) if character.isdecimal() else character


def _remove_control_character(character: str) -> str:
    return "" if unicodedata.category(character) == "Cc" and not character.isspace() else character
