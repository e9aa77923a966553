"""Numbers, dates and keys as people type them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.typed_input import clean_text, normalize_input
from core.typed_numbers import (
    read_date,
    read_digits,
    read_option_number,
    read_pin,
    read_postcode,
    read_whole_number,
    split_leading_digits,
)
from core.typed_options import index_labels, read_option_key
from core.validation import Invalid, Valid


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("21\u200c111990", "21111990"),
        ("2\u200d1", "21"),
        ("\u2068Amina\u2069", "Amina"),
        ("Ami\u200d\u200cna", "Amina"),
        ("আব্দুল্লাহ\u200dক", "আব্দুল্লাহ\u200dক"),
        ("আব্দুল্লাহ\u200d", "আব্দুল্লাহ"),
        ("২\ufe0f\u20e3", "2"),
        ("ＡＢ１２－３", "AB12-3"),
        ("\u3000x\u2800", "x"),
    ],
)
def test_what_nobody_sees_is_left_out_and_joiners_stay_in_words(typed: str, read: str) -> None:
    assert normalize_input(typed) == read


@pytest.mark.parametrize(
    ("typed", "digits"),
    [
        ("#1234-5678_90l8@", "123456789018"),
        ("I23456789O18", "123456789018"),
        ("১২৩৪ ৫৬৭৮ ৯০১৮", "123456789018"),
        ("OIl", ""),
        ("12a", ""),
        ("", ""),
    ],
)
def test_digits_are_read_between_signs_and_letters_that_look_like_them(typed: str, digits: str) -> None:
    assert read_digits(typed) == digits


@pytest.mark.parametrize(("typed", "pin"), [("4\u200d8 2-6.", "4826"), ("৪৮২৬", "4826"), ("48Z6", ""), ("48O6", "")])
def test_a_pin_has_no_letter(typed: str, pin: str) -> None:
    assert read_pin(typed) == pin


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("02", "2"),
        ("2 please", "2"),
        ("Option no. ২", "2"),
        ("(00)", "00"),
        ("#0", "0"),
        ("000", ""),
        ("②", "2"),
        ("²", ""),
        ("1.0", ""),
        ("1 2", ""),
        ("2 boys", ""),
        ("please", ""),
    ],
)
def test_a_key_is_read_between_signs_and_courtesies(typed: str, key: str) -> None:
    assert read_option_key(typed) == key


def test_a_label_of_two_options_is_the_words_of_neither() -> None:
    assert index_labels([("1", ["Yes!", "হ্যাঁ"]), ("2", ["No", "yes"])]) == {"হ্যা": "1", "no": "2"}


@pytest.mark.parametrize(
    ("typed", "number", "rest"),
    [
        ("1234 5678 9018 nobody came", "123456789018", "nobody came"),
        ("#1234–5678–9018: late", "123456789018", "late"),
        ("123456789018৷ দেরি", "123456789018", "দেরি"),
        ("1234567890188 late", "", "1234567890188 late"),
        ("nobody came", "", "nobody came"),
    ],
)
def test_a_number_before_a_text_is_split_from_it(typed: str, number: str, rest: str) -> None:
    assert split_leading_digits(typed, 12) == (number, rest)


@pytest.mark.parametrize("typed", ["21-11-90", "111990", "21 Nov 1990", "1990", "1-1-1-1990", ""])
def test_what_has_not_the_form_of_a_date_is_told_its_form(typed: str) -> None:
    assert read_date(typed) == Invalid("not_a_date")


@pytest.mark.parametrize(
    "typed", ["31-02-1990", "31022020", "32011990", "29/02/2023", "01130000", "1990-02-30", "00001990"]
)
def test_a_day_that_no_calendar_has_is_told_so(typed: str) -> None:
    """Finding 2.5 of the field report."""
    assert read_date(typed) == Invalid("no_such_day")


@given(st.dates(min_value=date(1000, 1, 1)), st.sampled_from(["-", "/", ".", " ", "–", "−", ", ", "\u00a0"]))
def test_a_date_is_read_in_both_orders(day: date, sign: str) -> None:
    assert read_date(f"{day.day}{sign}{day.month}{sign}{day.year}") == day
    assert read_date(f"{day.year}{sign}{day.month}{sign}{day.day}") == day
    assert read_date(f"{day:%d%m%Y}") == day


@given(st.text(max_size=30) | st.from_regex(r"[0-9০-৯OIl /.,()#-]{1,20}", fullmatch=True))
def test_no_text_raises_an_error_and_what_is_read_is_read_again(text: str) -> None:
    for read in (read_digits, read_pin, read_option_number, read_postcode, clean_text, normalize_input):
        assert read(read(text)) == read(text)
    match read_whole_number(text):
        case Valid(digits):
            assert digits.isascii()
            assert read_whole_number(digits) == Valid(digits)
        case Invalid(reason):
            assert reason in {"not_a_number", "not_whole"}
