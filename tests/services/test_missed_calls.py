"""The cool-down: one answer to a caller, however often they call, whoever hears it, and whoever dies of it."""

import asyncio
from datetime import timedelta

import pytest

from services.missed_calls import GIVING, CoolDown
from services.records.tables import missed_calls
from tests.desk import KARIM, RAHIMA, SEAL

HOUR = timedelta(hours=1)


@pytest.fixture
def cooling(records, clock):
    return CoolDown(records, SEAL, HOUR, clock=clock)


async def rings(cooling, number=RAHIMA, action="download_link"):
    """The effect of the answer that is given; empty where none is."""
    begun = await cooling.begin(number, action)
    if begun is None:
        return ""
    await cooling.answered(begun)
    return begun.effect


async def test_five_calls_are_one_answer(cooling):
    assert [bool(await rings(cooling)) for _ in range(5)] == [True, False, False, False, False]


async def test_five_at_once_are_one_answer(cooling, records, clock):
    other = CoolDown(records, SEAL, HOUR, clock=clock)
    begun = await asyncio.gather(*(one.begin(RAHIMA, "download_link") for one in (cooling, other) * 3))
    assert sum(one is not None for one in begun) == 1


async def test_when_the_cool_down_is_over_there_is_another_answer_under_another_effect(cooling, clock):
    first = await rings(cooling)
    clock.moves(minutes=59, seconds=59)
    assert not await rings(cooling)
    clock.moves(seconds=1)
    second = await rings(cooling)
    assert second
    assert second != first


async def test_a_call_while_it_cools_does_not_make_it_longer(cooling, clock):
    await rings(cooling)
    for _ in range(2):
        clock.moves(minutes=30)
        answered = await rings(cooling)
    assert answered


async def test_callers_and_actions_cool_down_each_for_itself(cooling):
    answered = [
        await rings(cooling, number, action)
        for number in (RAHIMA, KARIM)
        for action in ("download_link", "latest_status")
    ]
    assert len(set(answered)) == 4
    assert all(answered)


async def test_an_answer_that_was_cut_short_is_given_once_more_under_the_same_effect(cooling, clock):
    lost = await cooling.begin(RAHIMA, "download_link")
    assert await cooling.begin(RAHIMA, "download_link") is None, "it may still be on its way"
    clock.moves(seconds=GIVING.total_seconds())
    assert await cooling.begin(RAHIMA, "download_link") == lost
    clock.moves(seconds=GIVING.total_seconds())
    assert await rings(cooling) == lost.effect
    clock.moves(seconds=GIVING.total_seconds())
    assert not await rings(cooling)


async def test_one_that_was_cut_short_long_ago_is_no_reason_to_send_none_now(cooling, clock):
    lost = await cooling.begin(RAHIMA, "download_link")
    clock.moves(days=30)
    again = await cooling.begin(RAHIMA, "download_link")
    assert again.effect != lost.effect


async def test_a_late_word_about_an_older_answer_does_not_end_the_newer_one(cooling, clock):
    older = await cooling.begin(RAHIMA, "download_link")
    clock.moves(hours=1)
    newer = await cooling.begin(RAHIMA, "download_link")
    await cooling.answered(older)
    clock.moves(seconds=GIVING.total_seconds())
    assert await cooling.begin(RAHIMA, "download_link") == newer


async def test_an_effect_does_not_say_who_called(cooling, desk):
    assert RAHIMA[1:] not in await rings(cooling)
    assert await desk.count(missed_calls) == 1
