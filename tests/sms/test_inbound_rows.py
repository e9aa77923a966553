"""SMS that came in as the records keep them, on each database: once, in order, one at a time, and lost never."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from services.inbound import HELD, SAME, TRIES, Arrived, Inbound, reply_effect
from services.messages import Message
from services.records.tables import inbound_sms, messages
from tests.desk import SEAL, Desk

NUMBER, OTHER = "+8801700000001", "+8801700000002"


@pytest.fixture
def inbound(records, clock):
    return Inbound(records, Desk(records, clock, None).messages, SEAL, clock=clock)


def sms(key="a", text="MENU", number=NUMBER):
    return Arrived(key, number, "22384", text)


async def taken_for(records, key):
    row = (await records.read(select(inbound_sms).where(inbound_sms.c.provider_id == key))).one()
    return row.state, row.taken_for


async def test_an_id_is_kept_once_whatever_comes_with_it(inbound):
    assert await inbound.keep(sms())
    assert not await inbound.keep(sms(text="something else"))
    assert [await inbound.keep(sms("b")) for _ in range(2)] == [True, False]


async def test_ten_at_once_with_one_id_are_one(inbound):
    assert sorted(await asyncio.gather(*(inbound.keep(sms()) for _ in range(10)))) == [False] * 9 + [True]


async def test_what_is_never_answered_is_kept_and_does_not_wait(inbound, records):
    assert await inbound.keep(sms(number="MTN"), "ignored")
    assert await inbound.claim("MTN") is None
    assert await taken_for(records, "a") == ("done", "ignored")


async def test_one_at_a_time_in_the_order_in_which_they_came(inbound):
    for key in "abc":
        await inbound.keep(sms(key, text=f"text {key}"))
    await inbound.keep(sms("d", number=OTHER))
    first = await inbound.claim(NUMBER)
    assert (first.provider_id, first.text, first.tries) == ("a", "text a", 1)
    assert await inbound.claim(NUMBER) is None, "while one is being answered, the next one waits"
    assert (await inbound.claim(OTHER)).provider_id == "d"
    await inbound.finish(first, "menu")
    assert (await inbound.claim(NUMBER)).provider_id == "b"


async def test_of_many_who_would_answer_at_once_one_does(inbound):
    await inbound.keep(sms())
    claimed = await asyncio.gather(*(inbound.claim(NUMBER) for _ in range(8)))
    assert [one.provider_id for one in claimed if one] == ["a"]


async def test_the_answer_and_the_note_of_it_are_written_together(inbound, records):
    await inbound.keep(sms())
    one = await inbound.claim(NUMBER)
    await inbound.finish(one, "menu", Message(NUMBER, "Ekdial", "reply", reply_effect("a")))
    assert await taken_for(records, "a") == ("done", "menu")
    assert (await records.read(select(messages.c.effect))).scalars().all() == [reply_effect("a")]
    assert await inbound.claim(NUMBER) is None


async def test_what_a_dead_process_held_is_found_and_answered_once(inbound, records, clock):
    await inbound.keep(sms())
    await inbound.claim(NUMBER)
    clock.now += HELD - timedelta(seconds=1)
    assert await inbound.waiting(timedelta(0)) == ()
    assert await inbound.claim(NUMBER) is None
    clock.moves(seconds=1)
    assert await inbound.waiting(timedelta(0)) == (NUMBER,)
    again = await inbound.claim(NUMBER)
    assert (again.provider_id, again.tries) == ("a", 2)
    for _ in range(2):
        await inbound.finish(again, "menu", Message(NUMBER, "Ekdial", "reply", reply_effect("a")))
    assert len((await records.read(select(messages.c.id))).all()) == 1


async def test_what_nobody_began_with_is_found_the_longest_waiting_first(inbound, clock):
    await inbound.keep(sms("a", number=OTHER))
    await inbound.keep(sms("b"))
    await inbound.keep(sms("c", number=OTHER))
    assert await inbound.waiting(timedelta(seconds=5)) == ()
    clock.moves(seconds=5)
    assert await inbound.waiting(timedelta(seconds=5)) == (OTHER, NUMBER)


async def test_one_that_processes_die_of_is_worn_out_in_the_end(inbound, clock):
    await inbound.keep(sms())
    for _ in range(TRIES):
        assert not (await inbound.claim(NUMBER)).worn_out
        clock.now += HELD
    assert (await inbound.claim(NUMBER)).worn_out


async def test_one_that_cannot_be_read_holds_up_no_other(inbound, records):
    await inbound.keep(sms("a"))
    await inbound.keep(sms("b"))
    async with records.transaction() as transaction:
        damaged = update(inbound_sms).where(inbound_sms.c.provider_id == "a").values(text=b"x" * 40)
        await transaction.execute(damaged)
    assert (await inbound.claim(NUMBER)).provider_id == "b"
    assert await taken_for(records, "a") == ("done", "unreadable")


async def left(records, key):
    async with records.transaction() as transaction:
        sent = update(messages).where(messages.c.effect == reply_effect(key)).values(status="sent")
        await transaction.execute(sent)


async def replied(inbound, key="a"):
    one = await inbound.claim(NUMBER)
    await inbound.finish(one, "answer", Message(NUMBER, "Ekdial", "reply", reply_effect(one.provider_id)))


async def test_the_same_text_at_once_is_a_repeat_until_the_answer_has_left(inbound, records, clock):
    await inbound.keep(sms("a", "1"))
    await replied(inbound)
    await inbound.keep(sms("b", "1"))
    second = await inbound.claim(NUMBER)
    assert await inbound.repeats(second), "the answer is not even on its way"
    await left(records, "a")
    assert not await inbound.repeats(second), "whoever has the answer means the next 1"


async def test_a_repeat_of_a_repeat_is_measured_by_the_first(inbound, records):
    await inbound.keep(sms("a", "1"))
    await replied(inbound)
    await inbound.keep(sms("b", "1"))
    await inbound.finish(await inbound.claim(NUMBER), "duplicate")
    await inbound.keep(sms("c", "1"))
    third = await inbound.claim(NUMBER)
    assert await inbound.repeats(third)
    await left(records, "a")
    assert not await inbound.repeats(third)


@pytest.mark.parametrize(
    ("then", "after", "repeats"),
    [
        (("1", NUMBER), SAME, True),
        (("1", NUMBER), SAME + timedelta(seconds=1), False),
        (("2", NUMBER), timedelta(0), False),
        (("1", OTHER), timedelta(0), False),
    ],
)
async def test_a_repeat_is_the_same_text_of_the_same_person_within_seconds(inbound, clock, then, after, repeats):
    await inbound.keep(sms("a", "1"))
    await replied(inbound)
    clock.now += after
    await inbound.keep(sms("b", *then))
    assert await inbound.repeats(await inbound.claim(then[1])) is repeats


async def test_another_text_in_between_ends_it(inbound):
    for key, text in (("a", "1"), ("b", "2"), ("c", "1")):
        await inbound.keep(sms(key, text))
    for _ in "ab":
        await replied(inbound)
    assert not await inbound.repeats(await inbound.claim(NUMBER))


async def test_what_was_written_is_not_to_be_read_in_the_table(inbound, records):
    await inbound.keep(sms(text="my PIN is 739154"))
    row = (await records.read(select(inbound_sms))).one()
    assert b"739154" not in b"".join(str(value).encode() for value in row)
