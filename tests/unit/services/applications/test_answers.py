"""Answers to a department: only the applicant's, only while it asks, once for each key, encrypted, in their own data."""

import asyncio

import pytest
from sqlalchemy import select

from db.tables import application_answers, applications, audit
from services.applications.answers import ApplicationAnswers
from services.applications.models import NewAnswer
from services.privacy.case_sections import ApplicationsSection
from services.privacy.models import DataSubject
from tests.support.services import KARIM, RAHIMA, birth_certificate_submission

OURS = "local_government"
NOTE = {"en": "Send the card number."}


@pytest.fixture
async def account(services):
    return await services.register()


@pytest.fixture
async def number(services, account):
    number = (await services.applications.submit(birth_certificate_submission(account), "s1:30")).tracking_number
    await services.department_applications.move(OURS, number, "more_information", NOTE, "ask")
    return number


@pytest.fixture
def answers(services):
    return ApplicationAnswers(services.database, services.cipher, clock=services.clock)


def new_answer(account, number, text="Card 4471"):
    return NewAnswer(account, number, text, "ussd")


async def test_an_answer_is_recorded_once_for_a_key_also_concurrently(services, answers, account, number):
    """4.2 of the field report."""
    services.clock.advance(minutes=5)
    results = await asyncio.gather(*(answers.answer(new_answer(account, number), "s2:9+/answer") for _ in range(5)))
    assert {result.outcome for result in results} == {"kept"}
    assert (await answers.answer(new_answer(account, number, "Page 3"), "s2:20+/answer")).outcome == "kept"
    detail = await services.department_applications.get(OURS, number)
    assert [answer.text for answer in detail.answers] == ["Card 4471", "Page 3"]
    assert detail.answered == detail.changed == services.clock()
    acts = await services.database.fetch(select(audit).where(audit.c.act == "application_answered"))
    assert [row.subject for row in acts] == [number, number]


async def test_only_the_applicant_answers_and_only_while_the_department_asks(services, answers, account, number):
    other = await services.register(KARIM, idempotency_key="s7:9")
    assert (await answers.answer(new_answer(other, number), "s3:9")).outcome == "unknown"
    assert (await answers.answer(new_answer(account, "000000000000"), "s3:9")).outcome == "unknown"
    assert (await answers.answer(new_answer(account, number), "s2:9")).outcome == "kept"
    await services.department_applications.move(OURS, number, "under_review", NOTE, "on")
    late = await answers.answer(new_answer(account, number), "s2:30")
    assert (late.outcome, late.status) == ("not_asked", "under_review")
    assert (await answers.answer(new_answer(account, number), "s2:9")).outcome == "kept", (
        "a repeat is told what came of it"
    )
    assert (await services.department_applications.get(OURS, number)).answered is None
    assert await services.count_rows(application_answers) == 1


async def test_a_new_question_awaits_a_new_answer(services, answers, account, number):
    await answers.answer(new_answer(account, number), "s2:9")
    unchanged = await services.department_applications.move(OURS, number, "more_information", {}, "again")
    assert unchanged.is_repeat
    assert (await services.department_applications.get(OURS, number)).answered
    await services.department_applications.move(OURS, number, "more_information", {"en": "And page 3."}, "more")
    assert (await services.department_applications.get(OURS, number)).answered is None


async def test_an_answer_is_encrypted_and_bound_to_its_row_and_part_of_ones_own_data(
    services, answers, account, number
):
    await answers.answer(new_answer(account, number), "s2:9")
    (row,) = (await services.database.fetch(select(application_answers))).all()
    assert "4471" not in repr(row)
    section = ApplicationsSection(services.database, services.cipher, lambda *_: [])
    (record,) = await section.read(DataSubject(account, RAHIMA, "Rahima Begum"))
    assert ("text", "Card 4471") in [(item.label, item.value) for item in record]
    async with services.database.transaction() as transaction:
        await transaction.execute(applications.delete())
    assert await services.count_rows(application_answers) == 0, "it goes with the application"
