"""Hashes of PINs and answers: independent of spelling, with OWASP's parameters, in the same time for an empty hash."""

from datetime import UTC, datetime

import pytest
from argon2 import extract_parameters

from core.crypto import Cipher
from services.citizens.lockout import FailedAttempts
from services.citizens.pins import SecretHasher, normalize_secret
from tests.support.cheap_hashes import PRODUCT_HASHES

NOW = datetime(2026, 11, 21, tzinfo=UTC)


async def test_a_secret_matches_its_hash_and_no_other(pins):
    hashed = await pins.hash("4821")
    assert await pins.verify("4821", hashed)
    assert not await pins.verify("4822", hashed)


async def test_the_same_secret_is_hashed_differently_each_time(pins):
    assert await pins.hash("4821") != await pins.hash("4821")


async def test_a_hash_is_worthless_without_the_key_it_was_made_with(pins):
    hashed = await pins.hash("4821")
    others = SecretHasher(Cipher(b"another secret of 32 octets or so"))
    assert not await others.verify("4821", hashed)
    others.close()


async def test_an_empty_hash_matches_nothing_not_even_nothing(pins):
    assert not await pins.verify("", "")


async def test_the_dummy_hash_costs_the_same_as_a_real_one(pins, product_hashes):
    parameters = extract_parameters((await pins.hash("4821"))[10:])  # without the key id
    assert extract_parameters(PRODUCT_HASHES["DUMMY_HASH"]) == parameters
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
    assert normalize_secret(written) == normalize_secret(again)


@pytest.mark.parametrize(("one", "other"), [("কুমিল্লা", "কমলা"), ("রাম", "রম"), ("1 2", "21"), ("?", "!")])
def test_other_answers_stay_other(one, other):
    assert normalize_secret(one) != normalize_secret(other)


def test_every_fifth_failure_locks_for_longer():
    tally, closings = FailedAttempts(), []
    for _ in range(20):
        tally = tally.add_failure(NOW)
        closings.append(tally.locked_until)
    minutes = [(until - NOW).total_seconds() / 60 for until in closings[4::5]]
    assert minutes == [15, 60, 24 * 60, 24 * 60]
    assert closings[:4] == [None] * 4
