"""What a caller dialled and typed is read from the dial string of a provider."""

import pytest

from ussd.dial_strings import build_path, find_path_past_code, parse_digits_past_code

CODES = ("*123#", "*415*33#")


@pytest.mark.parametrize(
    ("dialled", "digits"),
    [
        ("*123#", ""),
        ("*123*2*99#", "2*99"),
        ("*415*33#", ""),
        ("*415*33*1#", "1"),
        ("*1234#", ""),
        ("*999*1#", ""),
        ("123*2", ""),
        ("", ""),
    ],
)
def test_digits_past_our_code_are_read(dialled: str, digits: str) -> None:
    assert parse_digits_past_code(dialled, CODES) == digits


def test_digits_past_our_code_stand_before_what_was_typed() -> None:
    assert build_path("*123#", "1*2", CODES) == "1*2"
    assert build_path("*123*9#", "1*2", CODES) == "9*1*2"
    assert build_path("*123*9#", "", CODES) == "9"


@pytest.mark.parametrize(
    ("said", "code", "path"),
    [
        ("*415*33#", "*415#", ""),
        ("*415*33*1#", "*415#", "1"),
        ("*415*33*1*My name#", "*415#", "1*My name"),
        ("*415*33*1*a#b#", "*415#", "1*a#b"),
        ("33", "*415#", ""),
        ("33*1*2", "*415#", "1*2"),
        ("", "*415#", ""),
        ("", "*123#", ""),
        ("1*2", "*123#", "1*2"),
        ("*123*1#", "*123#", "1"),
        ("*700*5#", "*700#", "5"),
        ("*123*1", "*123#", "1"),
        ("*123*#", "*123#", ""),
    ],
)
def test_a_path_begins_behind_our_code(said: str, code: str, path: str) -> None:
    assert find_path_past_code(said, code, CODES) == path


def test_a_path_of_a_code_that_nobody_knows_is_what_was_dialled() -> None:
    assert find_path_past_code("*700*5#", "", CODES) == "700*5"
