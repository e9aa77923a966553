"""API keys of departments: shown once, stored as digests, valid until revoked."""

import asyncio
import re
from datetime import UTC, date, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from db.tables import api_keys, audit
from services.departments.api_keys import ApiKey, ApiKeyHolder, ApiKeys
from tests.support.staff import staff_act


async def test_a_key_is_its_departments_until_it_is_revoked(services, clock):
    key = await services.api_keys.create("land", staff_act())
    other = await services.api_keys.create("education", staff_act())
    assert re.fullmatch(r"ek_[0-9a-f]{8}_[\w-]{43}", key)
    key_id, other_id = [one.split("_")[1] for one in (key, other)]
    holders = [await services.api_keys.find_holder(one) for one in (key, other)]
    assert holders == [ApiKeyHolder("land", key_id), ApiKeyHolder("education", other_id)]
    created = clock.now
    clock.advance(days=30)
    assert await services.api_keys.revoke(key_id, staff_act())
    assert [await services.api_keys.find_holder(one) for one in (key, other)] == [
        None,
        ApiKeyHolder("education", other_id),
    ]
    assert not await services.api_keys.revoke(key_id, staff_act())
    assert not await services.api_keys.revoke("00000000", staff_act())
    issued = ApiKey(key_id, "land", created, clock.now, last_used_on=created.date())
    assert {one.id: one for one in await services.api_keys.list_all()}[key_id] == issued
    assert len(await services.api_keys.list_all()) == 2


@pytest.mark.parametrize(
    "spoil", [str.upper, lambda key: key[:-1], lambda key: key + " ", lambda key: key[3:], lambda key: f"Bearer {key}"]
)
async def test_what_is_not_quite_a_key_is_nobodys(services, spoil):
    assert await services.api_keys.find_holder(spoil(await services.api_keys.create("land", staff_act()))) is None


async def test_the_name_of_one_key_with_the_secret_of_another_is_nobodys(services):
    one, other = [await services.api_keys.create(department, staff_act()) for department in ("land", "education")]
    assert await services.api_keys.find_holder(one[:12] + other[12:]) is None


async def test_the_table_does_not_hold_what_opens_the_door(services):
    key = await services.api_keys.create("land", staff_act())
    kept = str((await services.database.fetch(select(api_keys))).all())
    assert key[12:] not in kept


async def test_a_key_is_good_on_its_last_day_where_the_gateway_stands_and_no_longer(services, clock):
    keys = ApiKeys(services.database, zone=ZoneInfo("Asia/Dhaka"), clock=clock)
    key = await keys.create("land", staff_act(), label="billing", last_day=date(2026, 11, 22))
    clock.advance(days=1, hours=11, minutes=59)  # it is noon there when the clock begins
    assert await keys.find_holder(key)
    clock.advance(minutes=1)
    assert await keys.find_holder(key) is None
    (issued,) = await keys.list_all()
    assert (issued.label, issued.last_day, issued.last_used_on) == ("billing", date(2026, 11, 22), date(2026, 11, 22))


async def test_the_day_of_creation_and_the_day_of_use_are_in_one_time_zone(services, clock):
    """A minor of section 4 of the field report: a key was made on the 29th (UTC) and used on the 30th (Dhaka)."""
    keys = ApiKeys(services.database, zone=ZoneInfo("Asia/Dhaka"), clock=clock)
    clock.advance(hours=14)  # 20:00 UTC, 02:00 of the next day in Dhaka
    await keys.find_holder(await keys.create("nid", staff_act()))
    (key,) = await keys.list_all()
    assert key.created_at.date() == key.last_used_on
    assert key.created_at.astimezone(UTC).date() < key.last_used_on


async def test_that_a_key_is_used_is_written_once_a_day(services, clock, monkeypatch):
    key = await services.api_keys.create("land", staff_act())
    written = []
    noted = services.api_keys._record_use
    monkeypatch.setattr(services.api_keys, "_record_use", lambda *facts: written.append(facts) or noted(*facts))
    for _ in range(3):
        for _ in range(5):
            assert await services.api_keys.find_holder(key)
        clock.advance(days=1)
    assert len(written) == 3
    (issued,) = await services.api_keys.list_all()
    assert issued.last_used_on == (clock.now - timedelta(days=1)).date()


async def test_a_key_used_first_by_many_at_once_is_everybodys_all_the_same(services):
    key = await services.api_keys.create("land", staff_act())
    assert len(set(await asyncio.gather(*(services.api_keys.find_holder(key) for _ in range(20))))) == 1


async def test_another_process_refuses_a_key_from_the_moment_in_which_it_is_revoked(services, clock):
    key, elsewhere = await services.api_keys.create("land", staff_act()), ApiKeys(services.database, clock=clock)
    assert await elsewhere.find_holder(key)
    await services.api_keys.revoke(key.split("_")[1], staff_act())
    assert await elsewhere.find_holder(key) is None


async def test_who_gives_and_takes_back_a_key_is_noted_once(services):
    key_id = (await services.api_keys.create("land", staff_act())).split("_")[1]
    assert [await services.api_keys.revoke(key_id, staff_act()) for _ in range(2)] == [True, False]
    rows = (await services.database.fetch(select(audit).order_by(audit.c.id))).all()
    assert [(row.actor_kind, row.act, row.subject_kind, row.subject, row.details) for row in rows] == [
        ("staff", act, "key", key_id, {"reason": "ticket 4711", "department": "land"})
        for act in ("key_added", "key_revoked")
    ]


async def test_a_network_has_a_key_of_its_own_kind(services):
    key = await services.api_keys.create("grameenphone", staff_act(), kind="network")
    assert await services.api_keys.find_holder(key) == ApiKeyHolder("grameenphone", key.split("_")[1], "network")
    (listed,) = await services.api_keys.list_all()
    assert (listed.kind, listed.department) == ("network", "grameenphone")
