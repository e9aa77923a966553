"""What is not answered in time goes to the next level: once, whatever process finds it, and never above the last."""

import asyncio

import pytest
from sqlalchemy import select

from services.complaints import Escalation
from services.records.tables import audit, complaint_events, complaints
from tests.desk import RAHIMA
from tests.grievances import HEAD, LOCAL_GOVERNMENT, TELLS, House, Offices


@pytest.fixture
def house(desk) -> House:
    return House(desk)


async def test_nothing_is_raised_before_the_promised_day_is_over_where_the_office_is(house, clock):
    await house.complains()
    clock.moves(days=5, hours=11, minutes=59)  # 26 November, 23:59 in Dhaka
    assert await house.escalation.step() == 0
    clock.moves(minutes=1)
    assert await house.escalation.step() == 1


async def test_a_late_complaint_is_raised_once_with_an_event_an_audit_and_a_word_to_both(house, records, clock):
    number = await house.complains()
    await house.desk.sent()
    clock.moves(days=6)
    assert [await house.escalation.step() for _ in range(3)] == [1, 0, 0]
    status = await house.following.complaint(number)
    assert (status.status, status.level, status.officer) == ("escalated", 1, HEAD)
    ((to, language, text, facts),) = await house.desk.sent()
    assert (to, language, text) == (RAHIMA, "bn", "complaint_escalated")
    assert (facts["officer"], facts["answer_by"]) == (HEAD, "2026-12-07")
    ((address, text, facts),) = await house.letters()
    assert (address, text, facts["complaint"], facts["service"]) == (
        TELLS,
        "complaint_escalated",
        number,
        "birth_certificate",
    )
    assert facts["answer_by"] == "2026-11-26", "the day that was missed"
    assert RAHIMA not in str(facts)
    acts = select(audit.c.actor_kind, audit.c.details).where(audit.c.act == "complaint_moved")
    assert [(one.actor_kind, one.details["level"]) for one in await records.read(acts)] == [("gateway", "1")]


async def test_at_the_last_level_it_stays_and_that_is_said_once(house, clock, records):
    number = await house.complains()
    told = []
    for _ in range(4):
        clock.moves(days=30)
        await house.escalation.step()
        told += [text for _, _, text, _ in await house.desk.sent()]
    assert told == ["complaint_escalated", "complaint_last"]
    status = await house.following.complaint(number)
    assert (status.status, status.level) == ("escalated", 1)
    statuses = [row.status for row in await records.read(select(complaint_events).order_by(complaint_events.c.id))]
    assert statuses == ["received", "escalated", "escalated"]
    await house.cases.move("local_government", number, "answered", {"en": "Done"}, "k1")
    assert (await house.following.complaint(number)).status == "answered", "it can still be answered"


async def test_processes_that_look_at_once_raise_each_complaint_once(house, clock, records):
    for place in range(7):
        await house.complains(f"s:{place}")
    await house.desk.sent()
    clock.moves(days=6)
    found = await asyncio.gather(*(house.escalation.step() for _ in range(4)))
    assert sum(found) == 7
    assert len(await house.desk.sent()) == 7
    levels = (await records.read(select(complaints.c.level))).scalars().all()
    assert levels == [1] * 7


class Dies:
    """Messages of a process that ends before the SMS is written."""

    async def queue(self, *_) -> None:
        raise ConnectionResetError


async def test_a_process_that_dies_on_the_way_leaves_it_to_the_next(house, clock):
    number = await house.complains()
    await house.desk.sent()
    clock.moves(days=6)
    dying = House(house.desk)
    dying.escalation._moving._messages = Dies()
    with pytest.raises(ConnectionResetError):
        await dying.escalation.step()
    assert (await house.following.complaint(number)).status == "received"
    assert await house.escalation.step() == 1
    assert len(await house.desk.sent()) == 1


async def test_what_is_answered_or_of_before_is_never_raised(house, clock, records):
    number = await house.complains()
    await house.cases.move("local_government", number, "answered", {"en": "Done"}, "k1")
    clock.moves(days=400)
    assert await house.escalation.step() == 0


async def test_under_review_is_no_answer(house, clock):
    number = await house.complains()
    await house.cases.move("local_government", number, "under_review", {}, "k1")
    clock.moves(days=6)
    assert await house.escalation.step() == 1
    assert (await house.following.complaint(number)).level == 1


async def test_without_an_address_nobody_is_written_to_and_without_posts_levels_have_names(desk, clock):
    house = House(desk, Offices())
    await house.complains()
    await desk.sent()
    clock.moves(days=8)
    assert await house.escalation.step() == 1
    ((_, _, _, facts),) = await desk.sent()
    assert (facts["officer"], facts["level"]) == ({}, 1)
    assert await house.letters() == []


async def test_where_no_mail_is_sent_the_citizen_is_told_all_the_same(desk, clock):
    house = House(desk)
    await house.complains()
    await desk.sent()
    clock.moves(days=6)
    silent = Escalation(desk.records, desk.messages, house.escalation._moving, house.offices, clock=clock)
    assert await silent.step() == 1
    assert (len(await desk.sent()), await house.letters()) == (1, [])


async def test_a_department_that_has_fewer_levels_than_before_keeps_what_it_has(desk, clock):
    before = House(desk, Offices())
    number = await before.complains()
    for _ in range(2):
        clock.moves(days=16)
        await before.escalation.step()
    now = House(desk, Offices(local_government=LOCAL_GOVERNMENT))
    assert (await now.following.complaint(number)).level == 2
    clock.moves(days=30)
    assert await now.escalation.step() == 1
    assert (await now.following.complaint(number)).level == 2
