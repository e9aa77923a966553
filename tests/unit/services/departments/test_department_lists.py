"""What the page of a department lists: its own alone, from one index each."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from core.types import utc_now
from db.tables import api_keys, applications, deliveries
from services.departments import queries
from services.departments.api_keys import ApiKeys, KeyRepeatedError
from services.departments.deliveries import DeliveryRepository
from tests.support.sample_rows import insert_row
from tests.support.services import CIPHER
from tests.support.sql_plans import explain_plan
from tests.support.staff import staff_act

ROWS = 4000


async def add_rejected(database):
    """Rejected deliveries of two departments, few of one of them, and more that were delivered."""
    now = utc_now()
    (application,) = await insert_row(database, applications, now, tracking_number="910000000017", status="received")
    rows = [
        {
            "application": application,
            "department": "nid" if place % 40 == 0 else "dncc",
            "state": "refused" if place % 8 < 4 else "delivered",
            "error": "Rejected",
            "due_at": now,
            "idempotency_key": f"delivery {place}",
            "created_at": now,
            "updated_at": now - timedelta(seconds=place),
        }
        for place in range(ROWS)
    ]
    async with database.transaction() as transaction:
        await transaction.execute(database.insert(deliveries), rows)
        await transaction.execute(text("ANALYZE deliveries"))


async def test_the_rejected_applications_of_a_department_are_read_from_one_index(database):
    await add_rejected(database)
    found = await DeliveryRepository(database, CIPHER, {}).list_rejected(50, "nid")
    assert len(found) == 50
    assert {one.department for one in found} == {"nid"}
    assert [one.since for one in found] == sorted(one.since for one in found)
    plan = await explain_plan(database, queries.LIST_REJECTED_OF, {"of": "nid", "most": 50})
    assert "ix_deliveries_rejected_department" in plan, plan


async def test_the_keys_of_a_holder_are_those_of_its_kind(database):
    keys = ApiKeys(database)
    for holder, kind in (("dncc", "department"), ("nid", "department"), ("dncc", "network")):
        await keys.create(holder, staff_act(), label=f"{kind} {holder}", kind=kind)
    assert [one.label for one in await keys.list_by_kind("department", "dncc")] == ["department dncc"]
    assert [one.label for one in await keys.list_by_kind("network")] == ["network dncc"]
    (key,) = await keys.list_by_kind("network", "dncc")
    assert await keys.find(key.id) == key
    assert await keys.find("00000000") is None


async def test_an_act_makes_one_key(database):
    act = staff_act()
    await ApiKeys(database).create("dncc", act)
    with pytest.raises(KeyRepeatedError):
        await ApiKeys(database).create("dncc", act)
    assert len((await database.fetch(select(api_keys))).all()) == 1
