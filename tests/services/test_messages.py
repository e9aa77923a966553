"""SMS on their way: written with what caused them, claimed by one worker, sent at most once, secrets forgotten."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select

from sealing import Seal
from services.messages import Claimed, Message, Messages, Outcome
from services.records.database import Records
from services.records.tables import messages
from tests.desk import RAHIMA, SEAL

CODE = Message(RAHIMA, "482193 is your code", "code", "s1:3/code")
STATUS = Message(RAHIMA, "আপনার আবেদন গ্রহণ করা হয়েছে", "status", "s1:9/status")


@pytest.fixture
def outbox(desk):
    return desk.messages


async def row(desk, message=1):
    return (await desk.records.read(select(messages).where(messages.c.id == message))).one()


async def claimed(outbox, most=10, worker="w1"):
    return [one.id for one in await outbox.claim(worker, most)]


async def test_a_queued_sms_is_claimed_as_it_was_written(outbox):
    await outbox.send(STATUS)
    assert await outbox.claim("w1", 10) == [Claimed(1, RAHIMA, STATUS.text, "status", 1)]


async def test_what_is_claimed_is_no_longer_there_to_claim(outbox, desk):
    await outbox.send(STATUS)
    await outbox.claim("w1", 10)
    assert await outbox.claim("w2", 10) == []
    assert ((await row(desk)).status, (await row(desk)).worker) == ("sending", "w1")


async def test_the_oldest_are_claimed_first_and_no_more_than_asked_for(outbox, clock):
    for number in range(5):
        await outbox.send(Message(RAHIMA, "text", "info", f"s1:{number}"))
        clock.moves(seconds=1)
    assert await claimed(outbox, 2) == [1, 2]
    assert await claimed(outbox, 10) == [3, 4, 5]


async def test_one_that_was_sealed_with_another_key_fails_and_holds_up_no_other(desk):
    stranger = Messages(desk.records, Seal(b"another secret of the tests, 32+"), clock=desk.clock)
    await stranger.send(CODE)
    await desk.messages.send(STATUS)
    assert [sms.text for sms in await desk.messages.claim("w1", 10)] == [STATUS.text]
    assert ((await row(desk)).status, (await row(desk)).error) == ("failed", "Unreadable")


async def test_the_same_effect_is_one_sms(outbox, desk):
    await asyncio.gather(*(outbox.send(STATUS) for _ in range(6)))
    await outbox.send(Message(RAHIMA, "another text", "status", STATUS.effect))
    assert [one.text for one in await outbox.claim("w1", 10)] == [STATUS.text]
    assert await desk.count(messages) == 1


async def test_an_sms_whose_cause_was_not_recorded_is_not_there(outbox, desk):
    async def fails():
        async with desk.records.transaction() as transaction:
            await outbox.queue(transaction, STATUS)
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await fails()
    assert await outbox.claim("w1", 10) == []


async def test_many_claimers_at_once_never_get_the_same_sms(outbox, desk, database_url):
    async with desk.records.transaction() as transaction:
        for number in range(300):
            await outbox.queue(transaction, Message(RAHIMA, "text", "info", f"s1:{number}"))

    async def works(name):
        got = []
        async with Records(database_url, connections=3) as records:
            own = Messages(records, SEAL, clock=desk.clock)
            while ids := await claimed(own, 7, name):
                got += ids
        return got

    shares = await asyncio.gather(*(works(f"w{number}") for number in range(8)))
    counted = Counter(number for share in shares for number in share)
    assert len(counted) == 300
    assert set(counted.values()) == {1}


async def test_a_sent_sms_keeps_what_the_provider_said_of_it(outbox, desk, clock):
    await outbox.send(STATUS)
    await outbox.claim("w1", 10)
    clock.moves(seconds=2)
    assert await outbox.settle(1, Outcome("sent", provider_id="ATXid_1", cost="KES 0.8000"))
    sent = await row(desk)
    assert (sent.status, sent.provider_id, sent.cost, sent.updated_at) == ("sent", "ATXid_1", "KES 0.8000", clock.now)


@pytest.mark.parametrize("ending", ["sent", "failed", "unknown"])
async def test_a_secret_text_is_forgotten_once_it_has_left_or_never_will(outbox, desk, ending):
    await outbox.send(CODE)
    await outbox.send(STATUS)
    for number in await claimed(outbox):
        await outbox.settle(number, Outcome(ending, error="" if ending == "sent" else "NoAnswerInTime"))
    assert (await row(desk, 1)).text is None
    assert SEAL.open((await row(desk, 2)).text, f"message:{STATUS.effect}").decode() == STATUS.text


async def test_no_text_is_in_clear_in_the_table(outbox, desk):
    await outbox.send(CODE)
    assert b"482193" not in (await row(desk)).text


async def test_what_has_ended_does_not_end_again(outbox, desk):
    await outbox.send(STATUS)
    assert not await outbox.settle(1, Outcome("sent"))
    await outbox.claim("w1", 10)
    assert await outbox.settle(1, Outcome("sent", provider_id="ATXid_1"))
    assert not await outbox.settle(1, Outcome("failed", error="late"))
    assert ((await row(desk)).status, (await row(desk)).provider_id) == ("sent", "ATXid_1")
    assert not await outbox.settle(99, Outcome("sent"))


async def test_what_certainly_was_not_sent_goes_back_and_is_due_when_it_is_due(outbox, clock):
    await outbox.send(CODE)
    await outbox.claim("w1", 10)
    await outbox.settle(1, Outcome("queued", error="NotConnected", due=clock.now + timedelta(seconds=30)))
    assert await outbox.claim("w1", 10) == []
    clock.moves(seconds=30)
    assert await outbox.claim("w2", 10) == [Claimed(1, RAHIMA, CODE.text, "code", 2)]


async def test_a_code_that_was_not_sent_in_its_ten_minutes_is_never_sent_late(outbox, desk, clock):
    await outbox.send(CODE)
    await outbox.send(STATUS)
    clock.moves(minutes=10)
    assert await claimed(outbox) == [2]
    dropped = await row(desk, 1)
    assert (dropped.status, dropped.error, dropped.text) == ("failed", "TooLate", None)


async def test_a_code_that_went_back_is_dropped_in_time_too(outbox, clock):
    await outbox.send(CODE)
    await outbox.claim("w1", 10)
    await outbox.settle(1, Outcome("queued", due=clock.now + timedelta(minutes=11)))
    clock.moves(minutes=12)
    assert await claimed(outbox) == []


async def test_what_a_dead_worker_left_sending_becomes_unknown_and_is_not_sent_again(outbox, desk, clock):
    await outbox.send(CODE)
    await outbox.claim("dead", 10)
    clock.moves(seconds=61)
    await outbox.send(STATUS)
    await outbox.claim("alive", 10)
    assert await outbox.sweep(timedelta(seconds=60)) == 1
    left = await row(desk, 1)
    assert (left.status, left.error, left.text) == ("unknown", "WorkerGone", None)
    assert (await row(desk, 2)).status == "sending"
    assert await outbox.claim("alive", 10) == []


async def test_what_is_unknown_can_still_be_settled(outbox, desk, clock):
    await outbox.send(STATUS)
    await outbox.claim("slow", 10)
    clock.moves(minutes=5)
    await outbox.sweep(timedelta(minutes=1))
    assert await outbox.settle(1, Outcome("sent", provider_id="ATXid_1"))
    assert ((await row(desk)).status, (await row(desk)).error) == ("sent", None)


async def test_whoever_waits_is_woken_when_the_sms_can_be_claimed(outbox):
    async def worker():
        await outbox.until_queued(60)
        return await claimed(outbox)

    working = asyncio.create_task(worker())
    await asyncio.sleep(0)
    await outbox.send(STATUS)
    assert await working == [1]


async def test_nobody_is_woken_before_the_sms_can_be_claimed(outbox, desk):
    waiting = asyncio.create_task(outbox.until_queued(60))
    async with desk.records.transaction() as transaction:
        await outbox.queue(transaction, STATUS)
        await asyncio.sleep(0.01)
        assert not waiting.done()
    await waiting


async def test_an_sms_queued_while_the_worker_was_busy_is_not_waited_for(outbox):
    await outbox.send(STATUS)
    await outbox.until_queued(60)
    assert await claimed(outbox) == [1]


async def test_whoever_waits_in_vain_looks_for_themselves_in_the_end(outbox):
    await outbox.until_queued(0.01)
    assert await claimed(outbox) == []


def test_a_message_in_a_log_shows_neither_number_nor_text():
    assert repr(CODE) == "Message(kind='code', effect='s1:3/code')"
    assert repr(Claimed(1, RAHIMA, CODE.text, "code", 1)) == "Claimed(id=1, kind='code', attempts=1)"
