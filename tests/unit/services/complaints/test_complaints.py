"""Complaints and feedback: recorded once, with a check digit, encrypted, changed, notified."""

import asyncio
from datetime import date

import pytest
from sqlalchemy import select
from stdnum import damm

from core.pagination import PageRequest
from core.reference_numbers import generate_tracking_number
from db.tables import applications, audit, complaint_events, complaints, feedback
from services.cases.models import StatusRejected
from tests.support.complaints import CLERK, COMPLAINT_TEXT, HEAD, ComplaintServiceSet, build_complaint, build_feedback
from tests.support.services import CIPHER, KARIM, RAHIMA, birth_certificate_submission

ANSWER = {"en": "Please come on Monday", "bn": "সোমবার আসুন"}


@pytest.fixture
def complaint_services(services) -> ComplaintServiceSet:
    return ComplaintServiceSet(services)


async def submit_application(complaint_services: ComplaintServiceSet) -> str:
    submission = birth_certificate_submission(await complaint_services.services.register())
    return (await complaint_services.services.applications.submit(submission, "s:1")).tracking_number


async def test_a_complaint_gets_a_number_with_a_check_digit_and_is_received(complaint_services, database, clock):
    filed = await complaint_services.complaints.submit_complaint(build_complaint(reason="money"), "s1:9")
    assert damm.is_valid(filed.complaint_number)
    assert (len(filed.complaint_number), filed.about, filed.promised) == (12, "", date(2026, 11, 26))
    row = (await database.fetch(select(complaints))).one()
    assert (row.status, row.application, row.created_at) == ("received", None, clock.now)
    assert (row.reason, row.service, row.department) == ("money", "birth_certificate", "local_government")
    assert CIPHER.decrypt(row.text, f"complaint:{filed.complaint_number}").decode() == COMPLAINT_TEXT
    assert COMPLAINT_TEXT.encode() not in row.text


async def test_a_complaint_number_is_sent_by_sms_except_to_complaints_by_sms(complaint_services):
    number = await complaint_services.submit_complaint()
    ((to, language, text, facts),) = await complaint_services.services.claim_sms()
    assert (to, language, text) == (RAHIMA, "bn", "complaint_received")
    assert (facts["complaint"], facts["answer_by"], facts["officer"]) == (number, "2026-11-26", CLERK)
    await complaint_services.submit_complaint("sms/1:1", channel="sms")
    assert await complaint_services.services.claim_sms() == []


async def test_a_complaint_is_linked_to_the_application_with_the_number(complaint_services, database):
    about = await submit_application(complaint_services)
    filed = await complaint_services.complaints.submit_complaint(build_complaint(about=about, service=""), "sms/1:1")
    assert filed.about == about
    tied = select(applications.c.tracking_number).join(complaints, complaints.c.application == applications.c.id)
    assert (await database.fetch(tied)).scalars().all() == [about]
    row = (await database.fetch(select(complaints))).one()
    assert (row.service, row.department) == ("birth_certificate", "local_government")


async def test_a_complaint_about_an_unknown_number_is_linked_to_none(complaint_services, database):
    about = generate_tracking_number()
    assert (
        await complaint_services.complaints.submit_complaint(build_complaint(about=about, service=""), "sms/1:1")
    ).about == ""
    assert (await database.fetch(select(complaints.c.department))).scalar_one() == "", "it is nobody's in particular"


async def test_a_repeated_key_gets_the_same_number_also_concurrently(complaint_services, database):
    about = await submit_application(complaint_services)
    await complaint_services.services.claim_sms()
    asked = (complaint_services.complaints.submit_complaint(build_complaint(about=about), "s1:9") for _ in range(5))
    filed = set(await asyncio.gather(*asked))
    assert len(filed) == 1
    assert filed.pop().about == about
    assert len((await database.fetch(select(complaints.c.id))).all()) == 1
    assert len((await database.fetch(select(complaint_events.c.id))).all()) == 1
    assert len(await complaint_services.services.claim_sms()) == 1


async def test_feedback_is_recorded_once_encrypted_and_numbered(complaint_services, database):
    given = build_feedback(rating=2)
    (number,) = set(
        await asyncio.gather(*(complaint_services.complaints.submit_feedback(given, "s1:9") for _ in range(5)))
    )
    row = (await database.fetch(select(feedback))).one()
    assert (row.feedback_number, row.rating, row.department) == (number, 2, "local_government")
    assert damm.is_valid(number)
    ((to, language, text, facts),) = await complaint_services.services.claim_sms()
    assert (to, language, text, facts["feedback"]) == (RAHIMA, given.language, "feedback_received", number)
    assert await complaint_services.complaints.submit_feedback(given, "s2:9") != number
    assert CIPHER.decrypt(row.text, "feedback:s1:9").decode() == COMPLAINT_TEXT


async def test_the_status_of_a_complaint_contains_no_personal_data(complaint_services, clock):
    number = await complaint_services.submit_complaint(reason="late")
    status = await complaint_services.status_reader.find_complaint(number)
    assert (status.status, status.promised, status.late, status.officer) == ("received", date(2026, 11, 26), 0, CLERK)
    assert status.belongs_to(RAHIMA)
    assert not status.belongs_to(KARIM)
    assert RAHIMA not in repr(status)
    clock.advance(days=8)
    assert (await complaint_services.status_reader.find_complaint(number)).late == 3
    assert await complaint_services.status_reader.find_complaint(generate_tracking_number()) is None


async def test_feedback_has_a_status(complaint_services):
    number = await complaint_services.complaints.submit_feedback(build_feedback(), "s1:9")
    given = await complaint_services.status_reader.find_feedback(number)
    assert (given.number, given.day, given.passed_on) == (number, date(2026, 11, 21), False)


async def test_a_department_sees_its_own_complaints_and_no_other(complaint_services):
    ours, nobodys = (
        await complaint_services.submit_complaint("a:1"),
        await complaint_services.submit_complaint("b:1", service=""),
    )
    page = await complaint_services.department_complaints.list_page("local_government", PageRequest())
    assert [one.number for one in page.items] == [ours]
    assert [
        one.number for one in (await complaint_services.department_complaints.list_page("", PageRequest())).items
    ] == [nobodys]
    assert await complaint_services.department_complaints.get("income_tax", ours) is None
    case = await complaint_services.department_complaints.get("local_government", ours)
    assert (case.text, case.citizen, case.summary.reason) == (COMPLAINT_TEXT, RAHIMA, "other")
    assert [event.status for event in case.events] == ["received"]


async def test_the_list_goes_on_where_a_page_ended(complaint_services, clock):
    numbers = []
    for place in range(5):
        numbers.append(await complaint_services.submit_complaint(f"s:{place}"))
        clock.advance(minutes=1)
    first = await complaint_services.department_complaints.list_page("local_government", PageRequest(limit=3))
    second = await complaint_services.department_complaints.list_page(
        "local_government", PageRequest(after=first.next_position, limit=3)
    )
    assert [one.number for one in (*first.items, *second.items)] == numbers
    assert second.next_position is None
    await complaint_services.department_complaints.move("local_government", numbers[0], "under_review", {}, "k1")
    moved = await complaint_services.department_complaints.list_page(
        "local_government", PageRequest(), status="under_review"
    )
    assert [one.number for one in moved.items] == numbers[:1]


async def test_an_answer_is_sent_to_the_citizen_once_and_ends_the_deadline(complaint_services, database):
    number = await complaint_services.submit_complaint()
    await complaint_services.services.claim_sms()
    moved = await complaint_services.department_complaints.move("local_government", number, "answered", ANSWER, "k1")
    assert (moved.status, moved.is_repeat) == ("answered", False)
    again = await complaint_services.department_complaints.move(
        "local_government", number, "answered", dict(reversed(ANSWER.items())), "k1"
    )
    assert again.is_repeat
    ((to, language, text, facts),) = await complaint_services.services.claim_sms()
    assert (to, language, text, facts["note"]) == (RAHIMA, "bn", "complaint_answered", ANSWER)
    row = (await database.fetch(select(complaints))).one()
    assert (row.status, row.promised, row.due_at) == ("answered", None, None)
    assert [past.status for past in await complaint_services.status_reader.get_history(number)] == [
        "answered",
        "received",
    ]


@pytest.mark.parametrize(
    ("before", "status", "reason"),
    [
        ([], "answered", "note_missing"),
        (["under_review"], "answered", "note_missing"),
        (["answered"], "answered", "note_missing"),
        (["answered"], "under_review", "backwards"),
    ],
)
async def test_an_answer_needs_a_note_and_a_way_back_too(complaint_services, services, before, status, reason):
    """4.3 of the field report: the citizen read that the complaint is answered, and no answer."""
    number = await complaint_services.submit_complaint()
    move = complaint_services.department_complaints.move
    for step in before:
        await move("local_government", number, step, ANSWER, f"to {step}")
    await services.claim_sms()
    assert await move("local_government", number, status, {}, "k1") == StatusRejected(reason)
    assert await services.claim_sms() == []
    assert (await move("local_government", number, status, ANSWER, "k1")).status == status


async def test_the_same_status_of_a_complaint_without_a_note_sends_nothing(complaint_services, services):
    number = await complaint_services.submit_complaint()
    move = complaint_services.department_complaints.move
    await move("local_government", number, "under_review", {}, "k1")
    await services.claim_sms()
    assert (await move("local_government", number, "under_review", {}, "k2")).is_repeat
    assert await services.claim_sms() == []


async def test_a_department_cannot_set_other_statuses(complaint_services):
    number = await complaint_services.submit_complaint()
    await complaint_services.services.claim_sms()
    move = complaint_services.department_complaints.move
    assert await move("income_tax", number, "answered", {}, "k1") == StatusRejected("unknown")
    assert await move("local_government", number, "escalated", {}, "k1") == StatusRejected("no_such_status")
    assert not isinstance(await move("local_government", number, "closed", {}, "k1"), StatusRejected)
    assert await move("local_government", number, "answered", {}, "k2") == StatusRejected("closed")
    assert await move("local_government", number, "answered", {}, "k1") == StatusRejected("conflict")
    other = await complaint_services.submit_complaint("s2:9")
    assert await move("local_government", other, "closed", {}, "k1") == StatusRejected("conflict")
    assert [text for _, _, text, _ in await complaint_services.services.claim_sms()] == [
        "complaint_moved",
        "complaint_received",
    ]


async def test_concurrent_changes_with_one_key_are_one(complaint_services):
    number = await complaint_services.submit_complaint()
    await complaint_services.services.claim_sms()
    moves = (
        complaint_services.department_complaints.move("local_government", number, "under_review", {}, "k1")
        for _ in range(5)
    )
    moved = await asyncio.gather(*moves)
    assert sorted(one.is_repeat for one in moved) == [False, True, True, True, True]
    assert len(await complaint_services.services.claim_sms()) == 1


async def give_verdict(complaint_services, number, idempotency_key, *, settled, citizen=RAHIMA):
    return await complaint_services.verdicts.judge(
        number, citizen, settled=settled, channel="ussd", idempotency_key=idempotency_key
    )


async def test_a_settled_complaint_is_closed_and_a_repeat_gets_the_same_result(complaint_services):
    number = await complaint_services.submit_complaint()
    assert await give_verdict(complaint_services, number, "s2:3", settled=True) == "not_answered"
    await complaint_services.department_complaints.move("local_government", number, "answered", ANSWER, "k1")
    assert await give_verdict(complaint_services, number, "s2:4", settled=True, citizen=KARIM) == "unknown", (
        "only who complained judges"
    )
    assert [await give_verdict(complaint_services, number, "s2:5", settled=True) for _ in range(3)] == ["closed"] * 3
    assert (await complaint_services.status_reader.find_complaint(number)).status == "closed"


async def test_an_unsettled_complaint_goes_to_the_next_level_and_stays_at_the_last(complaint_services, database):
    number = await complaint_services.submit_complaint()
    await complaint_services.department_complaints.move("local_government", number, "answered", ANSWER, "k1")
    assert [await give_verdict(complaint_services, number, "s2:5", settled=False) for _ in range(2)] == ["raised"] * 2
    status = await complaint_services.status_reader.find_complaint(number)
    assert (status.status, status.level, status.officer, status.promised) == ("escalated", 1, HEAD, date(2026, 12, 1))
    await complaint_services.department_complaints.move("local_government", number, "answered", ANSWER, "k2")
    assert [await give_verdict(complaint_services, number, "s3:5", settled=False) for _ in range(2)] == ["last"] * 2
    status = await complaint_services.status_reader.find_complaint(number)
    assert (status.status, status.level) == ("under_review", 1)
    texts = [text for _, _, text, _ in await complaint_services.services.claim_sms()]
    assert texts[-4:] == ["complaint_answered", "complaint_escalated", "complaint_answered", "complaint_again"]


async def test_the_audit_log_records_every_act_without_personal_data(complaint_services, database):
    number = await complaint_services.submit_complaint(about=await submit_application(complaint_services))
    await complaint_services.complaints.submit_feedback(build_feedback(), "s5:1")
    await complaint_services.department_complaints.get("local_government", number)
    await complaint_services.department_complaints.move("local_government", number, "answered", ANSWER, "k1")
    await give_verdict(complaint_services, number, "s2:5", settled=True)
    rows = (await database.fetch(select(audit).where(audit.c.subject_kind != "account").order_by(audit.c.id))).all()
    acts = [(row.act, row.actor_kind) for row in rows if row.act.startswith(("complaint", "feedback"))]
    assert acts == [
        ("complaint_made", "citizen"),
        ("feedback_given", "citizen"),
        ("complaint_read", "department"),
        ("complaint_moved", "department"),
        ("complaint_moved", "citizen"),
    ]
    assert RAHIMA not in str(rows)
    assert COMPLAINT_TEXT not in str(rows)
