"""Septets and units, against an independent count and the alphabet's own table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screens.alphabet import BASIC, EXTENSION, in_basic, septets, units


def test_the_alphabet_has_127_characters_and_an_extension_of_ten() -> None:
    assert len(set(BASIC)) == 127, "128 positions less the escape"
    assert len(set(EXTENSION)) == 10


@pytest.mark.parametrize(
    ("text", "cost"), [("", 0), ("abc", 3), ("€", 2), ("[x]", 5), ("ñ", 1), ("ç", None), ("`", None), ("বাংলা", None)]
)
def test_what_a_text_costs(text: str, cost: int | None) -> None:
    assert septets(text) == cost


@given(st.text(alphabet=BASIC + EXTENSION, max_size=200))
def test_every_gsm_text_is_counted_in_septets(text: str) -> None:
    assert septets(text) == sum(2 if character in EXTENSION else 1 for character in text)


@given(st.text(max_size=80))
def test_units_are_utf16(text: str) -> None:
    assert units(text) == sum(2 if ord(character) > 0xFFFF else 1 for character in text)


@given(st.text(max_size=120))
def test_what_is_spelled_in_the_basic_alphabet_always_fits_it(text: str) -> None:
    assert septets(in_basic(text)) == len(in_basic(text))


@pytest.mark.parametrize(
    ("name", "shown"), [("Amina", "Amina"), ("আমিনা", "amina"), ("अमीना", "amina"), ("José", "José")]
)
def test_a_name_is_spelled_in_letters_that_a_simple_phone_has(name: str, shown: str) -> None:
    assert in_basic(name).casefold() == shown.casefold()
