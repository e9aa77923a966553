"""Who rings before choosing a language: recorded once, spoken to in the language of their number's country."""

import asyncio

import pytest
from sqlalchemy import select

from services.records.tables import registrants as table
from services.registrants import Registrants, by_country
from tests.desk import RAHIMA

ASSUMED = by_country({"BD": "bn", "IN": "hi", "US": "en"}, "en")


@pytest.fixture
def registrants(records, clock):
    return Registrants(records, ASSUMED, clock=clock)


@pytest.mark.parametrize(
    ("number", "language"),
    [
        ("+8801700000001", "bn"),
        ("+919000000001", "hi"),
        ("+254711000001", "en"),
        ("+12025550123", "en"),
        ("+14165550123", "en"),
        ("+99900000001", "en"),
        ("+88", "en"),
        ("254711000001", "en"),
        ("anonymous", "en"),
        ("", "en"),
    ],
)
def test_the_language_of_a_numbers_country(number, language):
    assert ASSUMED(number) == language


def test_countries_that_share_a_calling_code_are_told_apart():
    assumed = by_country({"US": "hi", "CA": "bn"}, "en")
    assert [assumed(number) for number in ("+12025550123", "+14165550123")] == ["hi", "bn"]


async def test_a_first_time_caller_is_recorded_once_with_the_way_they_came_by(registrants, records, clock):
    assert [await registrants.record(RAHIMA, "missed_call") for _ in range(3)] == ["bn"] * 3
    assert await registrants.record(RAHIMA, "sms") == "bn"
    (row,) = await records.read(select(table))
    assert tuple(row) == (RAHIMA, "bn", "missed_call", clock.now)


async def test_first_calls_at_once_record_one(registrants, desk):
    assert set(await asyncio.gather(*(registrants.record(RAHIMA, "missed_call") for _ in range(8)))) == {"bn"}
    assert await desk.count(table) == 1


async def test_asking_for_a_language_records_nobody(registrants, desk):
    assert await registrants.language(RAHIMA) == "bn"
    assert await desk.count(table) == 0


async def test_what_was_assumed_stays_when_the_table_of_countries_changes(registrants, records):
    await registrants.record(RAHIMA, "missed_call")
    later = Registrants(records, by_country({"BD": "hi"}, "en"))
    assert (await later.language(RAHIMA), await later.record(RAHIMA, "missed_call")) == ("bn", "bn")


async def test_what_was_chosen_counts_and_what_was_assumed_is_no_choice(registrants, desk):
    await registrants.record(RAHIMA, "missed_call")
    assert await desk.accounts.language_of(RAHIMA) is None
    await desk.accounts.choose_language(RAHIMA, "hi", "s1")
    assert await registrants.language(RAHIMA) == "hi"


async def test_who_is_known_already_is_not_recorded(registrants, desk):
    await desk.accounts.choose_language(RAHIMA, "en", "s1")
    assert await registrants.record(RAHIMA, "missed_call") == "en"
    assert await desk.count(table) == 0


async def test_who_registered_by_sms_is_spoken_to_in_the_language_of_their_account(registrants, desk):
    await desk.registers(language="hi")
    assert await registrants.record(RAHIMA, "missed_call") == "hi"
    assert await desk.count(table) == 0


async def test_who_writes_is_known_by_their_letters_until_they_choose(registrants, desk):
    assert [await registrants.heard(RAHIMA, one) for one in ("hi", "bn", "hi")] == ["hi", "bn", "hi"]
    assert await registrants.known(RAHIMA) == "hi"
    assert await desk.count(table) == 1
    await desk.accounts.choose_language(RAHIMA, "en", "s1")
    assert await registrants.heard(RAHIMA, "bn") == "en"
    assert await registrants.known(RAHIMA) == "en"


async def test_letters_at_once_are_recorded_as_one(registrants, desk):
    assert set(await asyncio.gather(*(registrants.heard(RAHIMA, "bn") for _ in range(8)))) == {"bn"}
    assert await desk.count(table) == 1
