"""Departments' keys: shown once, worthless to whoever steals the table, good until revoked."""

import re

import pytest
from sqlalchemy import select

from services.keys import Issued
from services.records.tables import api_keys


async def test_a_key_is_its_departments_until_it_is_revoked(desk, clock):
    key = await desk.keys.add("land")
    other = await desk.keys.add("education")
    assert re.fullmatch(r"ek_[0-9a-f]{8}_[\w-]{43}", key)
    assert [await desk.keys.department_of(one) for one in (key, other)] == ["land", "education"]
    key_id = key.split("_")[1]
    created = clock.now
    clock.moves(days=30)
    assert await desk.keys.revoke(key_id)
    assert [await desk.keys.department_of(one) for one in (key, other)] == [None, "education"]
    assert not await desk.keys.revoke(key_id)
    assert not await desk.keys.revoke("00000000")
    assert {one.id: one for one in await desk.keys.listed()}[key_id] == Issued(key_id, "land", created, clock.now)
    assert len(await desk.keys.listed()) == 2


@pytest.mark.parametrize(
    "spoil", [str.upper, lambda key: key[:-1], lambda key: key + " ", lambda key: key[3:], lambda key: f"Bearer {key}"]
)
async def test_what_is_not_quite_a_key_is_nobodys(desk, spoil):
    assert await desk.keys.department_of(spoil(await desk.keys.add("land"))) is None


async def test_the_name_of_one_key_with_the_secret_of_another_is_nobodys(desk):
    one, other = [await desk.keys.add(department) for department in ("land", "education")]
    assert await desk.keys.department_of(one[:12] + other[12:]) is None


async def test_the_table_does_not_hold_what_opens_the_door(desk):
    key = await desk.keys.add("land")
    kept = str((await desk.records.read(select(api_keys))).all())
    assert key[12:] not in kept
