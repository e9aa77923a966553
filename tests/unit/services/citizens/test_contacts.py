"""Contacts without a chosen language: recorded once, with the language of their country."""

import asyncio

import pytest
from sqlalchemy import select

from db.tables import contacts as table
from services.citizens.contacts import Contacts, build_default_language
from tests.support.services import RAHIMA

ASSUMED = build_default_language({"BD": "bn", "IN": "hi", "US": "en"}, "en")


@pytest.fixture
def registrants(database, clock):
    return Contacts(database, ASSUMED, clock=clock)


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
def test_an_unknown_number_gets_the_language_of_its_country(number, language):
    assert ASSUMED(number) == language


def test_countries_that_share_a_calling_code_are_told_apart():
    assumed = build_default_language({"US": "hi", "CA": "bn"}, "en")
    assert [assumed(number) for number in ("+12025550123", "+14165550123")] == ["hi", "bn"]


async def test_a_new_caller_is_recorded_once_with_the_source(registrants, database, clock):
    assert [await registrants.record(RAHIMA, "missed_call") for _ in range(3)] == ["bn"] * 3
    assert await registrants.record(RAHIMA, "sms") == "bn"
    (row,) = await database.fetch(select(table))
    assert tuple(row) == (RAHIMA, "bn", "missed_call", clock.now, False)


async def test_concurrent_first_calls_record_one_contact(registrants, services):
    assert set(await asyncio.gather(*(registrants.record(RAHIMA, "missed_call") for _ in range(8)))) == {"bn"}
    assert await services.count_rows(table) == 1


async def test_reading_a_language_records_no_contact(registrants, services):
    assert await registrants.get_language(RAHIMA) == "bn"
    assert await services.count_rows(table) == 0


async def test_a_recorded_language_stays_when_the_settings_change(registrants, database):
    await registrants.record(RAHIMA, "missed_call")
    later = Contacts(database, build_default_language({"BD": "hi"}, "en"))
    assert (await later.get_language(RAHIMA), await later.record(RAHIMA, "missed_call")) == ("bn", "bn")


async def test_a_chosen_language_precedes_a_recorded_one(registrants, services):
    await registrants.record(RAHIMA, "missed_call")
    assert await services.accounts.find_language_choice(RAHIMA) is None
    await services.accounts.choose_language(RAHIMA, "hi", "s1")
    assert await registrants.get_language(RAHIMA) == "hi"


async def test_a_known_number_is_not_recorded(registrants, services):
    await services.accounts.choose_language(RAHIMA, "en", "s1")
    assert await registrants.record(RAHIMA, "missed_call") == "en"
    assert await services.count_rows(table) == 0


async def test_an_account_registered_by_sms_gets_its_own_language(registrants, services):
    await services.register(language="hi")
    assert await registrants.record(RAHIMA, "missed_call") == "hi"
    assert await services.count_rows(table) == 0


async def test_the_script_of_an_sms_sets_the_language_until_one_is_chosen(registrants, services):
    assert [await registrants.remember_script(RAHIMA, one) for one in ("hi", "bn", "hi")] == ["hi", "bn", "hi"]
    assert await registrants.language_if_known(RAHIMA) == "hi"
    assert await services.count_rows(table) == 1
    await services.accounts.choose_language(RAHIMA, "en", "s1")
    assert await registrants.remember_script(RAHIMA, "bn") == "en"
    assert await registrants.language_if_known(RAHIMA) == "en"


async def test_concurrent_sms_record_one_contact(registrants, services):
    assert set(await asyncio.gather(*(registrants.remember_script(RAHIMA, "bn") for _ in range(8)))) == {"bn"}
    assert await services.count_rows(table) == 1


async def test_a_choice_by_sms_is_the_language_of_replies_and_not_of_calls(registrants, services, clock):
    await services.accounts.choose_language(RAHIMA, "bn", "s1")
    clock.advance(minutes=1)
    await registrants.choose_language(RAHIMA, "hi")
    assert await registrants.reply_language_if_known(RAHIMA) == "hi"
    assert await registrants.remember_script(RAHIMA, "bn") == "hi"
    assert await registrants.language_if_known(RAHIMA) == "bn", "messages that nobody asked for"
    assert (await services.accounts.find_language_choice(RAHIMA)).language == "bn"
    clock.advance(minutes=1)
    await services.accounts.choose_language(RAHIMA, "en", "s2")
    assert await registrants.reply_language_if_known(RAHIMA) == "en", "the newest choice"


async def test_without_a_choice_in_a_call_the_choice_by_sms_is_the_language_of_all_messages(registrants, services):
    await services.register(language="en")
    await registrants.remember_script(RAHIMA, "bn")
    await registrants.choose_language(RAHIMA, "hi")
    assert await registrants.get_language(RAHIMA) == "hi"
    assert await registrants.reply_language_if_known(RAHIMA) == "hi"
    assert await services.accounts.find_language_choice(RAHIMA) is None, "the first call still asks"
    assert await services.count_rows(table) == 1


async def test_the_letters_of_sms_are_chosen_without_a_language(registrants):
    """The language stays what it was, known or that of the country; the newest choice counts."""
    assert not await registrants.prefers_latin(RAHIMA)
    await registrants.choose_letters(RAHIMA, latin=True)
    assert await registrants.prefers_latin(RAHIMA)
    assert await registrants.reply_language_if_known(RAHIMA) == "bn"
    await registrants.choose_language(RAHIMA, "hi")
    assert await registrants.prefers_latin(RAHIMA)
    await registrants.choose_letters(RAHIMA, latin=False)
    assert not await registrants.prefers_latin(RAHIMA)
    assert await registrants.get_language(RAHIMA) == "hi"
