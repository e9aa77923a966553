"""Every operation of the API is tried with every kind of key."""

import pytest

from services.departments.api_keys import ApiKeys
from tests.support.api_records import create_records
from tests.support.department_api import OWN_DEPARTMENT, DepartmentClient
from tests.support.staff import staff_act

KEYS = ("none", "wrong", "revoked", "another department", "own", "a network")
OPERATIONS = {
    ("GET", "/applications"): (401, 401, 401, 200, 200, 403),
    ("GET", "/applications/{application}"): (401, 401, 401, 404, 200, 403),
    ("POST", "/applications/{application}/events"): (401, 401, 401, 404, 201, 403),
    ("POST", "/applications/{application}/payments"): (401, 401, 401, 404, 201, 403),
    ("GET", "/complaints"): (401, 401, 401, 200, 200, 403),
    ("GET", "/complaints/{complaint}"): (401, 401, 401, 404, 200, 403),
    ("POST", "/complaints/{complaint}/events"): (401, 401, 401, 404, 201, 403),
    ("GET", "/feedback"): (401, 401, 401, 200, 200, 403),
    ("POST", "/number-notices"): (401, 401, 401, 403, 403, 201),
}
"""The status of each operation by the key of its request."""


def test_the_table_has_every_operation(openapi_document):
    documented = {
        (
            method.upper(),
            path.replace("{tracking_number}", "{application}").replace("{complaint_number}", "{complaint}"),
        )
        for path, methods in openapi_document["paths"].items()
        for method in methods
        if method in {"get", "post"}
    }
    assert {one for one in documented if one[1] != "/openapi.json"} == set(OPERATIONS)


@pytest.mark.parametrize("operation", OPERATIONS, ids=" ".join)
async def test_every_key_gets_what_the_table_says(services, department_clients, operation):
    own, other = department_clients
    applied, complained = await create_records(services)
    keys = ApiKeys(services.database, clock=services.clock)
    revoked = await keys.create(OWN_DEPARTMENT, staff_act())
    newest = next(key.id for key in (await keys.list_all())[::-1] if key.department == OWN_DEPARTMENT)
    assert await keys.revoke(newest, staff_act())
    wrong = own.key[:-1] + ("a" if own.key[-1] != "a" else "b")
    network = await keys.create("grameenphone", staff_act(), kind="network")
    method, template = operation
    path = template.format(application=applied[2], complaint=complained[2])
    statuses = []
    for key in ("", wrong, revoked, other.key, own.key, network):
        client = DepartmentClient(own.http, own.url, key)
        if method == "GET":
            status, body = await client.get(path)
        elif path.endswith("/payments"):
            cash = {"amount_minor": 5000, "currency": "BDT", "receipt": "R-17"}
            status, body = await client.post_payment(applied[2], cash)
        elif path == "/number-notices":
            status, body = await client.post_notice({"number": "+8801711000077", "taken_on": "2026-11-01"})
        else:
            _, kind, number, _ = path.split("/")
            status, body = await client.post_event(number, {"status": "under_review"}, kind=kind)
        statuses.append(status)
        if key != own.key:
            assert not body.get("items"), "nothing of this department"
    assert tuple(statuses) == OPERATIONS[operation]
