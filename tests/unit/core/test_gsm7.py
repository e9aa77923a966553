"""Septets and UTF-16 units, compared with an independent count and the table of the alphabet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.gsm7 import BASIC_CHARACTERS, EXTENSION_CHARACTERS, count_septets, count_utf16_units, to_basic_alphabet


def test_the_alphabet_has_127_characters_and_an_extension_of_ten() -> None:
    assert len(set(BASIC_CHARACTERS)) == 127, "128 positions less the escape"
    assert len(set(EXTENSION_CHARACTERS)) == 10


@pytest.mark.parametrize(
    ("text", "cost"), [("", 0), ("abc", 3), ("€", 2), ("[x]", 5), ("ñ", 1), ("ç", None), ("`", None), ("বাংলা", None)]
)
def test_a_text_takes_septets_or_utf16_units(text: str, cost: int | None) -> None:
    assert count_septets(text) == cost


@given(st.text(alphabet=BASIC_CHARACTERS + EXTENSION_CHARACTERS, max_size=200))
def test_every_gsm_text_is_counted_in_septets(text: str) -> None:
    assert count_septets(text) == sum(2 if character in EXTENSION_CHARACTERS else 1 for character in text)


@given(st.text(max_size=80))
def test_units_are_utf16(text: str) -> None:
    assert count_utf16_units(text) == sum(2 if ord(character) > 0xFFFF else 1 for character in text)


@given(st.text(max_size=120))
def test_a_transliterated_text_always_fits_the_basic_alphabet(text: str) -> None:
    assert count_septets(to_basic_alphabet(text)) == len(to_basic_alphabet(text))


@pytest.mark.parametrize(
    ("name", "shown"), [("Amina", "Amina"), ("আমিনা", "amina"), ("अमीना", "amina"), ("José", "José")]
)
def test_a_name_is_spelled_in_letters_that_a_simple_phone_has(name: str, shown: str) -> None:
    assert to_basic_alphabet(name).casefold() == shown.casefold()
