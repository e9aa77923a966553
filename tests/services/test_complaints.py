"""Complaints and suggestions on each database: recorded once, numbered so that a slip is noticed, sealed."""

import asyncio

import pytest
from sqlalchemy import select
from stdnum import damm

from services.complaints import Complaint, Complaints, Suggestion
from services.numbers import tracking_number
from services.records.tables import applications, complaints, feedback
from tests.desk import RAHIMA, SEAL, birth_certificate

WORDS = "কেউ আসেনি, টাকা চেয়েছে"


@pytest.fixture
def desk_for_complaints(records, clock):
    return Complaints(records, SEAL, clock=clock)


def complaint(about=""):
    return Complaint(RAHIMA, WORDS, "bn", "sms", about)


async def test_a_complaint_gets_a_number_with_a_check_digit_and_is_received(desk_for_complaints, records, clock):
    filed = await desk_for_complaints.complain(complaint(), "sms/1:1")
    assert damm.is_valid(filed.complaint_number)
    assert (len(filed.complaint_number), filed.about) == (12, "")
    row = (await records.read(select(complaints))).one()
    assert (row.status, row.application, row.created_at) == ("received", None, clock.now)
    assert SEAL.open(row.text, f"complaint:{filed.complaint_number}").decode() == WORDS
    assert WORDS.encode() not in row.text


async def test_it_is_tied_to_the_application_that_has_the_number(desk, desk_for_complaints, records):
    about = (await desk.applications.submit(birth_certificate(await desk.registers()), "s:1")).tracking_number
    filed = await desk_for_complaints.complain(complaint(about), "sms/1:1")
    assert filed.about == about
    tied = select(applications.c.tracking_number).join(complaints, complaints.c.application == applications.c.id)
    assert (await records.read(tied)).scalars().all() == [about]


async def test_a_number_that_nothing_has_ties_it_to_nothing(desk_for_complaints):
    assert (await desk_for_complaints.complain(complaint(tracking_number()), "sms/1:1")).about == ""


async def test_the_same_effect_gets_the_same_number_also_at_once(desk, desk_for_complaints, records):
    about = (await desk.applications.submit(birth_certificate(await desk.registers()), "s:1")).tracking_number
    asked = (desk_for_complaints.complain(complaint(about), "sms/1:1") for _ in range(5))
    filed = set(await asyncio.gather(*asked))
    assert len(filed) == 1
    assert filed.pop().about == about
    assert len((await records.read(select(complaints.c.id))).all()) == 1
    another = await desk_for_complaints.complain(complaint(), "sms/2:1")
    assert another not in filed


async def test_a_suggestion_is_kept_once_sealed_and_numbered_also_at_once(desk_for_complaints, records):
    suggestion = Suggestion(RAHIMA, WORDS, "bn", "sms")
    (number,) = set(await asyncio.gather(*(desk_for_complaints.suggest(suggestion, "sms/1:1") for _ in range(5))))
    row = (await records.read(select(feedback))).one()
    assert row.feedback_number == number
    assert damm.is_valid(number)
    assert await desk_for_complaints.suggest(suggestion, "sms/2:1") != number
    assert SEAL.open(row.text, "feedback:sms/1:1").decode() == WORDS
