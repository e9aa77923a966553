"""SMS on their way: written with what caused them, claimed by one worker, sent at most once, secrets forgotten."""

import asyncio
import re
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.event import listen, remove

from sealing import Seal
from services.messages import Claimed, Delivery, Ending, Message, Messages, Report, statements
from services.messages.kinds import PRIORITIES
from services.records.database import Records
from services.records.migrate import upgrade
from services.records.tables import messages
from tests.desk import RAHIMA, SEAL, Desk

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
    assert await outbox.settle(1, Ending("sent", provider_id="ATXid_1", cost="KES 0.8000"))
    sent = await row(desk)
    assert (sent.status, sent.provider_id, sent.cost, sent.updated_at) == ("sent", "ATXid_1", "KES 0.8000", clock.now)


@pytest.mark.parametrize("ending", ["sent", "failed", "unknown"])
async def test_a_secret_text_is_forgotten_once_it_has_left_or_never_will(outbox, desk, ending):
    await outbox.send(CODE)
    await outbox.send(STATUS)
    for number in await claimed(outbox):
        await outbox.settle(number, Ending(ending, error="" if ending == "sent" else "NoAnswerInTime"))
    assert (await row(desk, 1)).text is None
    assert SEAL.open((await row(desk, 2)).text, f"message:{STATUS.effect}").decode() == STATUS.text


async def test_no_text_is_in_clear_in_the_table(outbox, desk):
    await outbox.send(CODE)
    assert b"482193" not in (await row(desk)).text


async def test_what_has_ended_does_not_end_again(outbox, desk):
    await outbox.send(STATUS)
    assert not await outbox.settle(1, Ending("sent"))
    await outbox.claim("w1", 10)
    assert await outbox.settle(1, Ending("sent", provider_id="ATXid_1"))
    assert not await outbox.settle(1, Ending("failed", error="late"))
    assert ((await row(desk)).status, (await row(desk)).provider_id) == ("sent", "ATXid_1")
    assert not await outbox.settle(99, Ending("sent"))


async def test_what_certainly_was_not_sent_goes_back_and_is_due_when_it_is_due(outbox, clock):
    await outbox.send(CODE)
    await outbox.claim("w1", 10)
    await outbox.settle(1, Ending("queued", error="NotConnected", due=clock.now + timedelta(seconds=30)))
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
    await outbox.settle(1, Ending("queued", due=clock.now + timedelta(minutes=11)))
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
    assert await outbox.settle(1, Ending("sent", provider_id="ATXid_1"))
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
    assert repr(CODE) == "Message(kind='code', effect='s1:3/code', medium='sms')"
    assert (
        repr(Claimed(1, RAHIMA, CODE.text, "code", 1)) == "Claimed(id=1, kind='code', attempts=1, holds=0, segments=1)"
    )


async def test_what_somebody_waits_for_goes_first_whenever_it_was_queued(outbox, clock):
    for kind in ("info", "status", "receipt", "link", "reply", "pin", "code"):
        await outbox.send(Message(RAHIMA, kind, kind, f"s1:{kind}"))
        clock.moves(seconds=1)
    taken = [await outbox.claim("w1", most) for most in (3, 2, 10)]
    assert [[one.text for one in some] for some in taken] == [
        ["pin", "code", "reply"],
        ["info", "status"],
        ["receipt", "link"],
    ]


async def test_of_what_is_urgent_but_due_later_nothing_holds_up_what_is_due(outbox, clock):
    for number in range(5):
        await outbox.send(Message(RAHIMA, "text", "code", f"s1:{number}"))
    for number in await claimed(outbox):
        await outbox.settle(number, Ending("queued", due=clock.now + timedelta(minutes=1)))
    await outbox.send(STATUS)
    assert await claimed(outbox) == [6]


def counting(desk, **options):
    return Messages(desk.records, SEAL, clock=desk.clock, segments=len, **options)


@pytest.mark.parametrize(
    ("lengths", "budget", "taken"),
    [
        ((1, 1, 1), 2, [1, 2]),
        ((2, 2, 2), 4, [1, 2]),
        ((2, 2, 2), 3, [1, 2]),  # the one that reaches it goes
        ((9, 1), 1, [1]),  # even one that alone is longer
        ((1, 1), None, [1, 2]),
        ((1, 1), 0, []),
    ],
)
async def test_no_more_is_claimed_than_segments_may_be_sent(desk, lengths, budget, taken):
    outbox = counting(desk)
    for number, length in enumerate(lengths):
        await outbox.send(Message(RAHIMA, "x" * length, "info", f"s1:{number}"))
    claimed = await outbox.claim("w1", 10, segments=budget)
    assert [one.id for one in claimed] == taken
    assert [one.segments for one in claimed] == [*lengths[: len(taken)]]


async def test_an_email_is_claimed_by_who_carries_emails(outbox):
    await outbox.send(Message("rahima@example.org", "Received\nWe have it.", "receipt", "s1:1", "email"))
    await outbox.send(STATUS)
    assert [one.id for one in await outbox.claim("w1", 10)] == [2]
    assert [one.id for one in await outbox.claim("w1", 10, "email")] == [1]


async def test_who_waits_for_an_email_is_not_woken_by_an_sms(outbox):
    waiting = asyncio.create_task(outbox.until_queued(60, "email"))
    await outbox.send(STATUS)
    await asyncio.sleep(0)
    assert not waiting.done()
    await outbox.send(Message("rahima@example.org", "Received\nWe have it.", "receipt", "s1:1", "email"))
    await waiting


async def test_many_ends_in_one_turn_are_noted_in_one_transaction(outbox, desk):
    for number in range(20):
        await outbox.send(Message(RAHIMA, "text", "info", f"s1:{number}"))
    ids = await claimed(outbox, 20)
    ends = [Ending("sent", f"ATXid_{number}") if number % 2 else Ending("unknown", error="Lost") for number in ids]
    noted = await asyncio.gather(
        *(outbox.settle(*one) for one in zip(ids, ends, strict=True)), outbox.settle(99, ends[0])
    )
    assert noted == [True] * 20 + [False]
    assert [(await row(desk, number)).provider_id for number in (1, 2, 3)] == ["ATXid_1", None, "ATXid_3"]
    assert {(await row(desk, number)).status for number in (2, 4, 20)} == {"unknown"}


async def test_a_try_that_was_held_counts_for_none(outbox, clock):
    await outbox.send(STATUS)
    for _ in range(3):
        await outbox.claim("w1", 10)
        await outbox.settle(1, Ending("queued", error="InsufficientBalance", due=clock.now, held=True))
    (again,) = await outbox.claim("w1", 10)
    assert (again.attempts, again.holds) == (1, 3)


async def test_what_was_called_unknown_for_being_late_and_forgot_its_text_does_not_go_back(outbox, desk, clock):
    await outbox.send(CODE)
    await outbox.claim("stalled", 10)
    clock.moves(minutes=6)
    await outbox.sweep(timedelta(minutes=5))
    assert await outbox.settle(1, Ending("queued", error="NotConnected", due=clock.now))
    assert ((await row(desk)).status, (await row(desk)).error) == ("failed", "NotConnected")
    assert await outbox.claim("w1", 10) == []


async def lose(outbox, *sent):
    """Queue these, and have nobody know how their sends ended."""
    for message in sent:
        await outbox.send(message)
    for message in await outbox.claim("w1", 10):
        await outbox.settle(message.id, Ending("unknown", error="NoAnswerInTime"))


async def test_a_receipt_and_a_status_that_nobody_knows_of_are_sent_once_more_and_no_other_kind(outbox, desk, clock):
    kinds = ("code", "pin", "reply", "menu", "receipt_reply", "receipt", "status", "info", "link")
    await lose(outbox, *(Message(RAHIMA, kind, kind, f"s1:{kind}") for kind in kinds))
    clock.moves(minutes=14)
    await outbox.sweep(timedelta(minutes=5))
    assert await outbox.claim("w1", 10) == [], "a report may yet tell"
    clock.moves(minutes=2)
    await outbox.sweep(timedelta(minutes=5))
    again = await outbox.claim("w1", 10)
    assert [(one.text, one.attempts) for one in again] == [("receipt_reply", 1), ("receipt", 1), ("status", 1)]
    for message in again:
        await outbox.settle(message.id, Ending("unknown", error="NoAnswerInTime"))
    clock.moves(minutes=20)
    await outbox.sweep(timedelta(minutes=5))
    assert await outbox.claim("w1", 10) == [], "once more is once"


@pytest.mark.parametrize(
    ("decided", "stage", "reason"), [("sent", "sent", "NoAnswerInTime"), ("failed", "failed", "SettledByHand")]
)
async def test_a_person_can_say_what_became_of_an_unknown_one(outbox, decided, stage, reason):
    await lose(outbox, STATUS)
    assert [one.id for one in await outbox.unsettled()] == [1]
    assert await outbox.settle_unknown(1, decided)
    state = await outbox.state(1)
    assert (state.stage, state.reason) == (stage, reason)
    assert await outbox.unsettled() == []
    assert not await outbox.settle_unknown(1, decided), "it is not unknown any more"
    assert not await outbox.settle_unknown(99, decided)


async def test_a_person_can_have_it_sent_again_while_its_text_and_its_time_last(outbox, clock):
    await lose(outbox, STATUS, CODE)
    assert await outbox.settle_unknown(1, "again")
    assert not await outbox.settle_unknown(2, "again"), "the code is forgotten"
    assert await claimed(outbox) == [1]
    await outbox.settle(1, Ending("unknown"))
    clock.moves(days=3)
    assert not await outbox.settle_unknown(1, "again"), "it is too old"


async def test_what_stands_where_is_counted(outbox, clock):
    for number in range(4):
        await outbox.send(Message(RAHIMA, "text", "info", f"s1:{number}"))
    await outbox.claim("w1", 2)
    await outbox.settle(1, Ending("unknown"))
    clock.moves(seconds=90)
    assert await outbox.depth() == (2, 1, 1, timedelta(seconds=90))
    await outbox.claim("w1", 2)
    assert await outbox.depth() == (0, 3, 1, timedelta())


def at_night(until, number=RAHIMA, network=""):
    """Whose night it is, until when."""

    def opens(to, its_network, now):
        return until if to == number and its_network == network and now < until else None

    return opens


async def test_at_night_what_can_wait_waits_for_the_morning(desk, clock):
    morning = clock.now + timedelta(hours=2)
    outbox = counting(desk, opens=at_night(morning))
    for kind in ("code", "pin", "reply", "receipt", "status", "info", "link"):
        await outbox.send(Message(RAHIMA, kind, kind, f"s1:{kind}"))
    await outbox.send(Message(RAHIMA, "of just now", "receipt_reply", "s3:1"))
    await outbox.send(Message("+8801711000002", "elsewhere", "status", "s2:1"))
    at_once = ["code", "pin", "reply", "of just now", "info", "link", "elsewhere"]
    assert [one.text for one in await outbox.claim("w1", 10)] == at_once
    assert {(await row(desk, number)).due_at for number in (4, 5)} == {morning}
    clock.now = morning
    assert [one.text for one in await outbox.claim("w1", 10)] == ["receipt", "status"]


async def test_what_falls_due_at_night_is_put_off_and_that_is_no_try(desk, clock):
    await desk.messages.send(STATUS)
    night = counting(desk, opens=at_night(clock.now + timedelta(hours=2)))
    assert await night.claim("w1", 10) == []
    assert (await row(desk)).status == "queued"
    clock.moves(hours=2)
    (late,) = await night.claim("w1", 10)
    assert late.attempts == 1


async def test_behind_what_is_put_off_that_which_may_be_sent_is_found(desk, clock):
    for number in range(20):
        await desk.messages.send(Message(RAHIMA, "night", "status", f"s1:{number}"))
    await desk.messages.send(Message("+8801711000002", "day", "info", "s2:1"))
    night = counting(desk, opens=at_night(clock.now + timedelta(hours=2)))
    assert [one.text for one in await night.claim("w1", 5)] == ["day"]


async def test_a_network_has_the_night_that_a_report_tells_us_it_has(desk, clock):
    outbox = counting(desk, opens=at_night(clock.now + timedelta(hours=2), network="63902"))
    await outbox.send(STATUS)
    assert await claimed(outbox) == [1], "whose network it is, nobody knows yet"
    await outbox.settle(1, Ending("sent", "ATXid_1"))
    await outbox.report(Report("ATXid_1", Delivery.SENT, "Sent", number=RAHIMA, network="63902"))
    await outbox.send(Message(RAHIMA, "text", "status", "s1:10"))
    assert await claimed(outbox) == []
    clock.moves(hours=2)
    assert await claimed(outbox) == [2]


@pytest.fixture
async def untouched(empty_database_url, clock, pins):
    """A desk on a database of its own: what others left in a table's pages weighs on how it is walked."""
    await upgrade(empty_database_url)
    async with Records(empty_database_url) as records:
        yield Desk(records, clock, pins)


async def test_the_claim_and_what_goes_with_it_walk_along_an_index(untouched, empty_database_url):
    """With many messages that have been sent, and some that are urgent but due tomorrow."""
    desk = untouched
    now = desk.clock.now
    old = {"text": b"", "kind": "info", "secret": False, "recipient": RAHIMA, "created_at": now, "updated_at": now}
    sent = [{**old, "status": "sent", "due_at": now, "not_after": now, "effect": f"old:{n}"} for n in range(20_000)]
    later = now + timedelta(days=1)
    urgent = {**old, "status": "queued", "priority": 0, "due_at": later, "not_after": later + timedelta(days=1)}
    async with desk.records.transaction() as transaction:
        await transaction.execute(desk.records.insert(messages), sent)
        await transaction.execute(desk.records.insert(messages), [{**urgent, "effect": f"new:{n}"} for n in range(500)])
    if not empty_database_url.startswith("sqlite"):
        async with desk.records.transaction() as transaction:
            await transaction.execute(text("ANALYZE messages"))
    asked = {"now": now, "claimer": "w1", "most": 16, "carried_by": "sms", "budget": 100}
    plan = await explained(desk, statements.CLAIM, asked)
    assert plan.count("ix_messages_queued") == len(PRIORITIES), plan
    assert not re.search(r"Seq Scan on messages|SCAN messages(?! USING)", plan), plan
    assert "ix_messages_late" in await explained(desk, statements.DROP, {"now": now})


async def explained(desk, statement, values):
    """What the database says it does for this."""
    run = []

    def note(_connection, _cursor, sql, given, *_):
        run.append((sql, given))

    engine = desk.records._writing.sync_engine
    listen(engine, "before_cursor_execute", note)
    async with desk.records.transaction() as transaction:
        await transaction.execute(statement, values)
        remove(engine, "before_cursor_execute", note)
        sql, given = run[-1]  # before it, SQLite is told to begin
        explain = "EXPLAIN QUERY PLAN " if desk.records.dialect == "sqlite" else "EXPLAIN "
        plan = await transaction._connection.exec_driver_sql(explain + sql, given)
        return "\n".join(str(line[-1]) for line in plan)
