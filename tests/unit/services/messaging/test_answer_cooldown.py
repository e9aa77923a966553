"""The cooldown: one answer to a caller, for any number of calls, processes and crashes."""

import asyncio
from datetime import timedelta

import pytest

from db.tables import missed_calls
from services.messaging.missed_calls import ANSWER_TIMEOUT, AnswerCooldown
from tests.support.services import CIPHER, KARIM, RAHIMA

HOUR = timedelta(hours=1)


@pytest.fixture
def cooldown(database, clock):
    return AnswerCooldown(database, CIPHER, HOUR, clock=clock)


async def ring(cooling, number=RAHIMA, action="download_link"):
    """Return the idempotency key of the answer given; empty where none is."""
    begun = await cooling.begin(number, action)
    if begun is None:
        return ""
    await cooling.mark_answered(begun)
    return begun.idempotency_key


async def test_five_calls_are_one_answer(cooldown):
    assert [bool(await ring(cooldown)) for _ in range(5)] == [True, False, False, False, False]


async def test_five_at_once_are_one_answer(cooldown, database, clock):
    other = AnswerCooldown(database, CIPHER, HOUR, clock=clock)
    begun = await asyncio.gather(*(one.begin(RAHIMA, "download_link") for one in (cooldown, other) * 3))
    assert sum(one is not None for one in begun) == 1


async def test_when_the_cool_down_is_over_there_is_another_answer_under_another_effect(cooldown, clock):
    first = await ring(cooldown)
    clock.advance(minutes=59, seconds=59)
    assert not await ring(cooldown)
    clock.advance(seconds=1)
    second = await ring(cooldown)
    assert second
    assert second != first


async def test_a_call_while_it_cools_does_not_make_it_longer(cooldown, clock):
    await ring(cooldown)
    for _ in range(2):
        clock.advance(minutes=30)
        answered = await ring(cooldown)
    assert answered


async def test_callers_and_actions_cool_down_each_for_itself(cooldown):
    answered = [
        await ring(cooldown, number, action)
        for number in (RAHIMA, KARIM)
        for action in ("download_link", "latest_status")
    ]
    assert len(set(answered)) == 4
    assert all(answered)


async def test_an_answer_that_was_cut_short_is_given_once_more_under_the_same_effect(cooldown, clock):
    lost = await cooldown.begin(RAHIMA, "download_link")
    assert await cooldown.begin(RAHIMA, "download_link") is None, "it may still be on its way"
    clock.advance(seconds=ANSWER_TIMEOUT.total_seconds())
    assert await cooldown.begin(RAHIMA, "download_link") == lost
    clock.advance(seconds=ANSWER_TIMEOUT.total_seconds())
    assert await ring(cooldown) == lost.idempotency_key
    clock.advance(seconds=ANSWER_TIMEOUT.total_seconds())
    assert not await ring(cooldown)


async def test_one_that_was_cut_short_long_ago_is_no_reason_to_send_none_now(cooldown, clock):
    lost = await cooldown.begin(RAHIMA, "download_link")
    clock.advance(days=30)
    again = await cooldown.begin(RAHIMA, "download_link")
    assert again.idempotency_key != lost.idempotency_key


async def test_a_late_word_about_an_older_answer_does_not_end_the_newer_one(cooldown, clock):
    older = await cooldown.begin(RAHIMA, "download_link")
    clock.advance(hours=1)
    newer = await cooldown.begin(RAHIMA, "download_link")
    await cooldown.mark_answered(older)
    clock.advance(seconds=ANSWER_TIMEOUT.total_seconds())
    assert await cooldown.begin(RAHIMA, "download_link") == newer


async def test_an_effect_does_not_say_who_called(cooldown, services):
    assert RAHIMA[1:] not in await ring(cooldown)
    assert await services.count_rows(missed_calls) == 1
