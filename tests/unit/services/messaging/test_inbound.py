"""Inbound SMS in each database: each is recorded once, claimed in order, one at a time a person, and never lost."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from db.tables import inbound_sms, messages
from services.messaging.inbound import (
    CLAIM_DURATION,
    MAX_ATTEMPTS,
    REPEAT_WINDOW,
    InboundSms,
    InboundSmsRepository,
    build_reply_key,
)
from services.messaging.models import Message
from tests.support.services import CIPHER, ServiceSet

NUMBER, OTHER = "+8801700000001", "+8801700000002"


@pytest.fixture
def inbound(database, clock):
    return InboundSmsRepository(database, ServiceSet(database, clock, None).messages, CIPHER, clock=clock)


def sms(key="a", text="MENU", number=NUMBER):
    return InboundSms(key, number, "22384", text)


async def read_kind(database, key):
    row = (await database.fetch(select(inbound_sms).where(inbound_sms.c.provider_id == key))).one()
    return row.state, row.handled_as


async def test_an_id_is_recorded_once(inbound):
    assert await inbound.record(sms())
    assert not await inbound.record(sms(text="something else"))
    assert [await inbound.record(sms("b")) for _ in range(2)] == [True, False]


async def test_concurrent_sms_with_one_id_are_recorded_once(inbound):
    assert sorted(await asyncio.gather(*(inbound.record(sms()) for _ in range(10)))) == [False] * 9 + [True]


async def test_an_ignored_sms_is_recorded_and_not_claimed(inbound, database):
    assert await inbound.record(sms(number="MTN"), "ignored")
    assert await inbound.claim("MTN") is None
    assert await read_kind(database, "a") == ("done", "ignored")


async def test_sms_of_one_number_are_claimed_one_at_a_time_in_order(inbound):
    for key in "abc":
        await inbound.record(sms(key, text=f"text {key}"))
    await inbound.record(sms("d", number=OTHER))
    first = await inbound.claim(NUMBER)
    assert (first.provider_id, first.text, first.attempts) == ("a", "text a", 1)
    assert await inbound.claim(NUMBER) is None, "while one is being answered, the next one waits"
    assert (await inbound.claim(OTHER)).provider_id == "d"
    await inbound.finish(first, "menu")
    assert (await inbound.claim(NUMBER)).provider_id == "b"


async def test_one_of_many_concurrent_claims_wins(inbound):
    await inbound.record(sms())
    claimed = await asyncio.gather(*(inbound.claim(NUMBER) for _ in range(8)))
    assert [one.provider_id for one in claimed if one] == ["a"]


async def test_the_reply_and_the_outcome_are_committed_together(inbound, database):
    await inbound.record(sms())
    one = await inbound.claim(NUMBER)
    await inbound.finish(one, "menu", Message(NUMBER, "Ekdial", "reply", build_reply_key("a")))
    assert await read_kind(database, "a") == ("done", "menu")
    assert (await database.fetch(select(messages.c.idempotency_key))).scalars().all() == [build_reply_key("a")]
    assert await inbound.claim(NUMBER) is None


async def test_an_expired_claim_is_claimed_again_once(inbound, database, clock):
    await inbound.record(sms())
    await inbound.claim(NUMBER)
    clock.now += CLAIM_DURATION - timedelta(seconds=1)
    assert await inbound.list_waiting(timedelta(0)) == ()
    assert await inbound.claim(NUMBER) is None
    clock.advance(seconds=1)
    assert await inbound.list_waiting(timedelta(0)) == (NUMBER,)
    again = await inbound.claim(NUMBER)
    assert (again.provider_id, again.attempts) == ("a", 2)
    for _ in range(2):
        await inbound.finish(again, "menu", Message(NUMBER, "Ekdial", "reply", build_reply_key("a")))
    assert len((await database.fetch(select(messages.c.id))).all()) == 1


async def test_waiting_numbers_are_listed_oldest_first(inbound, clock):
    await inbound.record(sms("a", number=OTHER))
    await inbound.record(sms("b"))
    await inbound.record(sms("c", number=OTHER))
    assert await inbound.list_waiting(timedelta(seconds=5)) == ()
    clock.advance(seconds=5)
    assert await inbound.list_waiting(timedelta(seconds=5)) == (OTHER, NUMBER)


async def test_attempts_are_exhausted_in_the_end(inbound, clock):
    await inbound.record(sms())
    for _ in range(MAX_ATTEMPTS):
        assert not (await inbound.claim(NUMBER)).attempts_exhausted
        clock.now += CLAIM_DURATION
    assert (await inbound.claim(NUMBER)).attempts_exhausted


async def test_an_undecryptable_sms_does_not_block_others(inbound, database):
    await inbound.record(sms("a"))
    await inbound.record(sms("b"))
    async with database.transaction() as transaction:
        damaged = update(inbound_sms).where(inbound_sms.c.provider_id == "a").values(text=b"x" * 40)
        await transaction.execute(damaged)
    assert (await inbound.claim(NUMBER)).provider_id == "b"
    assert await read_kind(database, "a") == ("done", "unreadable")


async def remaining_attempts(database, key):
    async with database.transaction() as transaction:
        sent = update(messages).where(messages.c.idempotency_key == build_reply_key(key)).values(status="sent")
        await transaction.execute(sent)


async def read_reply(inbound, key="a"):
    one = await inbound.claim(NUMBER)
    await inbound.finish(one, "answer", Message(NUMBER, "Ekdial", "reply", build_reply_key(one.provider_id)))


async def test_the_same_text_is_a_repeat_until_the_reply_is_sent(inbound, database, clock):
    await inbound.record(sms("a", "1"))
    await read_reply(inbound)
    await inbound.record(sms("b", "1"))
    second = await inbound.claim(NUMBER)
    assert await inbound.is_repeat(second), "the answer is not even on its way"
    await remaining_attempts(database, "a")
    assert not await inbound.is_repeat(second), "whoever has the answer means the next 1"


async def test_a_repeat_of_a_repeat_is_compared_with_the_first(inbound, database):
    await inbound.record(sms("a", "1"))
    await read_reply(inbound)
    await inbound.record(sms("b", "1"))
    await inbound.finish(await inbound.claim(NUMBER), "duplicate")
    await inbound.record(sms("c", "1"))
    third = await inbound.claim(NUMBER)
    assert await inbound.is_repeat(third)
    await remaining_attempts(database, "a")
    assert not await inbound.is_repeat(third)


@pytest.mark.parametrize(
    ("then", "after", "repeats"),
    [
        (("1", NUMBER), REPEAT_WINDOW, True),
        (("1", NUMBER), REPEAT_WINDOW + timedelta(seconds=1), False),
        (("2", NUMBER), timedelta(0), False),
        (("1", OTHER), timedelta(0), False),
    ],
)
async def test_a_repeat_has_the_same_text_and_number_within_seconds(inbound, clock, then, after, repeats):
    await inbound.record(sms("a", "1"))
    await read_reply(inbound)
    clock.now += after
    await inbound.record(sms("b", *then))
    assert await inbound.is_repeat(await inbound.claim(then[1])) is repeats


async def test_another_text_in_between_is_no_repeat(inbound):
    for key, text in (("a", "1"), ("b", "2"), ("c", "1")):
        await inbound.record(sms(key, text))
    for _ in "ab":
        await read_reply(inbound)
    assert not await inbound.is_repeat(await inbound.claim(NUMBER))


async def test_the_table_contains_no_plain_text(inbound, database):
    await inbound.record(sms(text="my PIN is 739154"))
    row = (await database.fetch(select(inbound_sms))).one()
    assert b"739154" not in b"".join(str(value).encode() for value in row)
