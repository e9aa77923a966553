"""An answer dressed in what phones, keypads and people add to it, and a valid answer to every question of the menus.

A dressing never changes what the answer means: the outcome must be that of the plain answer.
"""

import sys
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Final, Literal, TypeAlias

from services.catalogue.models import Field

AnswerKind: TypeAlias = Literal[
    "digits", "pin", "phone", "date", "amount", "key", "name", "text", "letters", "postcode", "email", "key beside text"
]

INVISIBLE: Final = (
    *"\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2063\u2066\u2067\u2068\u2069\ufeff",
    *("\ufe0e", "\ufe0f", "\U000e0041", "\U000e0101"),
)
JOINERS: Final = ("\u200c", "\u200d")
WRAPPINGS: Final = (("\u202a", "\u202c"), ("\u2068", "\u2069"), ("\u202d", "\u202c"), ("\u2066", "\u2069"))
SPACES: Final = (" ", "  ", "\t", "\n", "\u00a0", "\u2003", "\u2009", "\u202f", "\u3000", "\u2800")
CONTROLS: Final = tuple(map(chr, (*range(1, 9), *range(0x0E, 0x1C), 0x7F, 0x81, 0x9F)))
CHARACTERS: Final = tuple(map(chr, range(sys.maxunicode + 1)))
DASHES: Final = (*(sign for sign in CHARACTERS if unicodedata.category(sign) == "Pd"), *"\u2212\u207b\u208b\u2796")
SIGNS: Final = (*DASHES, *".,/#_:;", "।", "·", "．", "，", "／", "＃", "＿", "、", "。", "…")
ZEROS: Final = tuple(digit for digit in CHARACTERS if digit.isdecimal() and unicodedata.decimal(digit) == 0)
LOOKALIKES: Final = {"0": "oO", "1": "Il|i"}

Dressing: TypeAlias = Callable[[str, Random], str]


def dress_in_invisible(text: str, random: Random) -> str:
    """Characters that nobody sees, anywhere."""
    for _ in range(random.randint(1, 3)):
        text = _insert(text, random.choice(INVISIBLE), random)
    return text


def wrap_in_direction(text: str, random: Random) -> str:
    """The marks that contacts and messengers put around a number or a name."""
    before, after = random.choice(WRAPPINGS)
    return before + text + after


def dress_in_joiners(text: str, random: Random) -> str:
    """Joiners, which are part of no word in Latin letters and of no number."""
    return _insert(text, random.choice(JOINERS), random)


def dress_in_controls(text: str, random: Random) -> str:
    """Characters of control, which some networks make of others."""
    return _insert(text, random.choice(CONTROLS), random)


def pad_with_spaces(text: str, random: Random) -> str:
    """Blanks of every kind before and after."""
    return random.choice(("", *SPACES)) + text + random.choice(SPACES)


def widen(text: str, _: Random) -> str:
    """Full-width forms of the letters, digits and signs."""
    return "".join(chr(ord(character) + 0xFEE0) if "!" <= character <= "~" else character for character in text)


def translate_digits(text: str, random: Random) -> str:
    """The digits of another script."""
    zero = ord(random.choice(ZEROS))
    return "".join(chr(zero + int(character)) if character in "0123456789" else character for character in text)


def dress_in_separators(text: str, random: Random) -> str:
    """Any dash, dot, comma, slash, # or blank between the characters of a number."""
    for _ in range(random.randint(1, 4)):
        at = random.randint(1, len(text) - 1)
        text = text[:at] + random.choice((*SIGNS, *SPACES)) + text[at:]
    return text


def put_signs_around(text: str, random: Random) -> str:
    """Punctuation around a number: `2.`, `২)`, `(2)`, `#2`, and the @ that fills the last octet of an SMS."""
    before, after = random.choice(
        (("", "."), ("", ")"), ("(", ")"), ("#", ""), ("", "#"), ("[", "]"), ("", ","), ("“", "”"), ("", "।"), ("", "@"), ("", ". "))
    )  # fmt: skip
    return before + text + after


def put_keycap(text: str, _: Random) -> str:
    """The emoji of a key."""
    return "".join(f"{character}\ufe0f\u20e3" if character.isdecimal() else character for character in text)


def put_zero_before(text: str, _: Random) -> str:
    """02 for 2; it is nothing for 0, 00 and 98, which are keys of their own."""
    return f"0{text}" if text.isdecimal() and len(text) == 1 and text != "0" else text


def put_words_around(text: str, random: Random) -> str:
    """Courtesies around the key of an option."""
    return random.choice(
        (
            "option {}",
            "{} please",
            "Option no. {}",
            "Number {}",
            "{} নম্বর",
            "विकल्प {}",
            "{} pls",
            "press {}",
            "I want {}",
        )
    ).format(text)


def replace_lookalikes(text: str, random: Random) -> str:
    """The letters O, I and l for the digits that they look like, where a digit remains."""
    replaced = "".join(random.choice(LOOKALIKES.get(character, character)) for character in text)
    return replaced if any(map(str.isdecimal, replaced)) else text


def part_date_otherwise(text: str, random: Random) -> str:
    """Other separators between day, month and year, or none."""
    return text.replace("-", random.choice((*SIGNS, " ", " - ", "")))


def turn_date(text: str, _: Random) -> str:
    """The year first."""
    return "-".join(reversed(text.split("-")))


def write_as_amount(text: str, random: Random) -> str:
    """A currency, and a fraction of zeros."""
    form = random.choice(
        (
            "Rs {}",
            "Rs. {}",
            "{}/-",
            "{}.",
            "{}.00",
            "৳{}",
            "₹ {}",
            "Tk {}/-",
            "{} taka",
            "{} টাকা",
            "रु {}",
            "KSh {}",
            "Rs.{}/- only",
        )
    )
    return form.format(text)


def group_digits(text: str, _: Random) -> str:
    """Commas between thousands."""
    return f"{int(text):,}"


def add_emoji(text: str, random: Random) -> str:
    """A face after a name."""
    return text + random.choice((" 🙂", "😀", " 👨\u200d👩\u200d👧", " ❤️", " 🇧🇩", " 👍🏽"))


def change_apostrophes_and_dashes(text: str, random: Random) -> str:
    """The apostrophes and dashes of keypads."""
    return text.replace("'", random.choice("`´‘＇ʹ")).replace("-", random.choice(DASHES))


def spell_address(text: str, random: Random) -> str:
    """An address as people spell it where the keypad has no @."""
    return random.choice((text.replace("@", "(at)"), text.upper(), text.replace("@", " @ "), f"{text}."))


DRESSES_OF_ALL: Final[tuple[Dressing, ...]] = (
    dress_in_invisible,
    wrap_in_direction,
    dress_in_joiners,
    pad_with_spaces,
    widen,
)
_NUMBER: Final = (*DRESSES_OF_ALL, dress_in_controls, translate_digits, put_signs_around, put_keycap)
DRESSINGS: Final[Mapping[AnswerKind, tuple[Dressing, ...]]] = {
    "digits": (*_NUMBER, dress_in_separators, replace_lookalikes),
    "pin": (*_NUMBER, dress_in_separators),
    "phone": (*_NUMBER, dress_in_separators, replace_lookalikes),
    "letters": (*DRESSES_OF_ALL, dress_in_controls, translate_digits, put_signs_around, dress_in_separators),
    "date": (*_NUMBER, part_date_otherwise, replace_lookalikes, turn_date),
    "amount": (*_NUMBER, write_as_amount, group_digits),
    "postcode": (*_NUMBER,),
    "key": (*_NUMBER, put_zero_before, put_words_around),
    "key beside text": (*_NUMBER, put_zero_before),
    "name": (*DRESSES_OF_ALL, dress_in_controls, add_emoji, change_apostrophes_and_dashes),
    "text": (*DRESSES_OF_ALL, dress_in_controls, translate_digits),
    "email": (*DRESSES_OF_ALL, spell_address),
}

QUESTIONS: Final[Mapping[str, tuple[AnswerKind, str]]] = {
    "pin": ("pin", "739154"),
    "code": ("pin", "402951"),
    "consent_code": ("pin", "402951"),
    "number": ("digits", "123456789018"),
    "aadhaar": ("digits", "234123412346"),
    "consumer": ("digits", "7193582641"),
    "other": ("phone", "01712345678"),
    "typed_number": ("phone", "+919812345678"),
    "name": ("name", "Anne-Marie D'Souza"),
    "documents_name": ("name", "Amina Begum"),
    "citizen_name": ("name", "E"),
    "documents_born": ("date", "21-11-1990"),
    "address": ("email", "amina.begum@example.org"),
    "sought": ("text", "birth certificate"),
    "place": ("text", "Mirpur"),
    "answer": ("text", "Comilla 4"),
    "recovery_1": ("text", "Sonar Bangla"),
    "words": ("text", "The office was closed on 3 days"),
    "rest": ("text", "The office was closed on 3 days"),
}
"""A valid answer to each question, by the fact that stores it."""

WRONG_ANSWERS: Final[Mapping[AnswerKind, Sequence[str]]] = {
    "digits": ("1234", "123456789017", "abc"),
    "pin": ("12", "48Z6"),
    "phone": ("12345678", "0171-CALL"),
    "letters": ("ABC", "123"),
    "date": ("31-02-1990", "21-11-90", "today"),
    "amount": ("12.50", "-5", "1.2 lakh", "five"),
    "postcode": ("1", "Mirpur"),
    "name": ("Amina 2", "=1+1", "a@b.example", "x" * 61),
    "text": ("",),
    "email": ("amina", "amina@example"),
    "key": ("77", "1.5", "whatever"),
    "key beside text": (),
}
"""Answers that are refused, by kind; a field may still take one of them."""

FIELDS: Final[Mapping[str, tuple[AnswerKind, tuple[str, ...]]]] = {
    "text": ("text", ("12 Lake Road", "A-12")),
    "name": ("name", ("Anne-Marie D'Souza", "Sita s/o Ram")),
    "number": ("amount", ("1200", "2", "150000")),
    "date": ("date", ("21-11-1990", "21-11-2025", "21-12-2026", "01-10-2026")),
    "phone": ("phone", ("01712345678", "9812345678", "0711000001")),
    "postcode": ("postcode", ("1207", "110001", "00100")),
    "identity": ("digits", ("234123412346", "1234567890", "19901234567890123", "12345678901234567", "100012345678", "123456789012", "12345678901", "1234567", "12345678")),
}  # fmt: skip
"""Answers to form fields by kind; a field gets the first one that it accepts."""
IDENTITIES_WITH_LETTERS: Final = ("ABCPE1234F", "ABC1234566", "ABC1234561", "XGZ0711110", "AAA0000029")


def sample_answer(field: Field, accepts: Callable[[str], bool]) -> tuple[AnswerKind, str] | None:
    """A valid answer to a form field that is typed; None where no sample is one."""
    kind, samples = FIELDS[field.kind]
    found = next(filter(accepts, samples), None)
    if found is None and field.kind == "identity":
        kind, found = "letters", next(filter(accepts, IDENTITIES_WITH_LETTERS), None)
    return None if found is None else (kind, found)


def _insert(text: str, character: str, random: Random) -> str:
    at = random.randint(0, len(text))
    return text[:at] + character + text[at:]
