"""Complaints and feedback on each database: recorded once, numbered so that a slip is noticed, sealed, moved, told."""

import asyncio
from datetime import date

import pytest
from sqlalchemy import select
from stdnum import damm

from services.complaints import NotMoved
from services.numbers import tracking_number
from services.pages import Span
from services.records.tables import applications, audit, complaint_events, complaints, feedback
from tests.desk import KARIM, RAHIMA, SEAL, birth_certificate
from tests.grievances import CLERK, HEAD, WORDS, House, complaint, opinion

ANSWER = {"en": "Please come on Monday", "bn": "সোমবার আসুন"}


@pytest.fixture
def house(desk) -> House:
    return House(desk)


async def applied(house: House) -> str:
    submission = birth_certificate(await house.desk.registers())
    return (await house.desk.applications.submit(submission, "s:1")).tracking_number


async def test_a_complaint_gets_a_number_with_a_check_digit_and_is_received(house, records, clock):
    filed = await house.complaints.complain(complaint(reason="money"), "s1:9")
    assert damm.is_valid(filed.complaint_number)
    assert (len(filed.complaint_number), filed.about, filed.promised) == (12, "", date(2026, 11, 26))
    row = (await records.read(select(complaints))).one()
    assert (row.status, row.application, row.created_at) == ("received", None, clock.now)
    assert (row.reason, row.service, row.department) == ("money", "birth_certificate", "local_government")
    assert SEAL.open(row.text, f"complaint:{filed.complaint_number}").decode() == WORDS
    assert WORDS.encode() not in row.text


async def test_its_number_goes_to_the_phone_and_by_sms_the_reply_is_enough(house):
    number = await house.complains()
    ((to, language, text, facts),) = await house.desk.sent()
    assert (to, language, text) == (RAHIMA, "bn", "complaint_received")
    assert (facts["complaint"], facts["answer_by"], facts["officer"]) == (number, "2026-11-26", CLERK)
    await house.complains("sms/1:1", channel="sms")
    assert await house.desk.sent() == []


async def test_it_is_tied_to_the_application_that_has_the_number(house, records):
    about = await applied(house)
    filed = await house.complaints.complain(complaint(about=about, service=""), "sms/1:1")
    assert filed.about == about
    tied = select(applications.c.tracking_number).join(complaints, complaints.c.application == applications.c.id)
    assert (await records.read(tied)).scalars().all() == [about]
    row = (await records.read(select(complaints))).one()
    assert (row.service, row.department) == ("birth_certificate", "local_government")


async def test_a_number_that_nothing_has_ties_it_to_nothing(house, records):
    about = tracking_number()
    assert (await house.complaints.complain(complaint(about=about, service=""), "sms/1:1")).about == ""
    assert (await records.read(select(complaints.c.department))).scalar_one() == "", "it is nobody's in particular"


async def test_the_same_effect_gets_the_same_number_also_at_once(house, records):
    about = await applied(house)
    await house.desk.sent()
    asked = (house.complaints.complain(complaint(about=about), "s1:9") for _ in range(5))
    filed = set(await asyncio.gather(*asked))
    assert len(filed) == 1
    assert filed.pop().about == about
    assert len((await records.read(select(complaints.c.id))).all()) == 1
    assert len((await records.read(select(complaint_events.c.id))).all()) == 1
    assert len(await house.desk.sent()) == 1


async def test_a_feedback_is_kept_once_sealed_and_numbered_also_at_once(house, records):
    given = opinion(rating=2)
    (number,) = set(await asyncio.gather(*(house.complaints.suggest(given, "s1:9") for _ in range(5))))
    row = (await records.read(select(feedback))).one()
    assert (row.feedback_number, row.rating, row.department) == (number, 2, "local_government")
    assert damm.is_valid(number)
    assert await house.complaints.suggest(given, "s2:9") != number
    assert SEAL.open(row.text, "feedback:s1:9").decode() == WORDS


async def test_whoever_has_the_number_learns_where_it_stands_and_nothing_of_the_person(house, clock):
    number = await house.complains(reason="late")
    status = await house.following.complaint(number)
    assert (status.status, status.promised, status.late, status.officer) == ("received", date(2026, 11, 26), 0, CLERK)
    assert status.is_of(RAHIMA)
    assert not status.is_of(KARIM)
    assert RAHIMA not in repr(status)
    clock.moves(days=8)
    assert (await house.following.complaint(number)).late == 3
    assert await house.following.complaint(tracking_number()) is None


async def test_a_feedback_has_a_status_too(house):
    number = await house.complaints.suggest(opinion(), "s1:9")
    given = await house.following.feedback(number)
    assert (given.number, given.day, given.passed_on) == (number, date(2026, 11, 21), False)


async def test_a_department_sees_its_own_complaints_and_no_other(house):
    ours, nobodys = await house.complains("a:1"), await house.complains("b:1", service="")
    page = await house.cases.listed("local_government", Span())
    assert [one.number for one in page.items] == [ours]
    assert [one.number for one in (await house.cases.listed("", Span())).items] == [nobodys]
    assert await house.cases.one("income_tax", ours) is None
    case = await house.cases.one("local_government", ours)
    assert (case.text, case.citizen, case.listed.reason) == (WORDS, RAHIMA, "other")
    assert [event.status for event in case.events] == ["received"]


async def test_the_list_goes_on_where_a_page_ended(house, clock):
    numbers = []
    for place in range(5):
        numbers.append(await house.complains(f"s:{place}"))
        clock.moves(minutes=1)
    first = await house.cases.listed("local_government", Span(most=3))
    second = await house.cases.listed("local_government", Span(after=first.last, most=3))
    assert [one.number for one in (*first.items, *second.items)] == numbers
    assert second.last is None
    await house.cases.move("local_government", numbers[0], "under_review", {}, "k1")
    moved = await house.cases.listed("local_government", Span(), status="under_review")
    assert [one.number for one in moved.items] == numbers[:1]


async def test_an_answer_is_told_to_the_citizen_once_and_awaits_nothing_more(house, records):
    number = await house.complains()
    await house.desk.sent()
    moved = await house.cases.move("local_government", number, "answered", ANSWER, "k1")
    assert (moved.status, moved.again) == ("answered", False)
    again = await house.cases.move("local_government", number, "answered", dict(reversed(ANSWER.items())), "k1")
    assert again.again
    ((to, language, text, facts),) = await house.desk.sent()
    assert (to, language, text, facts["note"]) == (RAHIMA, "bn", "complaint_answered", ANSWER)
    row = (await records.read(select(complaints))).one()
    assert (row.status, row.promised, row.due_at) == ("answered", None, None)
    assert [past.status for past in await house.following.history(number)] == ["answered", "received"]


async def test_what_is_not_a_departments_to_do_is_refused_and_nothing_is_said(house):
    number = await house.complains()
    await house.desk.sent()
    move = house.cases.move
    assert await move("income_tax", number, "answered", {}, "k1") == NotMoved("unknown")
    assert await move("local_government", number, "escalated", {}, "k1") == NotMoved("no_such_status")
    assert not isinstance(await move("local_government", number, "closed", {}, "k1"), NotMoved)
    assert await move("local_government", number, "answered", {}, "k2") == NotMoved("closed")
    assert await move("local_government", number, "answered", {}, "k1") == NotMoved("conflict")
    other = await house.complains("s2:9")
    assert await move("local_government", other, "closed", {}, "k1") == NotMoved("conflict")
    assert [text for _, _, text, _ in await house.desk.sent()] == ["complaint_moved", "complaint_received"]


async def test_moves_at_once_under_one_key_are_one(house):
    number = await house.complains()
    await house.desk.sent()
    moves = (house.cases.move("local_government", number, "under_review", {}, "k1") for _ in range(5))
    moved = await asyncio.gather(*moves)
    assert sorted(one.again for one in moved) == [False, True, True, True, True]
    assert len(await house.desk.sent()) == 1


async def judged(house, number, effect, *, settled, citizen=RAHIMA):
    return await house.verdicts.judge(number, citizen, settled=settled, channel="ussd", effect=effect)


async def test_a_settled_complaint_is_closed_and_a_repeat_says_so_again(house):
    number = await house.complains()
    assert await judged(house, number, "s2:3", settled=True) == "not_answered"
    await house.cases.move("local_government", number, "answered", ANSWER, "k1")
    assert await judged(house, number, "s2:4", settled=True, citizen=KARIM) == "unknown", "only who complained judges"
    assert [await judged(house, number, "s2:5", settled=True) for _ in range(3)] == ["closed"] * 3
    assert (await house.following.complaint(number)).status == "closed"


async def test_what_is_not_settled_goes_to_the_next_level_and_at_the_last_is_looked_at_again(house, records):
    number = await house.complains()
    await house.cases.move("local_government", number, "answered", ANSWER, "k1")
    assert [await judged(house, number, "s2:5", settled=False) for _ in range(2)] == ["raised"] * 2
    status = await house.following.complaint(number)
    assert (status.status, status.level, status.officer, status.promised) == ("escalated", 1, HEAD, date(2026, 12, 1))
    await house.cases.move("local_government", number, "answered", ANSWER, "k2")
    assert [await judged(house, number, "s3:5", settled=False) for _ in range(2)] == ["last"] * 2
    status = await house.following.complaint(number)
    assert (status.status, status.level) == ("under_review", 1)
    told = [text for _, _, text, _ in await house.desk.sent()]
    assert told[-4:] == ["complaint_answered", "complaint_escalated", "complaint_answered", "complaint_again"]


async def test_every_act_is_noted_in_codes_alone(house, records):
    number = await house.complains(about=await applied(house))
    await house.complaints.suggest(opinion(), "s5:1")
    await house.cases.one("local_government", number)
    await house.cases.move("local_government", number, "answered", ANSWER, "k1")
    await judged(house, number, "s2:5", settled=True)
    rows = (await records.read(select(audit).where(audit.c.subject_kind != "account").order_by(audit.c.id))).all()
    acts = [(row.act, row.actor_kind) for row in rows if row.act.startswith(("complaint", "feedback"))]
    assert acts == [
        ("complaint_made", "citizen"),
        ("feedback_given", "citizen"),
        ("complaint_read", "department"),
        ("complaint_moved", "department"),
        ("complaint_moved", "citizen"),
    ]
    assert RAHIMA not in str(rows)
    assert WORDS not in str(rows)
