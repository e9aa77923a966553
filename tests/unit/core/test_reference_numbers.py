"""Tracking numbers: twelve digits; one wrong or two swapped digits are detected."""

import random

import pytest
from stdnum import damm

from core.reference_numbers import NumbersExhaustedError, generate_tracking_number, record_with_new_number
from core.validation import Valid
from menus.validators import tracking_number as check


def test_a_number_is_twelve_digits_that_the_menus_accept():
    draw = random.Random(3).randrange
    numbers = [generate_tracking_number(draw) for _ in range(500)]
    assert all(check(number, None) == Valid(number) for number in numbers)
    assert len(set(numbers)) == 500


def test_small_draws_keep_their_zeros():
    assert generate_tracking_number(lambda _: 572) == "000000005724"


def test_a_slip_of_one_digit_or_two_swapped_neighbours_is_noticed():
    number = generate_tracking_number(lambda _: 12345678901)
    slips = [number[:place] + digit + number[place + 1 :] for place in range(12) for digit in "0123456789"]
    swaps = [number[:place] + number[place + 1] + number[place] + number[place + 2 :] for place in range(11)]
    wrong = {slip for slip in (*slips, *swaps) if slip != number}
    assert len(wrong) == 12 * 9 + 11
    assert not any(damm.is_valid(slip) for slip in wrong)


def test_every_draw_is_out_of_all_the_numbers_there_are():
    asked = []
    generate_tracking_number(lambda below: asked.append(below) or 0)
    assert asked == [10**11]


async def test_a_number_in_use_is_drawn_again_until_one_is_free():
    tried = []

    async def record(number):
        tried.append(number)
        return number if len(tried) == 3 else None

    assert await record_with_new_number(record) == tried[2]
    assert len(set(tried)) == 3


async def test_a_random_source_that_draws_only_numbers_in_use_is_an_error():
    async def record(_number):
        return None

    with pytest.raises(NumbersExhaustedError):
        await record_with_new_number(record)
