"""Delivery reports are matched with messages: late, twice, out of order, concurrently, before the answer, with unknown ids."""

import asyncio
from datetime import timedelta
from itertools import permutations

import pytest
from sqlalchemy import select, update

from db.tables import delivery_reports, messages
from providers.africastalking.sms_webhooks import DELIVERY_STATUSES
from services.messaging import delivery_reports as reports
from services.messaging.delivery_reports import MAX_UNMATCHED
from services.messaging.delivery_status import DeliveryReport, DeliveryStatus
from services.messaging.models import Message, SendResult
from services.messaging.unparsed_webhooks import MAX_PER_ROUTE, UnparsedWebhooks
from tests.support.retention import build_retention
from tests.support.services import CIPHER, KARIM, RAHIMA

STATUS = Message(RAHIMA, "আপনার আবেদন জমা হয়েছে", "info", "s1:9/info")


def build_report(word, provider_id="ATXid_1", reason="", number=RAHIMA, network=""):
    return DeliveryReport(
        provider_id, DELIVERY_STATUSES.get(word, DeliveryStatus.UNRECOGNIZED), word, reason, number, network
    )


@pytest.fixture
def sms_messages(services):
    return services.messages


async def send_message(sms, message=STATUS, ending=None):
    """Enqueue and claim a message, record a result if given, and return its id."""
    await sms.send(message)
    (claimed,) = await sms.claim("w1", 1)
    if ending:
        await sms.record_result(claimed.id, ending)
    return claimed.id


SENT, UNKNOWN = SendResult("sent", "ATXid_1"), SendResult("unknown", error="NoAnswerInTime")


async def stage(sms, message=1):
    state = await sms.state(message)
    return state.stage, state.reason


async def stored_reports(services):
    asked = select(delivery_reports).order_by(delivery_reports.c.id)
    return [
        (row.provider_id, row.provider_status, row.message, row.msisdn_hash)
        for row in await services.database.fetch(asked)
    ]


@pytest.mark.parametrize(
    ("word", "reason", "stage_of_it"),
    [
        ("Sent", "", ("sent", "")),
        ("Submitted", "", ("submitted", "")),
        ("Buffered", "", ("buffered", "")),
        ("AbsentSubscriber", "", ("buffered", "")),
        ("Expired", "", ("expired", "")),
        ("Success", "", ("delivered", "")),
        ("Failed", "DeliveryFailure", ("failed", "DeliveryFailure")),
        ("Rejected", "UserInBlackList", ("failed", "UserInBlackList")),
        ("Teleported", "", ("sent", "")),
    ],
)
async def test_how_far_a_message_has_come_can_be_seen_from_the_queue_to_the_handset(
    sms_messages, word, reason, stage_of_it
):
    assert await sms_messages.state(1) is None
    await sms_messages.send(STATUS)
    assert await stage(sms_messages) == ("queued", "")
    await sms_messages.claim("w1", 1)
    assert await stage(sms_messages) == ("sending", "")
    await sms_messages.record_result(1, SendResult("sent", "ATXid_1", "KES 0.8000"))
    assert await stage(sms_messages) == ("sent", "")
    assert await sms_messages.record_report(build_report(word, reason=reason)) == 1
    assert await stage(sms_messages) == stage_of_it
    state = await sms_messages.state(1)
    assert (state.to, state.cost, state.provider_id) == ("…001", "KES 0.8000", "ATXid_1")


async def test_what_did_not_go_out_says_why(sms_messages, clock):
    await send_message(sms_messages, ending=SendResult("failed", error="UserInBlacklist"))
    assert await stage(sms_messages) == ("failed", "UserInBlacklist")
    await sms_messages.send(Message(RAHIMA, "482913", "code", "s1:2/code"))
    clock.advance(minutes=11)
    await sms_messages.claim("w1", 1)
    assert await stage(sms_messages, 2) == ("dropped", "TooLate")
    await send_message(sms_messages, Message(RAHIMA, "x", "info", "s1:3"), UNKNOWN)
    assert await stage(sms_messages, 3) == ("unknown", "NoAnswerInTime")


async def test_in_whatever_order_reports_come_the_same_counts_in_the_end(sms_messages):
    orders = list(permutations(["Sent", "Submitted", "Buffered", "Success"]))
    for number, order in enumerate(orders, 1):
        await send_message(
            sms_messages, Message(RAHIMA, "x", "info", f"s{number}"), SendResult("sent", f"ATXid_{number}")
        )
        for word in order:
            await sms_messages.record_report(build_report(word, f"ATXid_{number}"))
    assert {await stage(sms_messages, number) for number in range(1, len(orders) + 1)} == {("delivered", "")}


async def test_of_two_final_reports_the_first_counts(sms_messages):
    await send_message(sms_messages, ending=SENT)
    for word in ("Failed", "Success", "Rejected"):
        await sms_messages.record_report(build_report(word, reason="DeliveryFailure" if word == "Failed" else ""))
    assert await stage(sms_messages) == ("failed", "DeliveryFailure")


async def test_the_moment_and_the_network_are_those_of_the_report_that_counts(sms_messages, services, clock):
    await send_message(sms_messages, ending=SENT)
    clock.advance(seconds=30)
    await sms_messages.record_report(build_report("Success", network="63902"))
    delivered = clock.now
    clock.advance(seconds=30)
    await sms_messages.record_report(build_report("Sent", network="63903"))
    row = (await services.database.fetch(select(messages))).one()
    assert (row.reported_at, row.network) == (delivered, "63902")


async def test_a_report_heard_many_times_at_once_is_one(sms_messages, services):
    await send_message(sms_messages, ending=SENT)
    said = [build_report(word) for word in ("Success", "Sent", "Buffered") for _ in range(6)]
    assert await asyncio.gather(*map(sms_messages.record_report, said)) == [1] * 18
    assert await stage(sms_messages) == ("delivered", "")
    assert sorted(await stored_reports(services)) == [
        ("ATXid_1", "Buffered", 1, None),
        ("ATXid_1", "Sent", 1, None),
        ("ATXid_1", "Success", 1, None),
    ]


async def test_a_report_that_overtakes_the_answer_waits_for_it(sms_messages, services):
    await send_message(sms_messages)
    assert await sms_messages.record_report(build_report("Sent")) is None
    assert await sms_messages.record_report(build_report("Success")) is None
    assert await stage(sms_messages) == ("sending", "")
    await sms_messages.record_result(1, SENT)
    assert await stage(sms_messages) == ("delivered", "")
    assert await stored_reports(services) == [("ATXid_1", "Sent", 1, None), ("ATXid_1", "Success", 1, None)]


async def test_however_report_and_answer_race_they_find_each_other(sms_messages):
    ids = range(1, 61)
    for number in ids:
        await sms_messages.send(Message(f"+88017110{number:05}", "x", "info", f"s{number}"))
    await sms_messages.claim("w1", 100)
    races = []
    for number in ids:
        races += [
            sms_messages.record_result(number, SendResult("sent", f"ATXid_{number}")),
            sms_messages.record_report(build_report("Success", f"ATXid_{number}", number=f"+88017110{number:05}")),
            sms_messages.record_report(build_report("Sent", f"ATXid_{number}", number=f"+88017110{number:05}")),
        ]
    await asyncio.gather(*races)
    assert {await stage(sms_messages, number) for number in ids} == {("delivered", "")}


async def test_a_report_under_an_id_nobody_knows_settles_the_unknown_message_to_that_number(sms_messages, services):
    await send_message(sms_messages, ending=UNKNOWN)
    await send_message(sms_messages, Message(KARIM, "x", "info", "s2"), UNKNOWN)
    assert await sms_messages.record_report(build_report("Sent", "ATXid_9")) == 1
    assert await stage(sms_messages) == ("sent", "")
    assert await sms_messages.record_report(build_report("Success", "ATXid_9")) == 1
    assert await stage(sms_messages) == ("delivered", "")
    assert await stage(sms_messages, 2) == ("unknown", "NoAnswerInTime")


async def test_each_unknown_message_to_a_number_is_settled_by_a_report_of_its_own(sms_messages):
    for number in range(3):
        await send_message(sms_messages, Message(RAHIMA, "x", "info", f"s{number}"), UNKNOWN)
    assert [await sms_messages.record_report(build_report("Success", f"ATXid_{number}")) for number in range(5)] == [
        1,
        2,
        3,
        None,
        None,
    ]


async def test_while_another_is_in_the_air_to_that_number_the_report_may_be_that_ones(sms_messages):
    await send_message(sms_messages, ending=UNKNOWN)
    await send_message(sms_messages, Message(RAHIMA, "y", "info", "s2"))
    assert await sms_messages.record_report(build_report("Success", "ATXid_2")) is None
    await sms_messages.record_result(2, SendResult("sent", "ATXid_2"))
    assert await stage(sms_messages, 2) == ("delivered", "")
    assert await stage(sms_messages, 1) == ("unknown", "NoAnswerInTime")


async def test_what_a_dead_worker_had_sent_is_found_out_by_the_report_that_had_come_meanwhile(sms_messages, clock):
    await send_message(sms_messages)
    assert await sms_messages.record_report(build_report("Success", "ATXid_7")) is None
    clock.advance(minutes=6)
    assert await sms_messages.recover_abandoned(timedelta(minutes=5)) == 1
    assert await stage(sms_messages) == ("delivered", "")
    assert (await sms_messages.state(1)).provider_id == "ATXid_7"


async def test_a_report_from_before_a_message_was_written_is_not_about_it(sms_messages, clock):
    await sms_messages.record_report(build_report("Success", "ATXid_7"))
    clock.advance(minutes=1)
    await send_message(sms_messages, ending=UNKNOWN)
    await sms_messages.recover_abandoned(timedelta(minutes=5))
    assert await stage(sms_messages) == ("unknown", "NoAnswerInTime")


async def test_after_two_days_a_number_alone_tells_nothing_any_more(sms_messages, clock):
    await send_message(sms_messages, ending=UNKNOWN)
    clock.advance(hours=49)
    assert await sms_messages.record_report(build_report("Success", "ATXid_7")) is None


async def test_a_report_without_a_number_tells_nothing_of_a_message_without_an_id(sms_messages):
    await send_message(sms_messages, ending=UNKNOWN)
    assert await sms_messages.record_report(build_report("Success", "ATXid_7", number="")) is None


async def test_what_a_process_left_unmatched_when_it_died_is_matched_by_the_sweep(sms_messages, services):
    await send_message(sms_messages, ending=SENT)
    await sms_messages.record_report(build_report("Success"))
    async with services.database.transaction() as transaction:  # as if it had died before it looked
        await transaction.execute(update(delivery_reports).values(message=None))
        await transaction.execute(update(messages).values(delivery=None))
    await sms_messages.recover_abandoned(timedelta(minutes=5))
    assert await stage(sms_messages) == ("delivered", "")


async def test_a_repeat_that_a_report_made_needless_is_not_made(sms_messages, clock):
    await send_message(sms_messages, Message(RAHIMA, "1234 5678 9012", "receipt", "s1"))
    await sms_messages.record_report(build_report("Success", "ATXid_7"))
    await sms_messages.record_result(1, UNKNOWN)
    clock.advance(minutes=20)
    await sms_messages.recover_abandoned(timedelta(minutes=5))
    assert await stage(sms_messages) == ("delivered", "")
    assert await sms_messages.claim("w1", 1) == []


async def test_unmatched_reports_are_few_and_do_not_stay_for_ever(sms_messages, services, clock, monkeypatch):
    assert MAX_UNMATCHED == 10_000
    monkeypatch.setattr(reports, "_DELETE_EXCESS", reports._build_delete_excess(5))
    await send_message(sms_messages, ending=SENT)
    await sms_messages.record_report(build_report("Success"))
    for number in range(2, 12):
        clock.advance(seconds=1)
        await sms_messages.record_report(build_report("Sent", f"ATXid_{number}"))
    assert [provider_id for provider_id, *_ in await stored_reports(services)] == [
        "ATXid_1",
        *(f"ATXid_{n}" for n in range(7, 12)),
    ]
    clock.now += timedelta(days=3, seconds=1)
    assert await build_retention(services.database, clock).delete_expired() == 5
    assert await stored_reports(services) == [("ATXid_1", "Success", 1, None)], "the matched one stays"


async def test_nothing_in_the_table_of_reports_tells_whose_they_are(sms_messages, services):
    await sms_messages.record_report(build_report("Success", network="63902"))
    (row,) = await services.database.fetch(select(delivery_reports))
    assert RAHIMA[1:] not in str(row)
    assert row.msisdn_hash == CIPHER.keyed_hash("report", RAHIMA)


async def test_what_could_not_be_read_is_kept_sealed_the_newest_thousand(database, clock):
    unread = UnparsedWebhooks(database, CIPHER, clock=clock)
    await unread.record("/sms/africastalking/optout", "It has no number.", {"phoneNumber": "রহিমা"})
    (one,) = await unread.list_newest()
    assert (one.route, one.reason, one.fields, one.received_at) == (
        "/sms/africastalking/optout",
        "It has no number.",
        {"phoneNumber": "রহিমা"},
        clock.now,
    )
    assert "রহিমা" not in repr(one)


async def test_a_flood_of_what_cannot_be_read_floods_itself_away(database, clock, monkeypatch):
    assert MAX_PER_ROUTE == 1000
    monkeypatch.setattr("services.messaging.unparsed_webhooks.MAX_PER_ROUTE", 3)
    unread = UnparsedWebhooks(database, CIPHER, clock=clock)
    for number in range(6):
        await unread.record("/", str(number), {})
    assert [one.reason for one in await unread.list_newest()] == ["5", "4", "3"]


async def test_a_flood_of_one_route_leaves_the_others_alone(database, clock, monkeypatch):
    monkeypatch.setattr("services.messaging.unparsed_webhooks.MAX_PER_ROUTE", 3)
    unread = UnparsedWebhooks(database, CIPHER, clock=clock)
    await unread.record("/sms/africastalking", "before", {})
    for number in range(6):
        await unread.record("/", str(number), {})
        await unread.record("/other", str(number), {})
    assert [one.reason for one in await unread.list_newest()] == ["5", "5", "4", "4", "3", "3", "before"]
