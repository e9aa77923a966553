"""Applications: handed in once, followed by anyone who has the number, moved by their own department alone."""

import asyncio
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from stdnum import damm

from services.applications import (
    STATUSES,
    Applications,
    Event,
    Filed,
    Following,
    Moved,
    NotMoved,
    NumbersExhausted,
    Receipt,
    Status,
)
from services.records.tables import application_events, applications, messages
from tests.desk import KARIM, RAHIMA, SEAL, birth_certificate, say

LAND = "land"
OURS = "local_government"


@pytest.fixture
async def account(desk):
    return await desk.registers()


@pytest.fixture
async def number(desk, account):
    receipt = await desk.applications.submit(birth_certificate(account), "s1:30")
    await desk.sent()
    return receipt.tracking_number


async def test_an_application_gets_a_number_a_day_and_an_sms_with_both(desk, account):
    receipt = await desk.applications.submit(birth_certificate(account), "s1:30")
    number = receipt.tracking_number
    assert receipt.promised == date(2026, 11, 28)
    assert len(number) == 12
    assert damm.is_valid(number)
    facts = {"service": "birth_certificate", "number": number, "date": "2026-11-21", "promised": "2026-11-28"}
    facts |= {"bring": [], "bring_to": "", "due": None, "to_pay_at": "", "to_pay_here": [5000, "BDT"]}
    assert await desk.sent() == [(RAHIMA, "bn", "received", facts)]
    assert await desk.following.status(number) == Status(
        number, "birth_certificate", "received", date(2026, 11, 21), date(2026, 11, 28), {}
    )


async def test_the_same_effect_again_gets_the_same_receipt_and_no_second_sms(desk, account):
    first = await desk.applications.submit(birth_certificate(account), "s1:30")
    again = await asyncio.gather(*(desk.applications.submit(birth_certificate(account), "s1:30") for _ in range(5)))
    assert set(again) == {first}
    assert [await desk.count(table) for table in (applications, application_events, messages)] == [1, 1, 1]


async def test_the_same_effect_at_once_is_one_application(desk, account):
    receipts = await asyncio.gather(*(desk.applications.submit(birth_certificate(account), "s1:30") for _ in range(10)))
    assert len(set(receipts)) == 1
    assert [await desk.count(table) for table in (applications, application_events, messages)] == [1, 1, 1]


async def test_many_applications_at_once_get_a_number_each(desk, account):
    new = birth_certificate(account)
    receipts = await asyncio.gather(*(desk.applications.submit(new, f"s{call}:30") for call in range(60)))
    assert len({receipt.tracking_number for receipt in receipts}) == 60


async def test_a_number_that_is_in_use_is_drawn_again(desk, account, monkeypatch):
    drawn = iter(["000000000000", "000000000000", "111111111111"])
    monkeypatch.setattr("services.applications.handing_in.tracking_number", lambda: next(drawn))
    receipts = [await desk.applications.submit(birth_certificate(account), effect) for effect in ("s1:30", "s2:30")]
    assert [receipt.tracking_number for receipt in receipts] == ["000000000000", "111111111111"]


async def test_chance_that_does_not_work_is_said_and_nothing_is_recorded(desk, account, monkeypatch):
    monkeypatch.setattr("services.applications.handing_in.tracking_number", lambda: "000000000000")
    await desk.applications.submit(birth_certificate(account), "s1:30")
    with pytest.raises(NumbersExhausted, match="source of chance"):
        await desk.applications.submit(birth_certificate(account), "s2:30")
    assert await desk.count(messages) == 1


@pytest.mark.parametrize(
    ("moment", "zone", "promised"),
    [
        (datetime(2026, 11, 21, 17, 59, tzinfo=UTC), "Asia/Dhaka", date(2026, 11, 28)),
        (datetime(2026, 11, 21, 18, 0, tzinfo=UTC), "Asia/Dhaka", date(2026, 11, 29)),
        (datetime(2026, 11, 21, 18, 29, tzinfo=UTC), "Asia/Kolkata", date(2026, 11, 28)),
        (datetime(2026, 2, 25, 6, 0, tzinfo=UTC), "Asia/Dhaka", date(2026, 3, 4)),
        (
            datetime(2026, 10, 24, 21, 59, tzinfo=UTC),
            "Europe/Amsterdam",
            date(2026, 10, 31),
        ),  # the clocks go back that night
        (datetime(2026, 10, 24, 22, 1, tzinfo=UTC), "Europe/Amsterdam", date(2026, 11, 1)),
        (datetime(2026, 3, 29, 21, 59, tzinfo=UTC), "Europe/Amsterdam", date(2026, 4, 5)),  # they went forward that day
        (datetime(2026, 3, 29, 22, 1, tzinfo=UTC), "Europe/Amsterdam", date(2026, 4, 6)),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_days_are_counted_where_the_office_stands(desk, account, moment, zone, promised):
    desk.clock.now = moment
    zone_of = {"local_government": ZoneInfo(zone)}.__getitem__
    there = Applications(desk.records, desk.messages, SEAL, say, zone_of, clock=desk.clock)
    receipt = await there.submit(birth_certificate(account), "s1:30")
    status = await Following(desk.records, desk.messages, say, zone_of, clock=desk.clock).status(
        receipt.tracking_number
    )
    assert (receipt.promised, status.promised) == (promised, promised)
    assert (promised - status.changed).days == 7


async def test_a_number_nobody_has_is_followed_to_nothing(desk):
    assert await desk.following.status("000000000000") is None


async def test_many_at_once_follow_each_their_own(desk, account):
    receipts = [await desk.applications.submit(birth_certificate(account), f"s{call}:30") for call in range(5)]
    numbers = [receipt.tracking_number for receipt in receipts] * 20 + ["000000000000"]
    followed = await asyncio.gather(*map(desk.following.status, numbers))
    assert [status and status.number for status in followed] == [*numbers[:-1], None]


async def test_ones_own_are_listed_newest_first_and_at_most_twenty(desk, account):
    other = await desk.registers(KARIM, effect="s2:9")
    await desk.applications.submit(birth_certificate(other, KARIM), "s2:30")
    receipts = [await desk.applications.submit(birth_certificate(account), f"s3:{call}") for call in range(22)]
    own = await desk.following.own(account)
    assert [status.number for status in own] == [receipt.tracking_number for receipt in receipts[:1:-1]]
    assert len(await desk.following.own(other)) == 1


async def test_a_status_is_sent_by_sms_once_to_whoever_asked(desk, number):
    sends = (desk.following.send_status(KARIM, number, "hi", "s9:5") for _ in range(3))
    assert await asyncio.gather(*sends) == [True] * 3
    [(to, language, text, facts)] = await desk.sent()
    assert (to, language, text) == (KARIM, "hi", "status")
    assert facts == {
        "number": number,
        "service": "birth_certificate",
        "status": "received",
        "note": {},
        "changed": "2026-11-21",
        "promised": "2026-11-28",
        "late": None,
        "delivery": None,
    }


async def test_the_sms_of_a_status_says_that_the_office_s_system_does_not_answer(desk, number):
    async def waits(_: str) -> str:
        return "waiting"

    following = Following(desk.records, desk.messages, say, lambda _: UTC, waits=waits)
    assert await following.send_status(KARIM, number, "hi", "s9:5")
    await desk.filings.move(OURS, number, "under_review", {}, "key-1")
    assert await following.send_status(KARIM, number, "hi", "s9:6")
    said = [facts["delivery"] for _, _, text, facts in await desk.sent() if text == "status"]
    assert said == ["waiting", None], "an application that the office has moved is there"


async def test_the_status_of_nothing_is_not_sent(desk):
    assert not await desk.following.send_status(KARIM, "000000000000", "hi", "s9:5")
    assert await desk.sent() == []


async def test_a_department_reads_the_whole_of_its_own_applications_and_nothing_of_others(desk, number, clock):
    filed = await desk.filings.filed(OURS, number)
    assert isinstance(filed, Filed)
    assert filed.form == {"child": "আয়েশা", "nid": "19950000000000001"}
    assert (filed.number, filed.service, filed.status, filed.received) == (
        RAHIMA,
        "birth_certificate",
        "received",
        clock.now,
    )
    assert filed.events == (Event("received", {}, clock.now),)
    assert await desk.filings.filed(LAND, number) is None
    assert await desk.filings.filed(OURS, "000000000000") is None


async def test_a_moved_application_is_what_tracking_shows_next_and_the_citizen_is_told(desk, number, clock):
    clock.moves(days=2)
    note = {"en": "Bring two photographs", "bn": "দুটি ছবি আনুন"}
    moved = await desk.filings.move(OURS, number, "ready", note, "key-1")
    assert moved == Moved(number, "ready", note, clock.now)
    assert await desk.following.status(number) == Status(
        number, "birth_certificate", "ready", date(2026, 11, 23), date(2026, 11, 28), note
    )
    facts = {"number": number, "service": "birth_certificate", "status": "ready", "note": note}
    assert await desk.sent() == [(RAHIMA, "bn", "moved", facts)]
    filed = await desk.filings.filed(OURS, number)
    assert [event.status for event in filed.events] == ["received", "ready"]


async def test_the_language_of_the_application_is_the_one_the_citizen_is_told_in(desk, number):
    await desk.accounts.choose_language(RAHIMA, "hi", "s7")
    await desk.filings.move(OURS, number, "approved", {}, "key-1")
    assert (await desk.sent())[0][1] == "bn"


async def test_the_same_key_with_the_same_words_moves_once(desk, number, clock):
    first = await desk.filings.move(OURS, number, "ready", {"en": "a", "bn": "b"}, "key-1")
    clock.moves(minutes=5)
    await desk.filings.move(OURS, number, "delivered", {}, "key-2")
    again = await desk.filings.move(OURS, number, "ready", {"bn": "b", "en": "a"}, "key-1")
    assert again == Moved(number, "ready", {"en": "a", "bn": "b"}, first.at, again=True)
    assert (await desk.following.status(number)).status == "delivered"
    assert len(await desk.sent()) == 2


async def test_the_same_key_at_once_moves_once(desk, number):
    both = await asyncio.gather(*(desk.filings.move(OURS, number, "ready", {}, "key-1") for _ in range(8)))
    assert sorted(one.again for one in both) == [False] + [True] * 7
    assert await desk.count(application_events) == 2


@pytest.mark.parametrize(("status", "note"), [("approved", {}), ("ready", {"en": "Come on Monday"})])
async def test_the_same_key_with_other_words_is_a_conflict(desk, number, status, note):
    await desk.filings.move(OURS, number, "ready", {}, "key-1")
    assert await desk.filings.move(OURS, number, status, note, "key-1") == NotMoved("conflict")


async def test_a_key_is_for_one_application(desk, account, number):
    other = (await desk.applications.submit(birth_certificate(account), "s2:30")).tracking_number
    await desk.filings.move(OURS, number, "ready", {}, "key-1")
    assert await desk.filings.move(OURS, other, "ready", {}, "key-1") == NotMoved("conflict")
    assert (await desk.following.status(other)).status == "received"


async def test_one_key_for_many_applications_at_once_moves_one(desk, account):
    new = birth_certificate(account)
    receipts = await asyncio.gather(*(desk.applications.submit(new, f"s{call}:30") for call in range(8)))
    moves = (desk.filings.move(OURS, receipt.tracking_number, "ready", {}, "key-1") for receipt in receipts)
    moved = await asyncio.gather(*moves)
    assert sorted(type(one).__name__ for one in moved) == ["Moved"] + ["NotMoved"] * 7
    assert {one for one in moved if isinstance(one, NotMoved)} == {NotMoved("conflict")}
    assert await desk.count(application_events) == 9


async def test_two_departments_may_use_the_same_key(desk, account, number):
    theirs = (await desk.applications.submit(birth_certificate(account, department=LAND), "s2:30")).tracking_number
    await desk.filings.move(OURS, number, "ready", {}, "key-1")
    assert isinstance(await desk.filings.move(LAND, theirs, "ready", {}, "key-1"), Moved)


async def test_a_department_moves_nobody_elses_application(desk, number):
    assert await desk.filings.move(LAND, number, "ready", {}, "key-1") == NotMoved("unknown")
    assert await desk.filings.move(OURS, "000000000000", "ready", {}, "key-1") == NotMoved("unknown")


async def test_a_status_that_does_not_exist_is_refused(desk, number):
    assert await desk.filings.move(OURS, number, "done", {}, "key-1") == NotMoved("no_such_status")


async def test_every_status_can_be_moved_to_and_two_are_final(desk, account):
    for status in STATUSES:
        receipt = await desk.applications.submit(birth_certificate(account), f"s1:{status}")
        number = receipt.tracking_number
        assert isinstance(await desk.filings.move(OURS, number, status, {}, f"to {status} {number}"), Moved)
        further = await desk.filings.move(OURS, number, "under_review", {}, f"on {number}")
        assert further == NotMoved("final") if status in {"delivered", "withdrawn"} else isinstance(further, Moved)


async def test_what_was_typed_into_a_form_is_nowhere_in_clear(desk, number, database_url, tmp_path):
    await desk.filings.move(OURS, number, "ready", {}, "key-1")
    rows = [(await desk.records.read(select(table))).all() for table in (applications, application_events, messages)]
    kept = str(rows).encode() + b"".join(file.read_bytes() for file in tmp_path.glob("ekdial.db*"))
    assert number.encode() in kept
    assert not [typed for typed in ("19950000000000001", "আয়েশা") if typed.encode() in kept]


async def test_a_form_moved_to_another_application_does_not_open(desk, account, number):
    other = (await desk.applications.submit(birth_certificate(account), "s2:30")).tracking_number
    assert (await desk.filings.filed(OURS, other)).form["child"] == "আয়েশা"
    form = select(applications.c.form).where(applications.c.tracking_number == number).scalar_subquery()
    async with desk.records.transaction() as transaction:
        moved = applications.update().where(applications.c.tracking_number == other).values(form=form)
        await transaction.execute(moved)
    with pytest.raises(Exception, match="sealed with another secret, moved or damaged"):
        await desk.filings.filed(OURS, other)


def test_a_receipt_says_nothing_about_a_person():
    assert set(Receipt.__slots__) == {"tracking_number", "promised", "again"}
    assert RAHIMA not in repr(birth_certificate())


async def test_who_applied_by_sms_gets_the_receipt_at_once_and_as_the_answer(desk, account):
    new = birth_certificate(account, channel="sms")
    assert [(await desk.applications.submit(new, "sms/1:1")).again for _ in range(2)] == [False, True]
    await desk.applications.submit(birth_certificate(account), "s1:30")
    assert [one.kind for one in await desk.messages.claim("w1", 10)] == ["receipt_reply", "receipt"]
