"""Delivery reports meet their messages: late, twice, backwards, at once, before the answer, and under ids nobody knows."""

import asyncio
from datetime import timedelta
from itertools import permutations

import pytest
from sqlalchemy import select, update

from services.messages import Delivery, Ending, Message, Report, reports
from services.messages.reports import KEPT_UNMATCHED, MOST_UNMATCHED
from services.records.tables import delivery_reports, messages
from services.unread import MOST, UnreadCallbacks
from sms.providers.africastalking import DELIVERIES
from tests.desk import KARIM, RAHIMA, SEAL

STATUS = Message(RAHIMA, "আপনার আবেদন গ্রহণ করা হয়েছে", "info", "s1:9/info")


def told(word, provider_id="ATXid_1", reason="", number=RAHIMA, network=""):
    return Report(provider_id, DELIVERIES.get(word, Delivery.UNHEARD_OF), word, reason, number, network)


@pytest.fixture
def sms(desk):
    return desk.messages


async def sends(sms, message=STATUS, ending=None):
    """Queue it, claim it and, where an ending is given, settle it; its id."""
    await sms.send(message)
    (claimed,) = await sms.claim("w1", 1)
    if ending:
        await sms.settle(claimed.id, ending)
    return claimed.id


SENT, UNKNOWN = Ending("sent", "ATXid_1"), Ending("unknown", error="NoAnswerInTime")


async def stage(sms, message=1):
    state = await sms.state(message)
    return state.stage, state.reason


async def kept(desk):
    asked = select(delivery_reports).order_by(delivery_reports.c.id)
    return [(row.provider_id, row.word, row.message, row.number_key) for row in await desk.records.read(asked)]


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
async def test_how_far_a_message_has_come_can_be_seen_from_the_queue_to_the_handset(sms, word, reason, stage_of_it):
    assert await sms.state(1) is None
    await sms.send(STATUS)
    assert await stage(sms) == ("queued", "")
    await sms.claim("w1", 1)
    assert await stage(sms) == ("sending", "")
    await sms.settle(1, Ending("sent", "ATXid_1", "KES 0.8000"))
    assert await stage(sms) == ("sent", "")
    assert await sms.report(told(word, reason=reason)) == 1
    assert await stage(sms) == stage_of_it
    state = await sms.state(1)
    assert (state.to, state.cost, state.provider_id) == ("…001", "KES 0.8000", "ATXid_1")


async def test_what_did_not_go_out_says_why(sms, clock):
    await sends(sms, ending=Ending("failed", error="UserInBlacklist"))
    assert await stage(sms) == ("failed", "UserInBlacklist")
    await sms.send(Message(RAHIMA, "482913", "code", "s1:2/code"))
    clock.moves(minutes=11)
    await sms.claim("w1", 1)
    assert await stage(sms, 2) == ("dropped", "TooLate")
    await sends(sms, Message(RAHIMA, "x", "info", "s1:3"), UNKNOWN)
    assert await stage(sms, 3) == ("unknown", "NoAnswerInTime")


async def test_in_whatever_order_reports_come_the_same_counts_in_the_end(sms):
    orders = list(permutations(["Sent", "Submitted", "Buffered", "Success"]))
    for number, order in enumerate(orders, 1):
        await sends(sms, Message(RAHIMA, "x", "info", f"s{number}"), Ending("sent", f"ATXid_{number}"))
        for word in order:
            await sms.report(told(word, f"ATXid_{number}"))
    assert {await stage(sms, number) for number in range(1, len(orders) + 1)} == {("delivered", "")}


async def test_of_two_final_reports_the_first_counts(sms):
    await sends(sms, ending=SENT)
    for word in ("Failed", "Success", "Rejected"):
        await sms.report(told(word, reason="DeliveryFailure" if word == "Failed" else ""))
    assert await stage(sms) == ("failed", "DeliveryFailure")


async def test_the_moment_and_the_network_are_those_of_the_report_that_counts(sms, desk, clock):
    await sends(sms, ending=SENT)
    clock.moves(seconds=30)
    await sms.report(told("Success", network="63902"))
    delivered = clock.now
    clock.moves(seconds=30)
    await sms.report(told("Sent", network="63903"))
    row = (await desk.records.read(select(messages))).one()
    assert (row.reported_at, row.network) == (delivered, "63902")


async def test_a_report_heard_many_times_at_once_is_one(sms, desk):
    await sends(sms, ending=SENT)
    said = [told(word) for word in ("Success", "Sent", "Buffered") for _ in range(6)]
    assert await asyncio.gather(*map(sms.report, said)) == [1] * 18
    assert await stage(sms) == ("delivered", "")
    assert sorted(await kept(desk)) == [
        ("ATXid_1", "Buffered", 1, None),
        ("ATXid_1", "Sent", 1, None),
        ("ATXid_1", "Success", 1, None),
    ]


async def test_a_report_that_overtakes_the_answer_waits_for_it(sms, desk):
    await sends(sms)
    assert await sms.report(told("Sent")) is None
    assert await sms.report(told("Success")) is None
    assert await stage(sms) == ("sending", "")
    await sms.settle(1, SENT)
    assert await stage(sms) == ("delivered", "")
    assert await kept(desk) == [("ATXid_1", "Sent", 1, None), ("ATXid_1", "Success", 1, None)]


async def test_however_report_and_answer_race_they_find_each_other(sms):
    ids = range(1, 61)
    for number in ids:
        await sms.send(Message(f"+88017110{number:05}", "x", "info", f"s{number}"))
    await sms.claim("w1", 100)
    races = []
    for number in ids:
        races += [
            sms.settle(number, Ending("sent", f"ATXid_{number}")),
            sms.report(told("Success", f"ATXid_{number}", number=f"+88017110{number:05}")),
            sms.report(told("Sent", f"ATXid_{number}", number=f"+88017110{number:05}")),
        ]
    await asyncio.gather(*races)
    assert {await stage(sms, number) for number in ids} == {("delivered", "")}


async def test_a_report_under_an_id_nobody_knows_settles_the_unknown_message_to_that_number(sms, desk):
    await sends(sms, ending=UNKNOWN)
    await sends(sms, Message(KARIM, "x", "info", "s2"), UNKNOWN)
    assert await sms.report(told("Sent", "ATXid_9")) == 1
    assert await stage(sms) == ("sent", "")
    assert await sms.report(told("Success", "ATXid_9")) == 1
    assert await stage(sms) == ("delivered", "")
    assert await stage(sms, 2) == ("unknown", "NoAnswerInTime")


async def test_each_unknown_message_to_a_number_is_settled_by_a_report_of_its_own(sms):
    for number in range(3):
        await sends(sms, Message(RAHIMA, "x", "info", f"s{number}"), UNKNOWN)
    assert [await sms.report(told("Success", f"ATXid_{number}")) for number in range(5)] == [1, 2, 3, None, None]


async def test_while_another_is_in_the_air_to_that_number_the_report_may_be_that_ones(sms):
    await sends(sms, ending=UNKNOWN)
    await sends(sms, Message(RAHIMA, "y", "info", "s2"))
    assert await sms.report(told("Success", "ATXid_2")) is None
    await sms.settle(2, Ending("sent", "ATXid_2"))
    assert await stage(sms, 2) == ("delivered", "")
    assert await stage(sms, 1) == ("unknown", "NoAnswerInTime")


async def test_what_a_dead_worker_had_sent_is_found_out_by_the_report_that_had_come_meanwhile(sms, clock):
    await sends(sms)
    assert await sms.report(told("Success", "ATXid_7")) is None
    clock.moves(minutes=6)
    assert await sms.sweep(timedelta(minutes=5)) == 1
    assert await stage(sms) == ("delivered", "")
    assert (await sms.state(1)).provider_id == "ATXid_7"


async def test_a_report_from_before_a_message_was_written_is_not_about_it(sms, clock):
    await sms.report(told("Success", "ATXid_7"))
    clock.moves(minutes=1)
    await sends(sms, ending=UNKNOWN)
    await sms.sweep(timedelta(minutes=5))
    assert await stage(sms) == ("unknown", "NoAnswerInTime")


async def test_after_two_days_a_number_alone_tells_nothing_any_more(sms, clock):
    await sends(sms, ending=UNKNOWN)
    clock.moves(hours=49)
    assert await sms.report(told("Success", "ATXid_7")) is None


async def test_a_report_without_a_number_tells_nothing_of_a_message_without_an_id(sms):
    await sends(sms, ending=UNKNOWN)
    assert await sms.report(told("Success", "ATXid_7", number="")) is None


async def test_what_a_process_left_unmatched_when_it_died_is_matched_by_the_sweep(sms, desk):
    await sends(sms, ending=SENT)
    await sms.report(told("Success"))
    async with desk.records.transaction() as transaction:  # as if it had died before it looked
        await transaction.execute(update(delivery_reports).values(message=None))
        await transaction.execute(update(messages).values(delivery=None))
    await sms.sweep(timedelta(minutes=5))
    assert await stage(sms) == ("delivered", "")


async def test_a_repeat_that_a_report_made_needless_is_not_made(sms, clock):
    await sends(sms, Message(RAHIMA, "1234 5678 9012", "receipt", "s1"))
    await sms.report(told("Success", "ATXid_7"))
    await sms.settle(1, UNKNOWN)
    clock.moves(minutes=20)
    await sms.sweep(timedelta(minutes=5))
    assert await stage(sms) == ("delivered", "")
    assert await sms.claim("w1", 1) == []


async def test_unmatched_reports_are_few_and_do_not_stay_for_ever(sms, desk, clock, monkeypatch):
    assert MOST_UNMATCHED == 10_000
    monkeypatch.setattr(reports, "_TOO_MANY", reports._too_many(5))
    await sends(sms, ending=SENT)
    await sms.report(told("Success"))
    for number in range(2, 12):
        clock.moves(seconds=1)
        await sms.report(told("Sent", f"ATXid_{number}"))
    assert [provider_id for provider_id, *_ in await kept(desk)] == ["ATXid_1", *(f"ATXid_{n}" for n in range(7, 12))]
    clock.now += KEPT_UNMATCHED + timedelta(seconds=1)
    await sms.sweep(timedelta(minutes=5))
    assert await kept(desk) == [("ATXid_1", "Success", 1, None)], "the matched one stays"


async def test_nothing_in_the_table_of_reports_tells_whose_they_are(sms, desk):
    await sms.report(told("Success", network="63902"))
    (row,) = await desk.records.read(select(delivery_reports))
    assert RAHIMA[1:] not in str(row)
    assert row.number_key == SEAL.name("report", RAHIMA)


async def test_what_could_not_be_read_is_kept_sealed_the_newest_thousand(records, clock):
    unread = UnreadCallbacks(records, SEAL, clock=clock)
    await unread.keep("/sms/africastalking/optout", "It has no number.", {"phoneNumber": "রহিমা"})
    (one,) = await unread.newest()
    assert (one.route, one.why, one.fields, one.heard) == (
        "/sms/africastalking/optout",
        "It has no number.",
        {"phoneNumber": "রহিমা"},
        clock.now,
    )
    assert "রহিমা" not in repr(one)


async def test_a_flood_of_what_cannot_be_read_floods_itself_away(records, clock, monkeypatch):
    assert MOST == 1000
    monkeypatch.setattr("services.unread.MOST", 3)
    unread = UnreadCallbacks(records, SEAL, clock=clock)
    for number in range(6):
        await unread.keep("/", str(number), {})
    assert [one.why for one in await unread.newest()] == ["5", "4", "3"]
