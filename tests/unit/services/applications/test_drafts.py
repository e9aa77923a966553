"""Drafts: saved answer by answer, resumed on another day, and found by a replayed path as they were."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from db.tables import drafts as table
from services.applications.drafts import ENDED_RETENTION, Drafts
from services.applications.models import Draft
from tests.support.retention import build_retention
from tests.support.services import CIPHER, KARIM, birth_certificate_submission

SERVICE = "birth_certificate"


@pytest.fixture
async def account(services):
    return await services.register()


@pytest.fixture
def drafts(database, clock):
    return Drafts(database, CIPHER, clock=clock)


def begin_form(account, idempotency_key="s1:20", **form) -> Draft:
    return Draft(idempotency_key, account, SERVICE, date(2026, 11, 21), form or {"child": "আয়েশা"}, KARIM, "another")


async def test_an_unfinished_form_is_found_with_its_answers_and_beneficiary(drafts, account):
    await drafts.save(begin_form(account))
    assert await drafts.find_unfinished(account, SERVICE, "s2:9") == begin_form(account)
    assert await drafts.find_unfinished(account, "trade_licence", "s2:9") is None
    assert await drafts.find_unfinished(account + 1, SERVICE, "s2:9") is None


async def test_a_draft_is_overwritten_and_encrypted(drafts, account, database):
    await drafts.save(begin_form(account))
    further = begin_form(account, child="আয়েশা", nid="19950000000000001")
    await asyncio.gather(*(drafts.save(further) for _ in range(5)))
    assert await drafts.find_unfinished(account, SERVICE, "s2:9") == further
    [row] = (await database.fetch(select(table))).all()
    assert "আয়েশা" not in row.answers
    assert KARIM not in row.answers


async def test_a_replayed_path_does_not_find_a_later_draft(drafts, account):
    await drafts.save(begin_form(account, "s1:20"))
    assert await drafts.find_unfinished(account, SERVICE, "s1:20") is None
    assert await drafts.find_unfinished(account, SERVICE, "s1:18") is None
    assert await drafts.find_unfinished(account, SERVICE, "s1:60") == begin_form(account, "s1:20"), (
        "later in the same call it is there"
    )


async def test_a_replayed_path_resumes_with_the_answers_of_the_first_time(drafts, account):
    await drafts.save(begin_form(account))
    assert await drafts.resume(account, "s1:20", "s2:11") == begin_form(account)
    await drafts.save(begin_form(account, child="আয়েশা", mother="সালমা"))
    assert await drafts.resume(account, "s1:20", "s2:11") == begin_form(account)
    later = await drafts.resume(account, "s1:20", "s3:11")
    assert later.form == {"child": "আয়েশা", "mother": "সালমা"}


async def test_a_discarded_draft_is_found_only_by_earlier_inputs(drafts, account):
    await drafts.save(begin_form(account))
    await drafts.discard(account, "s1:20", "s2:11")
    assert await drafts.find_unfinished(account, SERVICE, "s3:9") is None
    assert await drafts.find_unfinished(account, SERVICE, "s2:30") is None
    assert await drafts.find_unfinished(account, SERVICE, "s2:9") == begin_form(account)


async def test_an_account_cannot_resume_or_discard_another_accounts_draft(drafts, account):
    await drafts.save(begin_form(account))
    assert await drafts.resume(account + 1, "s1:20", "s2:11") is None
    await drafts.discard(account + 1, "s1:20", "s2:11")
    assert await drafts.find_unfinished(account, SERVICE, "s3:9") == begin_form(account)


async def test_submitting_ends_the_draft_in_the_same_transaction(services, drafts, account):
    await drafts.save(begin_form(account))
    await services.applications.submit(birth_certificate_submission(account), "s1:20", "s2:40")
    assert await drafts.find_unfinished(account, SERVICE, "s3:9") is None
    assert await drafts.find_unfinished(account, SERVICE, "s2:9") == begin_form(account), (
        "the path that handed it in began with it"
    )


async def test_a_draft_expires_after_thirty_days_and_a_submitted_one_after_one(drafts, account, clock, database):
    memory = build_retention(database, clock)
    await drafts.save(begin_form(account))
    await drafts.save(begin_form(account, "s5:20"))
    await drafts.discard(account, "s5:20", "s6:11")
    clock.now += ENDED_RETENTION + timedelta(seconds=1)
    assert await memory.delete_expired() == 1
    clock.now += timedelta(days=30) - ENDED_RETENTION
    assert await drafts.find_unfinished(account, SERVICE, "s7:9") is None, "also before it is deleted"
    assert await memory.delete_expired() == 1
    assert (await database.fetch(select(table))).all() == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_draft_that_cannot_be_saved_fails_no_other_and_no_session(drafts, account):
    nobodys = replace(begin_form(account, "s8:20"), account=account + 99)
    await asyncio.gather(drafts.save(nobodys), drafts.save(begin_form(account)))
    assert await drafts.find_unfinished(account, SERVICE, "s9:9") == begin_form(account)
    assert await drafts.find_unfinished(account + 99, SERVICE, "s9:9") is None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_database_that_does_not_answer_does_not_block_the_form(database, clock, account, monkeypatch):
    monkeypatch.setattr("services.applications.drafts.SAVE_TIMEOUT", 0.0)
    await Drafts(database, CIPHER, clock=clock).save(begin_form(account))
    await database.close()
