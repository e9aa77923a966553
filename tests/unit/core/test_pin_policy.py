import random

import pytest

from core.pin_policy import generate_pin, is_easy_to_guess, is_pin


@pytest.mark.parametrize("text", ["4821", "48213", "482137", "1111"])
def test_four_to_six_digits_are_a_pin(text):
    assert is_pin(text)


@pytest.mark.parametrize("text", ["", "482", "4821379", "48 21", "abcd", "\u09ea\u09ee\u09e8\u09e7", "-482"])
def test_any_other_text_is_no_pin(text):
    assert not is_pin(text)


@pytest.mark.parametrize("pin", ["1111", "0000", "1234", "2345", "9876", "8901", "2109", "123456", "098765"])
def test_a_run_and_a_repeated_digit_are_easy_to_guess(pin):
    assert is_easy_to_guess(pin)


@pytest.mark.parametrize("pin", ["4821", "1122", "1235", "121212"])
def test_other_pins_are_not(pin):
    assert not is_easy_to_guess(pin)


def test_a_generated_pin_is_one_that_a_citizen_may_choose():
    pins = [generate_pin(random.Random(seed).randrange) for seed in range(2000)]
    assert all(is_pin(pin) and not is_easy_to_guess(pin) for pin in pins)
    assert len(set(pins)) > 1500


def test_a_pin_that_is_easy_to_guess_is_drawn_again():
    drawn = iter([1111, 1234, 8765, 7, 4821])
    assert [generate_pin(lambda _: next(drawn)) for _ in range(2)] == ["0007", "4821"]
