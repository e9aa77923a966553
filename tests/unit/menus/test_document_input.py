"""Validation of Aadhaar numbers and dates of birth."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.in_ import aadhaar as aadhaar_numbers

from core.validation import Invalid, Valid
from menus import validators

TODAY = date(2026, 11, 21)


@pytest.mark.parametrize("typed", ["234123412346", "2341 2341 2346", "2341-2341-2346", "2341.2341.2346"])
def test_an_aadhaar_number_is_understood_however_it_is_grouped(typed: str) -> None:
    assert validators.aadhaar(typed, TODAY) == Valid("234123412346")


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "not_a_number"),
        ("my aadhaar", "not_a_number"),
        ("23412341234x", "not_a_number"),
        ("034123412346", "not_aadhaar"),
        ("134123412346", "not_aadhaar"),
        ("234123412345", "slip"),
        ("243123412346", "slip"),
    ],
)
def test_what_is_wrong_with_another_is_told(typed: str, reason: str) -> None:
    assert validators.aadhaar(typed, TODAY) == Invalid(reason)


@pytest.mark.parametrize(
    ("typed", "digits"), [("2341", 4), ("2341234123467", 13), ("9123 4567 8901 2345", 16), ("2341-2341-234", 11)]
)
def test_of_another_count_it_is_told_how_many_were_typed(typed: str, digits: int) -> None:
    assert validators.aadhaar(typed, TODAY) == Invalid("other_count", {"digits": digits})


@given(st.text(max_size=40) | st.from_regex(r"[0-9 .-]{0,20}", fullmatch=True))
def test_whatever_is_typed_is_a_number_that_can_be_one_or_refused_with_a_line_that_there_is(typed: str) -> None:
    result = validators.aadhaar(typed, TODAY)
    if isinstance(result, Valid):
        assert aadhaar_numbers.is_valid(result.value)
    else:
        assert result.reason in {"slip", "other_count", "not_a_number", "not_aadhaar"}


@pytest.mark.parametrize(
    "typed",
    ["21-11-1990", "21.11.1990", "21/11/1990", "21 11 1990", "21111990", "21 - 11 - 1990", "1990-11-21", "21–11–1990"],
)
def test_a_day_of_birth_is_understood_however_it_is_parted(typed: str) -> None:
    assert validators.birth_date(typed, TODAY) == Valid("1990-11-21")


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "not_a_date"),
        ("1990", "not_a_date"),
        ("31-02-1990", "no_such_day"),
        ("1990-21-11", "no_such_day"),
        ("00-00-0000", "no_such_day"),
        ("22-11-2026", "date_in_future"),
        ("31-12-1905", "date_too_old"),
    ],
)
def test_what_is_wrong_with_another_day_is_told(typed: str, reason: str) -> None:
    result = validators.birth_date(typed, TODAY)
    assert isinstance(result, Invalid)
    assert result.reason == reason
