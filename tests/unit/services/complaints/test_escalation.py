"""What is not answered in time goes to the next level: once, whatever process finds it, and never above the last."""

import asyncio

import pytest
from sqlalchemy import select

from db.tables import audit, complaint_events, complaints
from services.complaints.escalation import Escalation
from tests.support.complaints import FEEDBACK_EMAIL, HEAD, LOCAL_GOVERNMENT, ComplaintServiceSet, FakeEscalationPolicies
from tests.support.services import RAHIMA


@pytest.fixture
def complaint_services(services) -> ComplaintServiceSet:
    return ComplaintServiceSet(services)


async def test_no_complaint_escalates_before_the_promised_day_ends_in_the_departments_zone(complaint_services, clock):
    await complaint_services.submit_complaint()
    clock.advance(days=5, hours=11, minutes=59)  # 26 November, 23:59 in Dhaka
    assert await complaint_services.escalation.escalate_overdue() == 0
    clock.advance(minutes=1)
    assert await complaint_services.escalation.escalate_overdue() == 1


async def test_an_overdue_complaint_escalates_once_with_event_audit_entry_and_both_messages(
    complaint_services, database, clock
):
    number = await complaint_services.submit_complaint()
    await complaint_services.services.claim_sms()
    clock.advance(days=6)
    assert [await complaint_services.escalation.escalate_overdue() for _ in range(3)] == [1, 0, 0]
    status = await complaint_services.status_reader.find_complaint(number)
    assert (status.status, status.level, status.officer) == ("escalated", 1, HEAD)
    ((to, language, text, facts),) = await complaint_services.services.claim_sms()
    assert (to, language, text) == (RAHIMA, "bn", "complaint_escalated")
    assert (facts["officer"], facts["answer_by"]) == (HEAD, "2026-12-07")
    ((address, text, facts),) = await complaint_services.claim_emails()
    assert (address, text, facts["complaint"], facts["service"]) == (
        FEEDBACK_EMAIL,
        "complaint_escalated",
        number,
        "birth_certificate",
    )
    assert facts["answer_by"] == "2026-11-26", "the day that was missed"
    assert RAHIMA not in str(facts)
    acts = select(audit.c.actor_kind, audit.c.details).where(audit.c.act == "complaint_moved")
    assert [(one.actor_kind, one.details["level"]) for one in await database.fetch(acts)] == [("gateway", "1")]


async def test_a_complaint_at_the_last_level_stays_and_notifies_once(complaint_services, clock, database):
    number = await complaint_services.submit_complaint()
    texts = []
    for _ in range(4):
        clock.advance(days=30)
        await complaint_services.escalation.escalate_overdue()
        texts += [text for _, _, text, _ in await complaint_services.services.claim_sms()]
    assert texts == ["complaint_escalated", "complaint_last"]
    status = await complaint_services.status_reader.find_complaint(number)
    assert (status.status, status.level) == ("escalated", 1)
    statuses = [row.status for row in await database.fetch(select(complaint_events).order_by(complaint_events.c.id))]
    assert statuses == ["received", "escalated", "escalated"]
    await complaint_services.department_complaints.move("local_government", number, "answered", {"en": "Done"}, "k1")
    assert (await complaint_services.status_reader.find_complaint(number)).status == "answered", (
        "it can still be answered"
    )


async def test_concurrent_processes_escalate_each_complaint_once(complaint_services, clock, database):
    for place in range(7):
        await complaint_services.submit_complaint(f"s:{place}")
    await complaint_services.services.claim_sms()
    clock.advance(days=6)
    found = await asyncio.gather(*(complaint_services.escalation.escalate_overdue() for _ in range(4)))
    assert sum(found) == 7
    assert len(await complaint_services.services.claim_sms()) == 7
    levels = (await database.fetch(select(complaints.c.level))).scalars().all()
    assert levels == [1] * 7


class CrashingMessages:
    """Messages of a process that ends before the SMS is written."""

    async def enqueue(self, *_) -> None:
        raise ConnectionResetError


async def test_a_crash_before_the_commit_leaves_the_work_to_the_next_process(complaint_services, clock):
    number = await complaint_services.submit_complaint()
    await complaint_services.services.claim_sms()
    clock.advance(days=6)
    dying = ComplaintServiceSet(complaint_services.services)
    dying.escalation._transitions._messages = CrashingMessages()
    assert await dying.escalation.escalate_overdue() == 0, "the failure is logged"
    assert (await complaint_services.status_reader.find_complaint(number)).status == "received"
    assert await complaint_services.escalation.escalate_overdue() == 1
    assert len(await complaint_services.services.claim_sms()) == 1


async def test_an_answered_complaint_never_escalates(complaint_services, clock, database):
    number = await complaint_services.submit_complaint()
    await complaint_services.department_complaints.move("local_government", number, "answered", {"en": "Done"}, "k1")
    clock.advance(days=400)
    assert await complaint_services.escalation.escalate_overdue() == 0


async def test_the_status_under_review_is_not_an_answer(complaint_services, clock):
    number = await complaint_services.submit_complaint()
    await complaint_services.department_complaints.move("local_government", number, "under_review", {}, "k1")
    clock.advance(days=6)
    assert await complaint_services.escalation.escalate_overdue() == 1
    assert (await complaint_services.status_reader.find_complaint(number)).level == 1


async def test_a_department_without_address_gets_no_email_and_levels_without_officer_have_numbers(services, clock):
    complaint_services = ComplaintServiceSet(services, FakeEscalationPolicies())
    await complaint_services.submit_complaint()
    await services.claim_sms()
    clock.advance(days=8)
    assert await complaint_services.escalation.escalate_overdue() == 1
    ((_, _, _, facts),) = await services.claim_sms()
    assert (facts["officer"], facts["level"]) == ({}, 1)
    assert await complaint_services.claim_emails() == []


async def test_without_email_the_citizen_is_still_notified(services, clock):
    complaint_services = ComplaintServiceSet(services)
    await complaint_services.submit_complaint()
    await services.claim_sms()
    clock.advance(days=6)
    silent = Escalation(
        services.database,
        services.messages,
        complaint_services.escalation._transitions,
        complaint_services.policies,
        clock=clock,
    )
    assert await silent.escalate_overdue() == 1
    assert (len(await services.claim_sms()), await complaint_services.claim_emails()) == (1, [])


async def test_a_complaint_above_the_last_level_of_a_changed_policy_stays(services, clock):
    before = ComplaintServiceSet(services, FakeEscalationPolicies())
    number = await before.submit_complaint()
    for _ in range(2):
        clock.advance(days=16)
        await before.escalation.escalate_overdue()
    now = ComplaintServiceSet(services, FakeEscalationPolicies(local_government=LOCAL_GOVERNMENT))
    assert (await now.status_reader.find_complaint(number)).level == 2
    clock.advance(days=30)
    assert await now.escalation.escalate_overdue() == 1
    assert (await now.status_reader.find_complaint(number)).level == 2
