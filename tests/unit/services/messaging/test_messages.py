"""The table of messages: enqueued with their cause, claimed by one worker, sent at most once, secrets deleted."""

import asyncio
import re
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from core.crypto import Cipher
from core.types import SmsText, Template
from core.verified_caller import unverified_caller
from db.database import Database
from db.migrate import upgrade
from db.tables import contacts, messages
from services.messaging import queries
from services.messaging.delivery_status import DeliveryReport, DeliveryStatus
from services.messaging.kinds import PRIORITIES
from services.messaging.messages import Messages
from services.messaging.models import ClaimedMessage, Message, SendResult
from tests.support.sample_rows import insert_row
from tests.support.services import CIPHER, RAHIMA, ServiceSet
from tests.support.sql_plans import explain_plan
from tests.support.staff import staff_act

CODE = Message(RAHIMA, "482193 is your code", "code", "s1:3/code")
STATUS = Message(RAHIMA, "আপনার আবেদন জমা হয়েছে", "status", "s1:9/status")


@pytest.fixture
def sms_messages(services):
    return services.messages


async def row(services, message=1):
    return (await services.database.fetch(select(messages).where(messages.c.id == message))).one()


async def claim_all(outbox, limit=10, worker="w1"):
    return [one.id for one in await outbox.claim(worker, limit)]


async def test_a_queued_sms_is_claimed_as_it_was_written(sms_messages):
    await sms_messages.send(STATUS)
    assert await sms_messages.claim("w1", 10) == [ClaimedMessage(1, RAHIMA, STATUS.text, "status", 1)]


async def test_what_is_claimed_is_no_longer_there_to_claim(sms_messages, services):
    await sms_messages.send(STATUS)
    await sms_messages.claim("w1", 10)
    assert await sms_messages.claim("w2", 10) == []
    assert ((await row(services)).status, (await row(services)).worker) == ("sending", "w1")


async def test_the_oldest_are_claimed_first_and_no_more_than_asked_for(sms_messages, clock):
    for number in range(5):
        await sms_messages.send(Message(RAHIMA, "text", "info", f"s1:{number}"))
        clock.advance(seconds=1)
    assert await claim_all(sms_messages, 2) == [1, 2]
    assert await claim_all(sms_messages, 10) == [3, 4, 5]


async def test_one_that_was_sealed_with_another_key_fails_and_holds_up_no_other(services):
    stranger = Messages(services.database, Cipher(b"another secret of the tests, 32+"), clock=services.clock)
    await stranger.send(CODE)
    await services.messages.send(STATUS)
    assert [sms.text for sms in await services.messages.claim("w1", 10)] == [STATUS.text]
    assert ((await row(services)).status, (await row(services)).error) == ("failed", "Unreadable")


async def test_the_same_effect_is_one_sms(sms_messages, services):
    await asyncio.gather(*(sms_messages.send(STATUS) for _ in range(6)))
    await sms_messages.send(Message(RAHIMA, "another text", "status", STATUS.idempotency_key))
    assert [one.text for one in await sms_messages.claim("w1", 10)] == [STATUS.text]
    assert await services.count_rows(messages) == 1


async def test_an_sms_whose_cause_was_not_recorded_is_not_there(sms_messages, services):
    async def fails():
        async with services.database.transaction() as transaction:
            await sms_messages.enqueue(transaction, STATUS)
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await fails()
    assert await sms_messages.claim("w1", 10) == []


async def test_many_claimers_at_once_never_get_the_same_sms(sms_messages, services, database_url):
    async with services.database.transaction() as transaction:
        for number in range(300):
            await sms_messages.enqueue(transaction, Message(RAHIMA, "text", "info", f"s1:{number}"))

    async def works(name):
        got = []
        async with Database(database_url, pool_size=3) as database:
            own = Messages(database, CIPHER, clock=services.clock)
            while ids := await claim_all(own, 7, name):
                got += ids
        return got

    shares = await asyncio.gather(*(works(f"w{number}") for number in range(8)))
    counted = Counter(number for share in shares for number in share)
    assert len(counted) == 300
    assert set(counted.values()) == {1}


async def test_a_sent_sms_keeps_what_the_provider_said_of_it(sms_messages, services, clock):
    await sms_messages.send(STATUS)
    await sms_messages.claim("w1", 10)
    clock.advance(seconds=2)
    assert await sms_messages.record_result(1, SendResult("sent", provider_id="ATXid_1", cost="KES 0.8000"))
    sent = await row(services)
    assert (sent.status, sent.provider_id, sent.cost, sent.updated_at) == ("sent", "ATXid_1", "KES 0.8000", clock.now)


@pytest.mark.parametrize("ending", ["sent", "failed", "unknown"])
async def test_a_secret_text_is_forgotten_once_it_has_left_or_never_will(sms_messages, services, ending):
    await sms_messages.send(CODE)
    await sms_messages.send(STATUS)
    for number in await claim_all(sms_messages):
        await sms_messages.record_result(number, SendResult(ending, error="" if ending == "sent" else "NoAnswerInTime"))
    assert (await row(services, 1)).text is None
    assert CIPHER.decrypt((await row(services, 2)).text, f"message:{STATUS.idempotency_key}").decode() == STATUS.text


async def test_no_text_is_in_clear_in_the_table(sms_messages, services):
    await sms_messages.send(CODE)
    assert b"482193" not in (await row(services)).text


async def test_what_has_ended_does_not_end_again(sms_messages, services):
    await sms_messages.send(STATUS)
    assert not await sms_messages.record_result(1, SendResult("sent"))
    await sms_messages.claim("w1", 10)
    assert await sms_messages.record_result(1, SendResult("sent", provider_id="ATXid_1"))
    assert not await sms_messages.record_result(1, SendResult("failed", error="late"))
    assert ((await row(services)).status, (await row(services)).provider_id) == ("sent", "ATXid_1")
    assert not await sms_messages.record_result(99, SendResult("sent"))


async def test_what_certainly_was_not_sent_goes_back_and_is_due_when_it_is_due(sms_messages, clock):
    await sms_messages.send(CODE)
    await sms_messages.claim("w1", 10)
    await sms_messages.record_result(
        1, SendResult("queued", error="NotConnected", not_before=clock.now + timedelta(seconds=30))
    )
    assert await sms_messages.claim("w1", 10) == []
    clock.advance(seconds=30)
    assert await sms_messages.claim("w2", 10) == [ClaimedMessage(1, RAHIMA, CODE.text, "code", 2)]


async def test_a_code_that_was_not_sent_in_its_ten_minutes_is_never_sent_late(sms_messages, services, clock):
    await sms_messages.send(CODE)
    await sms_messages.send(STATUS)
    clock.advance(minutes=10)
    assert await claim_all(sms_messages) == [2]
    dropped = await row(services, 1)
    assert (dropped.status, dropped.error, dropped.text) == ("failed", "TooLate", None)


async def test_a_code_that_went_back_is_dropped_in_time_too(sms_messages, clock):
    await sms_messages.send(CODE)
    await sms_messages.claim("w1", 10)
    await sms_messages.record_result(1, SendResult("queued", not_before=clock.now + timedelta(minutes=11)))
    clock.advance(minutes=12)
    assert await claim_all(sms_messages) == []


async def test_what_a_dead_worker_left_sending_becomes_unknown_and_is_not_sent_again(sms_messages, services, clock):
    await sms_messages.send(CODE)
    await sms_messages.claim("dead", 10)
    clock.advance(seconds=61)
    await sms_messages.send(STATUS)
    await sms_messages.claim("alive", 10)
    assert await sms_messages.recover_abandoned(timedelta(seconds=60)) == 1
    left = await row(services, 1)
    assert (left.status, left.error, left.text) == ("unknown", "WorkerGone", None)
    assert (await row(services, 2)).status == "sending"
    assert await sms_messages.claim("alive", 10) == []


async def test_what_is_unknown_can_still_be_settled(sms_messages, services, clock):
    await sms_messages.send(STATUS)
    await sms_messages.claim("slow", 10)
    clock.advance(minutes=5)
    await sms_messages.recover_abandoned(timedelta(minutes=1))
    assert await sms_messages.record_result(1, SendResult("sent", provider_id="ATXid_1"))
    assert ((await row(services)).status, (await row(services)).error) == ("sent", None)


async def test_whoever_waits_is_woken_when_the_sms_can_be_claimed(sms_messages):
    async def worker():
        await sms_messages.wait_for_queued(60)
        return await claim_all(sms_messages)

    working = asyncio.create_task(worker())
    await asyncio.sleep(0)
    await sms_messages.send(STATUS)
    assert await working == [1]


async def test_nobody_is_woken_before_the_sms_can_be_claimed(sms_messages, services):
    waiting = asyncio.create_task(sms_messages.wait_for_queued(60))
    async with services.database.transaction() as transaction:
        await sms_messages.enqueue(transaction, STATUS)
        await asyncio.sleep(0.01)
        assert not waiting.done()
    await waiting


async def test_an_sms_queued_while_the_worker_was_busy_is_not_waited_for(sms_messages):
    await sms_messages.send(STATUS)
    await sms_messages.wait_for_queued(60)
    assert await claim_all(sms_messages) == [1]


async def test_whoever_waits_in_vain_looks_for_themselves_in_the_end(sms_messages):
    await sms_messages.wait_for_queued(0.01)
    assert await claim_all(sms_messages) == []


def test_a_message_in_a_log_shows_neither_number_nor_text():
    assert repr(CODE) == "Message(kind='code', idempotency_key='s1:3/code', medium='sms')"
    assert (
        repr(ClaimedMessage(1, RAHIMA, CODE.text, "code", 1))
        == "ClaimedMessage(id=1, kind='code', attempts=1, suspensions=0, segments=1, template=None, sender='')"
    )
    assert repr(Template("code", "en", (("code", "482193"),))) == "Template(key='code', form='en', omitted=())"


async def test_what_somebody_waits_for_goes_first_whenever_it_was_queued(sms_messages, clock):
    for kind in ("info", "status", "receipt", "link", "reply", "pin", "code"):
        await sms_messages.send(Message(RAHIMA, kind, kind, f"s1:{kind}"))
        clock.advance(seconds=1)
    taken = [await sms_messages.claim("w1", most) for most in (3, 2, 10)]
    assert [[one.text for one in some] for some in taken] == [
        ["pin", "code", "reply"],
        ["info", "status"],
        ["receipt", "link"],
    ]


async def test_of_what_is_urgent_but_due_later_nothing_holds_up_what_is_due(sms_messages, clock):
    for number in range(5):
        await sms_messages.send(Message(RAHIMA, "text", "code", f"s1:{number}"))
    for number in await claim_all(sms_messages):
        await sms_messages.record_result(number, SendResult("queued", not_before=clock.now + timedelta(minutes=1)))
    await sms_messages.send(STATUS)
    assert await claim_all(sms_messages) == [6]


def count_statements(services, **options):
    return Messages(services.database, CIPHER, clock=services.clock, count_segments=len, **options)


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
async def test_no_more_is_claimed_than_segments_may_be_sent(services, lengths, budget, taken):
    outbox = count_statements(services)
    for number, length in enumerate(lengths):
        await outbox.send(Message(RAHIMA, "x" * length, "info", f"s1:{number}"))
    claimed = await outbox.claim("w1", 10, segments=budget)
    assert [one.id for one in claimed] == taken
    assert [one.segments for one in claimed] == [*lengths[: len(taken)]]


async def test_an_email_is_claimed_by_who_carries_emails(sms_messages):
    await sms_messages.send(
        Message("rahima@example.org", "Received\nWe have your application.", "receipt", "s1:1", "email")
    )
    await sms_messages.send(STATUS)
    assert [one.id for one in await sms_messages.claim("w1", 10)] == [2]
    assert [one.id for one in await sms_messages.claim("w1", 10, "email")] == [1]


async def test_who_waits_for_an_email_is_not_woken_by_an_sms(sms_messages):
    waiting = asyncio.create_task(sms_messages.wait_for_queued(60, "email"))
    await sms_messages.send(STATUS)
    await asyncio.sleep(0)
    assert not waiting.done()
    await sms_messages.send(
        Message("rahima@example.org", "Received\nWe have your application.", "receipt", "s1:1", "email")
    )
    await waiting


async def test_many_ends_in_one_turn_are_noted_in_one_transaction(sms_messages, services):
    for number in range(20):
        await sms_messages.send(Message(RAHIMA, "text", "info", f"s1:{number}"))
    ids = await claim_all(sms_messages, 20)
    ends = [
        SendResult("sent", f"ATXid_{number}") if number % 2 else SendResult("unknown", error="Lost") for number in ids
    ]
    noted = await asyncio.gather(
        *(sms_messages.record_result(*one) for one in zip(ids, ends, strict=True)),
        sms_messages.record_result(99, ends[0]),
    )
    assert noted == [True] * 20 + [False]
    assert [(await row(services, number)).provider_id for number in (1, 2, 3)] == ["ATXid_1", None, "ATXid_3"]
    assert {(await row(services, number)).status for number in (2, 4, 20)} == {"unknown"}


async def test_a_try_that_was_held_counts_for_none(sms_messages, clock):
    await sms_messages.send(STATUS)
    for _ in range(3):
        await sms_messages.claim("w1", 10)
        await sms_messages.record_result(
            1, SendResult("queued", error="InsufficientBalance", not_before=clock.now, suspended=True)
        )
    (again,) = await sms_messages.claim("w1", 10)
    assert (again.attempts, again.suspensions) == (1, 3)


async def test_what_was_called_unknown_for_being_late_and_forgot_its_text_does_not_go_back(
    sms_messages, services, clock
):
    await sms_messages.send(CODE)
    await sms_messages.claim("stalled", 10)
    clock.advance(minutes=6)
    await sms_messages.recover_abandoned(timedelta(minutes=5))
    assert await sms_messages.record_result(1, SendResult("queued", error="NotConnected", not_before=clock.now))
    assert ((await row(services)).status, (await row(services)).error) == ("failed", "NotConnected")
    assert await sms_messages.claim("w1", 10) == []


async def queue_and_lose(outbox, *sent):
    """Enqueue messages, and record an unknown result for each."""
    for message in sent:
        await outbox.send(message)
    for message in await outbox.claim("w1", 10):
        await outbox.record_result(message.id, SendResult("unknown", error="NoAnswerInTime"))


async def test_a_receipt_and_a_status_that_nobody_knows_of_are_sent_once_more_and_no_other_kind(
    sms_messages, services, clock
):
    kinds = ("code", "pin", "reply", "menu", "receipt_reply", "receipt", "status", "info", "link")
    await queue_and_lose(sms_messages, *(Message(RAHIMA, kind, kind, f"s1:{kind}") for kind in kinds))
    clock.advance(minutes=14)
    await sms_messages.recover_abandoned(timedelta(minutes=5))
    assert await sms_messages.claim("w1", 10) == [], "a report may yet tell"
    clock.advance(minutes=2)
    await sms_messages.recover_abandoned(timedelta(minutes=5))
    again = await sms_messages.claim("w1", 10)
    assert [(one.text, one.attempts) for one in again] == [("receipt_reply", 1), ("receipt", 1), ("status", 1)]
    for message in again:
        await sms_messages.record_result(message.id, SendResult("unknown", error="NoAnswerInTime"))
    clock.advance(minutes=20)
    await sms_messages.recover_abandoned(timedelta(minutes=5))
    assert await sms_messages.claim("w1", 10) == [], "once more is once"


@pytest.mark.parametrize(
    ("decided", "stage", "reason"), [("sent", "sent", "NoAnswerInTime"), ("failed", "failed", "SettledByHand")]
)
async def test_a_person_can_say_what_became_of_an_unknown_one(sms_messages, decided, stage, reason):
    await queue_and_lose(sms_messages, STATUS)
    assert [one.id for one in await sms_messages.list_unresolved()] == [1]
    assert await sms_messages.resolve_unknown(1, decided, staff_act("provider"))
    state = await sms_messages.state(1)
    assert (state.stage, state.reason) == (stage, reason)
    assert await sms_messages.list_unresolved() == []
    assert not await sms_messages.resolve_unknown(1, decided, staff_act("provider")), "it is not unknown any more"
    assert not await sms_messages.resolve_unknown(99, decided, staff_act("provider"))


async def test_a_person_can_have_it_sent_again_while_its_text_and_its_time_last(sms_messages, clock):
    await queue_and_lose(sms_messages, STATUS, CODE)
    assert await sms_messages.resolve_unknown(1, "again", staff_act("provider"))
    assert not await sms_messages.resolve_unknown(2, "again", staff_act("provider")), "the code is forgotten"
    assert await claim_all(sms_messages) == [1]
    await sms_messages.record_result(1, SendResult("unknown"))
    clock.advance(days=3)
    assert not await sms_messages.resolve_unknown(1, "again", staff_act("provider")), "it is too old"


async def test_what_stands_where_is_counted(sms_messages, clock):
    for number in range(4):
        await sms_messages.send(Message(RAHIMA, "text", "info", f"s1:{number}"))
    await sms_messages.claim("w1", 2)
    await sms_messages.record_result(1, SendResult("unknown"))
    clock.advance(seconds=90)
    assert await sms_messages.depth() == (2, 1, 1, timedelta(seconds=90))
    await sms_messages.claim("w1", 2)
    assert await sms_messages.depth() == (0, 3, 1, timedelta())


def at_night(until, number=RAHIMA, network=""):
    """Return quiet hours for a number or a network until a time."""

    def opens(to, its_network, now):
        return until if to == number and its_network == network and now < until else None

    return opens


async def test_at_night_what_can_wait_waits_for_the_morning(services, clock):
    morning = clock.now + timedelta(hours=2)
    outbox = count_statements(services, next_allowed_time=at_night(morning))
    for kind in ("code", "pin", "reply", "receipt", "status", "info", "link"):
        await outbox.send(Message(RAHIMA, kind, kind, f"s1:{kind}"))
    await outbox.send(Message(RAHIMA, "of just now", "receipt_reply", "s3:1"))
    await outbox.send(Message("+8801711000002", "elsewhere", "status", "s2:1"))
    at_once = ["code", "pin", "reply", "of just now", "info", "link", "elsewhere"]
    assert [one.text for one in await outbox.claim("w1", 10)] == at_once
    assert {(await row(services, number)).due_at for number in (4, 5)} == {morning}
    clock.now = morning
    assert [one.text for one in await outbox.claim("w1", 10)] == ["receipt", "status"]


async def test_what_falls_due_at_night_is_put_off_and_that_is_no_try(services, clock):
    await services.messages.send(STATUS)
    night = count_statements(services, next_allowed_time=at_night(clock.now + timedelta(hours=2)))
    assert await night.claim("w1", 10) == []
    assert (await row(services)).status == "queued"
    clock.advance(hours=2)
    (late,) = await night.claim("w1", 10)
    assert late.attempts == 1


async def test_behind_what_is_put_off_that_which_may_be_sent_is_found(services, clock):
    for number in range(20):
        await services.messages.send(Message(RAHIMA, "night", "status", f"s1:{number}"))
    await services.messages.send(Message("+8801711000002", "day", "info", "s2:1"))
    night = count_statements(services, next_allowed_time=at_night(clock.now + timedelta(hours=2)))
    assert [one.text for one in await night.claim("w1", 5)] == ["day"]


async def test_a_network_has_the_night_that_a_report_tells_us_it_has(services, clock):
    outbox = count_statements(services, next_allowed_time=at_night(clock.now + timedelta(hours=2), network="63902"))
    await outbox.send(STATUS)
    assert await claim_all(outbox) == [1], "whose network it is, nobody knows yet"
    await outbox.record_result(1, SendResult("sent", "ATXid_1"))
    await outbox.record_report(DeliveryReport("ATXid_1", DeliveryStatus.SENT, "Sent", msisdn=RAHIMA, network="63902"))
    await outbox.send(Message(RAHIMA, "text", "status", "s1:10"))
    assert await claim_all(outbox) == []
    clock.advance(hours=2)
    assert await claim_all(outbox) == [2]


@pytest.fixture
async def services_without_tables(empty_database_url, clock, pins):
    """Services on a database of their own: rows of other tests would change the query plans."""
    await upgrade(empty_database_url)
    async with Database(empty_database_url) as database:
        yield ServiceSet(database, clock, pins)


async def test_the_claim_and_what_goes_with_it_walk_along_an_index(services_without_tables, empty_database_url):
    """With many messages that have been sent, and some that are urgent but due tomorrow."""
    services = services_without_tables
    now = services.clock.now
    old = {"text": b"", "kind": "info", "secret": False, "recipient": RAHIMA, "created_at": now, "updated_at": now}
    sent = [
        {**old, "status": "sent", "due_at": now, "not_after": now, "idempotency_key": f"old:{n}"} for n in range(20_000)
    ]
    later = now + timedelta(days=1)
    urgent = {**old, "status": "queued", "priority": 0, "due_at": later, "not_after": later + timedelta(days=1)}
    async with services.database.transaction() as transaction:
        await transaction.execute(services.database.insert(messages), sent)
        await transaction.execute(
            services.database.insert(messages), [{**urgent, "idempotency_key": f"new:{n}"} for n in range(500)]
        )
    if not empty_database_url.startswith("sqlite"):
        async with services.database.transaction() as transaction:
            await transaction.execute(text("ANALYZE messages"))
    asked = {"now": now, "claimer": "w1", "most": 16, "carried_by": "sms", "by": "", "budget": 100}
    plan = await explain_plan(services.database, queries.CLAIM, asked)
    assert plan.count("ix_messages_queued") == len(PRIORITIES), plan
    assert not re.search(r"Seq Scan on messages|SCAN messages(?! USING)", plan), plan
    assert "ix_messages_late" in await explain_plan(services.database, queries.DROP, {"now": now})


# Templates -----------------------------------------------------------------------------------------------------------

MOVED = Template("complaint_moved", "hi", (("complaint", "1234 5678 9012"), ("status", "जमा हुआ")), ("note",))
MOVED_LATIN = Template(
    "complaint_moved", "hi_Latn", (("complaint", "1234 5678 9012"), ("status", "jama hua")), ("note",)
)
MOVED_TEXT = SmsText("शिकायत 1234 5678 9012: जमा हुआ.", "Shikayat 1234 5678 9012: jama hua.", MOVED, MOVED_LATIN)


async def test_a_claimed_message_knows_its_template_and_its_variables(sms_messages):
    await sms_messages.send(Message(RAHIMA, MOVED_TEXT, "status", "s1:9"))
    await sms_messages.send(STATUS)
    first, second = await sms_messages.claim("w1", 10)
    assert (first.template, second.template) == (MOVED, None)


async def test_whoever_reads_latin_letters_gets_the_template_in_these(sms_messages, services, clock):
    await insert_row(services.database, contacts, clock(), msisdn=RAHIMA, latin_letters=True)
    await sms_messages.send(Message(RAHIMA, MOVED_TEXT, "status", "s1:9"))
    (claimed,) = await sms_messages.claim("w1", 10)
    assert (claimed.text, claimed.template) == (MOVED_TEXT.latin, MOVED_LATIN)


async def test_variables_cannot_be_read_in_the_database(sms_messages, services):
    pin = SmsText("739154 is your PIN", "739154 is your PIN", Template("pin", "en", (("pin", "739154"),)))
    await sms_messages.send(Message(RAHIMA, pin, "pin", "s1:9"))
    stored = await row(services)
    assert (stored.template, stored.form) == ("pin", "en")
    assert not [name for name, value in stored._mapping.items() if "739154" in str(value)]


@pytest.mark.parametrize("status", ["sent", "failed", "unknown"])
async def test_the_variables_of_a_secret_are_erased_with_its_text(sms_messages, services, status):
    code = SmsText(CODE.text, CODE.text, Template("code", "en", (("code", "482193"),)))
    await sms_messages.send(Message(RAHIMA, code, "code", "s1:9"))
    await sms_messages.claim("w1", 10)
    await sms_messages.record_result(1, SendResult(status))
    assert ((await row(services)).text, (await row(services)).variables) == (None, None)


async def test_a_text_that_is_queued_again_keeps_its_template(sms_messages, clock):
    await sms_messages.send(Message(RAHIMA, MOVED_TEXT, "status", "s1:9"))
    await sms_messages.claim("w1", 10)
    await sms_messages.record_result(1, SendResult("queued", not_before=clock()))
    assert [one.template for one in await sms_messages.claim("w1", 10)] == [MOVED]


@pytest.mark.parametrize("ended", ["expired", "abandoned", "limited"])
async def test_a_secret_that_is_never_sent_keeps_no_variables(services, clock, ended):
    async def may_send(*_):
        return ended != "limited"

    outbox = Messages(services.database, CIPHER, clock=clock, may_send=may_send)
    text = SmsText("your document", "your document", Template("document", "en", (("document_holder", "Rahima"),)))
    with unverified_caller():
        await outbox.send(Message(RAHIMA, text, "document", "s1:9"))
    if ended == "abandoned":
        await outbox.claim("w1", 10)
    clock.advance(hours=2)
    await outbox.recover_abandoned(timedelta(minutes=5))
    assert ((await row(services)).text, (await row(services)).variables) == (None, None)
