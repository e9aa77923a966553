"""PINs and answers: hashed the same however they are written, at OWASP's price, and never for free."""

import random
from datetime import UTC, datetime

import pytest
from argon2 import extract_parameters

from menus.checks import new_pin as check_new_pin
from menus.model import Accepted
from sealing import Seal
from services.lockout import Tally
from services.pins import NOBODYS, Pins, new_pin, plainly

NOW = datetime(2026, 11, 21, tzinfo=UTC)


async def test_a_secret_matches_its_hash_and_no_other(pins):
    hashed = await pins.hashed("4821")
    assert await pins.matches("4821", hashed)
    assert not await pins.matches("4822", hashed)


async def test_the_same_secret_is_hashed_differently_each_time(pins):
    assert await pins.hashed("4821") != await pins.hashed("4821")


async def test_a_hash_is_worthless_without_the_key_it_was_made_with(pins):
    hashed = await pins.hashed("4821")
    others = Pins(Seal(b"another secret of 32 octets or so"))
    assert not await others.matches("4821", hashed)
    others.close()


async def test_an_empty_hash_matches_nothing_not_even_nothing(pins):
    assert not await pins.matches("", "")


async def test_comparing_with_nobodys_hash_costs_what_a_real_one_costs(pins):
    parameters = extract_parameters(await pins.hashed("4821"))
    assert extract_parameters(NOBODYS) == parameters
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (19 * 1024, 2, 1)


@pytest.mark.parametrize(
    ("written", "again"),
    [
        ("Sonar Bangla School", " sonar-bangla  SCHOOL."),
        ("কুমিল্লা ৪", "কুমিল্লা4"),
        ("रामपुर २", "रामपुर, 2"),
        ("ＡＢＣ", "abc"),
        ("য়", "য\u09bc"),
        ("Straße", "STRASSE"),
        ("ক্\u200dষ", "ক্ষ"),
        ("?!", " ?! ".strip()),
    ],
)
def test_an_answer_is_the_same_however_it_is_written(written, again):
    assert plainly(written) == plainly(again)


@pytest.mark.parametrize(("one", "other"), [("কুমিল্লা", "কমলা"), ("রাম", "রম"), ("1 2", "21"), ("?", "!")])
def test_other_answers_stay_other(one, other):
    assert plainly(one) != plainly(other)


def test_a_pin_of_our_choosing_is_one_that_a_citizen_could_choose():
    draw = random.Random(7).randrange
    pins = [new_pin(draw) for _ in range(2000)]
    assert all(isinstance(check_new_pin(pin, NOW.date()), Accepted) for pin in pins)
    assert len(set(pins)) > 1500


def test_a_weak_pin_is_drawn_again():
    drawn = iter([1111, 1234, 8765, 7, 4821])
    assert [new_pin(lambda _: next(drawn)) for _ in range(2)] == ["0007", "4821"]


def test_a_tally_closes_at_every_fifth_wrong_try_for_longer():
    tally, closings = Tally(), []
    for _ in range(20):
        tally = tally.after_wrong(NOW)
        closings.append(tally.until)
    minutes = [(until - NOW).total_seconds() / 60 for until in closings[4::5]]
    assert minutes == [15, 60, 24 * 60, 24 * 60]
    assert closings[:4] == [None] * 4
