"""Unfinished forms: kept answer by answer, gone on with another day, and found again as they were by a path heard again."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from services.applications import Draft, Drafts
from services.applications.drafts import KEPT, KEPT_ENDED
from services.forgetting import Forgetting
from services.records.tables import drafts as table
from tests.desk import KARIM, SEAL, birth_certificate

SERVICE = "birth_certificate"


@pytest.fixture
async def account(desk):
    return await desk.registers()


@pytest.fixture
def drafts(records, clock):
    return Drafts(records, SEAL, clock=clock)


def begun(account, effect="s1:20", **form) -> Draft:
    return Draft(effect, account, SERVICE, date(2026, 11, 21), form or {"child": "আয়েশা"}, KARIM)


async def test_an_unfinished_form_is_found_with_its_answers_and_for_whom_it_is(drafts, account):
    await drafts.keep(begun(account))
    assert await drafts.found(account, SERVICE, "s2:9") == begun(account)
    assert await drafts.found(account, "trade_licence", "s2:9") is None
    assert await drafts.found(account + 1, SERVICE, "s2:9") is None


async def test_each_answer_is_written_over_the_last_and_nothing_is_readable_in_the_table(drafts, account, records):
    await drafts.keep(begun(account))
    further = begun(account, child="আয়েশা", nid="19950000000000001")
    await asyncio.gather(*(drafts.keep(further) for _ in range(5)))
    assert await drafts.found(account, SERVICE, "s2:9") == further
    [row] = (await records.read(select(table))).all()
    assert "আয়েশা" not in row.answers
    assert KARIM not in row.answers


async def test_a_path_heard_again_does_not_find_what_it_had_not_begun_yet(drafts, account):
    await drafts.keep(begun(account, "s1:20"))
    assert await drafts.found(account, SERVICE, "s1:20") is None
    assert await drafts.found(account, SERVICE, "s1:18") is None
    assert await drafts.found(account, SERVICE, "s1:60") == begun(account, "s1:20"), (
        "later in the same call it is there"
    )


async def test_a_path_heard_again_goes_on_from_the_answers_there_were_the_first_time(drafts, account):
    await drafts.keep(begun(account))
    assert await drafts.take_up(account, "s1:20", "s2:11") == begun(account)
    await drafts.keep(begun(account, child="আয়েশা", mother="সালমা"))
    assert await drafts.take_up(account, "s1:20", "s2:11") == begun(account)
    later = await drafts.take_up(account, "s1:20", "s3:11")
    assert later.form == {"child": "আয়েশা", "mother": "সালমা"}


async def test_what_was_begun_afresh_lies_aside_but_not_for_the_path_before_it(drafts, account):
    await drafts.keep(begun(account))
    await drafts.set_aside(account, "s1:20", "s2:11")
    assert await drafts.found(account, SERVICE, "s3:9") is None
    assert await drafts.found(account, SERVICE, "s2:30") is None
    assert await drafts.found(account, SERVICE, "s2:9") == begun(account)


async def test_nobody_takes_up_or_sets_aside_what_is_not_theirs(drafts, account):
    await drafts.keep(begun(account))
    assert await drafts.take_up(account + 1, "s1:20", "s2:11") is None
    await drafts.set_aside(account + 1, "s1:20", "s2:11")
    assert await drafts.found(account, SERVICE, "s3:9") == begun(account)


async def test_handing_in_ends_it_with_the_application_or_not_at_all(desk, drafts, account):
    await drafts.keep(begun(account))
    await desk.applications.submit(birth_certificate(account), "s1:20", "s2:40")
    assert await drafts.found(account, SERVICE, "s3:9") is None
    assert await drafts.found(account, SERVICE, "s2:9") == begun(account), "the path that handed it in began with it"


async def test_it_ends_after_thirty_days_and_what_was_handed_in_after_one(drafts, account, clock, records):
    memory = Forgetting(records, clock=clock)
    await drafts.keep(begun(account))
    await drafts.keep(begun(account, "s5:20"))
    await drafts.set_aside(account, "s5:20", "s6:11")
    clock.now += KEPT_ENDED + timedelta(seconds=1)
    assert await memory.step() == 1
    clock.now += KEPT - KEPT_ENDED
    assert await drafts.found(account, SERVICE, "s7:9") is None, "also before it is deleted"
    assert await memory.step() == 1
    assert (await records.read(select(table))).all() == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_database_that_refuses_one_costs_nobody_else_theirs_and_nobody_their_call(drafts, account):
    nobodys = replace(begun(account, "s8:20"), account=account + 99)
    await asyncio.gather(drafts.keep(nobodys), drafts.keep(begun(account)))
    assert await drafts.found(account, SERVICE, "s9:9") == begun(account)
    assert await drafts.found(account + 99, SERVICE, "s9:9") is None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_database_that_does_not_answer_holds_up_no_form(records, clock, account, monkeypatch):
    monkeypatch.setattr("services.applications.drafts.PATIENCE", 0.0)
    await Drafts(records, SEAL, clock=clock).keep(begun(account))
    await records.close()
