"""Departments' keys: shown once, worthless to whoever steals the table, good until revoked."""

import asyncio
import re
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from services.keys import Holder, Issued, Keys
from services.records.tables import api_keys, audit


async def test_a_key_is_its_departments_until_it_is_revoked(desk, clock):
    key = await desk.keys.add("land")
    other = await desk.keys.add("education")
    assert re.fullmatch(r"ek_[0-9a-f]{8}_[\w-]{43}", key)
    key_id, other_id = [one.split("_")[1] for one in (key, other)]
    holders = [await desk.keys.holder(one) for one in (key, other)]
    assert holders == [Holder("land", key_id), Holder("education", other_id)]
    created = clock.now
    clock.moves(days=30)
    assert await desk.keys.revoke(key_id)
    assert [await desk.keys.holder(one) for one in (key, other)] == [None, Holder("education", other_id)]
    assert not await desk.keys.revoke(key_id)
    assert not await desk.keys.revoke("00000000")
    issued = Issued(key_id, "land", created, clock.now, used=created.date())
    assert {one.id: one for one in await desk.keys.listed()}[key_id] == issued
    assert len(await desk.keys.listed()) == 2


@pytest.mark.parametrize(
    "spoil", [str.upper, lambda key: key[:-1], lambda key: key + " ", lambda key: key[3:], lambda key: f"Bearer {key}"]
)
async def test_what_is_not_quite_a_key_is_nobodys(desk, spoil):
    assert await desk.keys.holder(spoil(await desk.keys.add("land"))) is None


async def test_the_name_of_one_key_with_the_secret_of_another_is_nobodys(desk):
    one, other = [await desk.keys.add(department) for department in ("land", "education")]
    assert await desk.keys.holder(one[:12] + other[12:]) is None


async def test_the_table_does_not_hold_what_opens_the_door(desk):
    key = await desk.keys.add("land")
    kept = str((await desk.records.read(select(api_keys))).all())
    assert key[12:] not in kept


async def test_a_key_is_good_on_its_last_day_where_the_gateway_stands_and_no_longer(desk, clock):
    keys = Keys(desk.records, zone=ZoneInfo("Asia/Dhaka"), clock=clock)
    key = await keys.add("land", label="billing", last_day=date(2026, 11, 22))
    clock.moves(days=1, hours=11, minutes=59)  # it is noon there when the clock begins
    assert await keys.holder(key)
    clock.moves(minutes=1)
    assert await keys.holder(key) is None
    (issued,) = await keys.listed()
    assert (issued.label, issued.last_day, issued.used) == ("billing", date(2026, 11, 22), date(2026, 11, 22))


async def test_that_a_key_is_used_is_written_once_a_day(desk, clock, monkeypatch):
    key = await desk.keys.add("land")
    written = []
    noted = desk.keys._note_use
    monkeypatch.setattr(desk.keys, "_note_use", lambda *facts: written.append(facts) or noted(*facts))
    for _ in range(3):
        for _ in range(5):
            assert await desk.keys.holder(key)
        clock.moves(days=1)
    assert len(written) == 3
    (issued,) = await desk.keys.listed()
    assert issued.used == (clock.now - timedelta(days=1)).date()


async def test_a_key_used_first_by_many_at_once_is_everybodys_all_the_same(desk):
    key = await desk.keys.add("land")
    assert len(set(await asyncio.gather(*(desk.keys.holder(key) for _ in range(20))))) == 1


async def test_another_process_refuses_a_key_from_the_moment_in_which_it_is_revoked(desk, clock):
    key, elsewhere = await desk.keys.add("land"), Keys(desk.records, clock=clock)
    assert await elsewhere.holder(key)
    await desk.keys.revoke(key.split("_")[1])
    assert await elsewhere.holder(key) is None


async def test_who_gives_and_takes_back_a_key_is_noted_once(desk):
    key_id = (await desk.keys.add("land")).split("_")[1]
    assert [await desk.keys.revoke(key_id) for _ in range(2)] == [True, False]
    rows = (await desk.records.read(select(audit).order_by(audit.c.id))).all()
    assert [(row.actor_kind, row.act, row.subject_kind, row.subject, row.details) for row in rows] == [
        ("staff", act, "key", key_id, {"department": "land"}) for act in ("key_added", "key_revoked")
    ]
