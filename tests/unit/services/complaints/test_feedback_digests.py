"""What people think of a department, passed on to it: once for every period, counted, in their words and without their names."""

import asyncio
from datetime import timedelta
from itertools import count

import pytest
from sqlalchemy import select

from core.pagination import PageRequest
from db.tables import feedback_digests
from tests.support.complaints import (
    COMPLAINT_TEXT,
    FEEDBACK_EMAIL,
    ComplaintServiceSet,
    FakeEscalationPolicies,
    build_feedback,
)
from tests.support.services import RAHIMA

SESSIONS = count(1)


@pytest.fixture
def complaint_services(services) -> ComplaintServiceSet:
    return ComplaintServiceSet(services, digest_interval="day")


async def submit_feedback(complaint_services, *ratings, **other):
    given = (build_feedback(rating=rating, **other) for rating in ratings)
    return [await complaint_services.complaints.submit_feedback(one, f"s{next(SESSIONS)}:1") for one in given]


async def test_an_ended_day_is_one_digest_with_counts_average_and_texts(complaint_services, clock):
    await submit_feedback(complaint_services, 5, 4, 1, None)
    assert await complaint_services.digests.queue_due() == 0, "the day is not over yet"
    clock.advance(days=1)
    await submit_feedback(complaint_services, 3)
    assert [await complaint_services.digests.queue_due() for _ in range(3)] == [1, 0, 0]
    ((address, text, facts),) = await complaint_services.claim_emails()
    assert (address, text, facts["until"], facts["many"]) == (FEEDBACK_EMAIL, "feedback", "2026-11-21", 4)
    assert (facts["rated"], facts["average"], facts["ratings"]) == (3, "3.3", "5: 1, 4: 1, 1: 1")
    assert facts["words"].splitlines()[0] == f"- 5/5 · Birth certificate · {COMPLAINT_TEXT}"
    assert facts["words"].splitlines()[3] == f"- Birth certificate · {COMPLAINT_TEXT}"
    assert RAHIMA not in str(facts)


async def test_feedback_is_passed_on_once_and_its_status_says_so(complaint_services, clock):
    (number,) = await submit_feedback(complaint_services, 5)
    clock.advance(days=1)
    await complaint_services.digests.queue_due()
    assert (await complaint_services.status_reader.find_feedback(number)).passed_on
    clock.advance(days=1)
    assert await complaint_services.digests.queue_due() == 0


async def test_a_week_ends_at_midnight_before_monday(services, clock):
    complaint_services = ComplaintServiceSet(services, digest_interval="week")  # the clock stands on a Saturday
    await submit_feedback(complaint_services, 5)
    clock.advance(days=1, hours=11)
    assert await complaint_services.digests.queue_due() == 0, "Sunday"
    clock.advance(hours=7)
    assert await complaint_services.digests.queue_due() == 1, "Monday in Dhaka"


async def test_concurrent_processes_queue_one_digest(complaint_services, clock, database):
    await submit_feedback(complaint_services, 5, 5)
    clock.advance(days=1)
    assert sum(await asyncio.gather(*(complaint_services.digests.queue_due() for _ in range(4)))) == 1
    assert len(await complaint_services.claim_emails()) == 1
    assert len((await database.fetch(select(feedback_digests))).all()) == 1


async def test_feedback_that_arrives_while_no_process_runs_is_in_the_next_digest(complaint_services, clock):
    for _ in range(3):
        await submit_feedback(complaint_services, 2)
        clock.advance(days=1)
    assert await complaint_services.digests.queue_due() == 1
    ((_, _, facts),) = await complaint_services.claim_emails()
    assert facts["many"] == 3


async def test_feedback_after_the_end_of_the_period_waits_for_the_next_digest(complaint_services, clock):
    await submit_feedback(complaint_services, 5)
    clock.advance(days=1)
    await complaint_services.digests.queue_due()
    late = clock.now
    clock.now = late - timedelta(days=1)
    await submit_feedback(complaint_services, 1)
    clock.now = late
    assert await complaint_services.digests.queue_due() == 0, "this period was written for"
    clock.advance(days=1)
    assert await complaint_services.digests.queue_due() == 1
    assert [facts["many"] for _, _, facts in await complaint_services.claim_emails()] == [1, 1]


class CrashingMessages:
    async def enqueue(self, *_) -> None:
        raise ConnectionResetError


async def test_a_crash_before_the_commit_leaves_the_work_to_the_next_process(complaint_services, clock):
    await submit_feedback(complaint_services, 5)
    clock.advance(days=1)
    messages, complaint_services.digests._messages = complaint_services.digests._messages, CrashingMessages()
    with pytest.raises(ConnectionResetError):
        await complaint_services.digests.queue_due()
    complaint_services.digests._messages = messages
    assert await complaint_services.digests.queue_due() == 1


async def test_a_department_without_an_address_reads_feedback_by_the_api(services, clock):
    complaint_services = ComplaintServiceSet(services, FakeEscalationPolicies(), digest_interval="day")
    numbers = await submit_feedback(complaint_services, 5, 1)
    clock.advance(days=1)
    assert await complaint_services.digests.queue_due() == 0
    page = await complaint_services.department_complaints.list_feedback("local_government", PageRequest())
    assert [(one.number, one.rating, one.text) for one in page.items] == [
        (numbers[0], 5, COMPLAINT_TEXT),
        (numbers[1], 1, COMPLAINT_TEXT),
    ]
    assert (await complaint_services.department_complaints.list_feedback("income_tax", PageRequest())).items == ()


async def test_a_text_of_several_lines_is_quoted_in_one_line(complaint_services, clock):
    await submit_feedback(complaint_services, 4, text="first\r\nSubject: second")
    clock.advance(hours=1)
    await submit_feedback(complaint_services, 3, text="")
    clock.advance(days=1)
    await complaint_services.digests.queue_due()
    ((_, _, facts),) = await complaint_services.claim_emails()
    assert facts["words"] == "- 4/5 · Birth certificate · first Subject: second"
