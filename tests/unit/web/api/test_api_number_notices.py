"""Notices of networks over the API, on each database."""

import pytest
from sqlalchemy import select

from db.tables import audit
from services.departments.api_keys import ApiKeys
from tests.support.api_records import create_records
from tests.support.department_api import DepartmentClient
from tests.support.services import KARIM, RAHIMA
from tests.support.staff import staff_act

NOTICE = {"number": RAHIMA, "taken_on": "2026-11-21"}


@pytest.fixture
async def network(services, department_clients):
    """The client of a network."""
    own, _ = department_clients
    key = await ApiKeys(services.database, clock=services.clock).create("grameenphone", staff_act(), kind="network")
    return DepartmentClient(own.http, own.url, key)


async def test_a_notice_releases_the_number_once_and_is_audited_with_the_networks_name(services, database, network):
    account = await services.register(RAHIMA)
    assert await network.post_notice(NOTICE) == (201, {"status": "accepted", **NOTICE})
    assert not await services.accounts.has_account(RAHIMA)
    later = await services.register(RAHIMA, idempotency_key="s9:9")
    assert await network.post_notice(NOTICE) == (200, {"status": "accepted", **NOTICE})
    assert (await services.accounts.find_holder(later)).msisdn == RAHIMA, "a repeat does nothing"
    act = (await database.fetch(select(audit).where(audit.c.act == "number_released"))).one()
    assert (act.actor_kind, act.actor, act.channel, act.subject) == ("network", "grameenphone", "api", str(account))
    assert act.details["source"] == "notice"


async def test_the_answer_does_not_tell_whether_the_number_was_known(services, network):
    await services.register(RAHIMA)
    known = await network.post_notice(NOTICE, "k1")
    unknown = await network.post_notice({**NOTICE, "number": KARIM}, "k2")
    assert (unknown[0], unknown[1] | {"number": RAHIMA}) == known


async def test_the_same_key_for_another_number_is_refused(services, network):
    await services.register(KARIM)
    await network.post_notice(NOTICE)
    status, body = await network.post_notice({**NOTICE, "number": KARIM})
    assert (status, body["title"]) == (409, "Key used before")
    assert await services.accounts.has_account(KARIM)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"taken_on": "2026-11-23"}, "taken_on"),
        ({"taken_on": "1999-12-31"}, "taken_on"),
        ({"taken_on": "0001-01-01"}, "taken_on"),
        ({"taken_on": "9999-12-31"}, "taken_on"),
        ({"taken_on": "soon"}, "taken_on"),
        ({"number": "8801711000001"}, "number"),
        ({"number": "+8801711000001\n"}, "number"),
        ({"name": "x"}, "name"),
    ],
)
async def test_a_notice_that_is_not_as_it_must_be_changes_nothing(services, network, change, where):
    await services.register(RAHIMA)
    status, body = await network.post_notice({**NOTICE, **change})
    assert (status, [one["where"] for one in body["errors"]]) == (422, [where])
    assert await services.accounts.has_account(RAHIMA)


async def test_the_next_holder_who_registered_after_the_day_keeps_the_number(services, network, clock):
    account = await services.register(RAHIMA)
    assert (await network.post_notice({**NOTICE, "taken_on": "2026-11-20"}))[0] == 201
    assert (await services.accounts.find_holder(account)).msisdn == RAHIMA


async def test_departments_see_no_number_of_a_released_holder(services, department_clients, network):
    applied, complained = await create_records(services)
    await network.post_notice(NOTICE)
    own, _ = department_clients
    _, application = await own.get(f"/applications/{applied[0]}")
    _, complaint = await own.get(f"/complaints/{complained[0]}")
    assert (application["applicant"]["number"], complaint["complainant"]["number"]) == (None, None)
