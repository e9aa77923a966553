"""Tracking numbers: twelve digits, and one wrong or two swapped are noticed."""

import random

from stdnum import damm

from menus.checks import tracking_number as check
from menus.model import Accepted
from services.numbers import tracking_number


def test_a_number_is_twelve_digits_that_the_menus_accept():
    draw = random.Random(3).randrange
    numbers = [tracking_number(draw) for _ in range(500)]
    assert all(check(number, None) == Accepted(number) for number in numbers)
    assert len(set(numbers)) == 500


def test_small_draws_keep_their_zeros():
    assert tracking_number(lambda _: 572) == "000000005724"


def test_a_slip_of_one_digit_or_two_swapped_neighbours_is_noticed():
    number = tracking_number(lambda _: 12345678901)
    slips = [number[:place] + digit + number[place + 1 :] for place in range(12) for digit in "0123456789"]
    swaps = [number[:place] + number[place + 1] + number[place] + number[place + 2 :] for place in range(11)]
    wrong = {slip for slip in (*slips, *swaps) if slip != number}
    assert len(wrong) == 12 * 9 + 11
    assert not any(damm.is_valid(slip) for slip in wrong)


def test_every_draw_is_out_of_all_the_numbers_there_are():
    asked = []
    tracking_number(lambda below: asked.append(below) or 0)
    assert asked == [10**11]
