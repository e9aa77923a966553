"""Clean what a person typed: digits of every script, invisible characters, separators. Menus, forms and SMS all use it."""

import re
import unicodedata
from typing import Final

JOINERS: Final = "\u200c\u200d"  # zero-width, and part of the spelling in Bengali and Devanagari
_INVISIBLE_CATEGORIES: Final = ("Cf", "Cs", "Co", "Cn")
_remove_digit_separators = re.compile(r"[\s.,-]+").sub


def normalize_input(text: str) -> str:
    """The text with the digits of every script as 0-9, without invisible characters, and without outer whitespace."""
    if text.isascii():
        return text.strip()
    return "".join(map(_normalize_character, text)).strip()


def clean_text(text: str) -> str:
    """The normalized text on one line, in NFC, with single spaces and without control characters."""
    visible = "".join(map(_remove_control_character, normalize_input(text)))
    return unicodedata.normalize("NFC", " ".join(visible.split()))


def to_ascii_digits(text: str) -> str:
    """The text with the digits of every script as 0-9. Its length does not change."""
    return text if text.isascii() else "".join(map(_to_ascii_digit, text))


def extract_digits(text: str) -> str:
    """The digits of every script in the text as 0-9, and nothing else."""
    return "".join(str(value) for value in (unicodedata.decimal(character, -1) for character in text) if value >= 0)


def remove_digit_separators(text: str) -> str:
    """The text without the whitespace, dots, commas and hyphens that people write between groups of digits."""
    return _remove_digit_separators("", text)


def _normalize_character(character: str) -> str:
    if character.isdecimal():
        return _to_ascii_digit(character)
    is_invisible = unicodedata.category(character) in _INVISIBLE_CATEGORIES and character not in JOINERS
    return "" if is_invisible else character


def _to_ascii_digit(character: str) -> str:
    return str(unicodedata.decimal(character)) if character.isdecimal() else character


def _remove_control_character(character: str) -> str:
    return "" if unicodedata.category(character) == "Cc" and not character.isspace() else character
