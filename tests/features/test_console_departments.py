"""Departments in the console: their state, rejected applications, API keys, and a trial of the API."""

import re

import pytest
from sqlalchemy import select

from db.tables import api_keys, applications, audit, deliveries
from tests.support.console import open_staff_room
from tests.support.console_pages.departments import REJECTED_NUMBER, seed
from tests.support.phone import PUBLIC_SETTINGS, build_settings, run_gateway

REASON = {"reason": "ticket 4711"}
KEY = re.compile(r"ek_[0-9a-f]{8}_[A-Za-z0-9_-]{43}")


@pytest.fixture
async def admin(scene):
    return await scene.room.open_browser("admin")


async def fetch_all(scene, table):
    return (await scene.room.database.fetch(select(table))).all()


async def fetch_acts(scene):
    rows = [row for row in await fetch_all(scene, audit) if row.channel == "console"]
    return [(row.act, row.actor, row.details["reason"]) for row in rows]


async def ask_api(scene, key):
    """The status with which the department API answers a key."""
    headers = {"Authorization": f"Bearer {key}"}
    async with scene.room.http.get(f"{scene.url}/api/v1/applications", headers=headers) as response:
        return response.status


async def test_a_key_is_shown_once_works_and_is_revoked(scene, admin):
    fields = {"label": "licence system", "key": "k1", **REASON}
    await admin.post("/console/departments/dncc/keys", fields)
    assert "Copy this key now: it is not shown again." in admin.text
    (key,) = set(KEY.findall(admin.html))
    assert await ask_api(scene, key) == 200
    await admin.post("/console/departments/dncc/keys", fields)
    assert (admin.status, KEY.findall(admin.html)) == (409, [])
    assert "This form made a key before" in admin.text
    assert len(await fetch_all(scene, api_keys)) == 1
    await admin.open("/console/departments/dncc")
    assert key not in admin.html
    assert "licence system" in admin.text
    await admin.post(f"/console/departments/keys/{key.split('_')[1]}/revoke", {**REASON, "key": "k2"})
    assert "The key is revoked. It is rejected from now on." in admin.text
    assert await ask_api(scene, key) == 401
    assert await fetch_acts(scene) == [
        ("key_added", "asha", "ticket 4711"),
        ("key_revoked", "asha", "ticket 4711"),
    ]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"until": "2020-01-01"}, "This day is over."),
        ({"until": "soon"}, "This is not a day."),
        ({"label": "l" * 65}, "Write one line of at most 64 characters."),
        ({"reason": ""}, "Write a reason"),
    ],
)
async def test_a_key_with_a_wrong_field_is_not_made(scene, admin, fields, said):
    await admin.post("/console/departments/dncc/keys", REASON | fields)
    assert admin.status == 422
    assert said in admin.text
    assert not await fetch_all(scene, api_keys)


async def test_a_network_has_keys_of_its_own(scene, admin):
    await admin.post("/console/departments/networks/keys", {"network": "Grameen Phone", **REASON})
    assert (admin.status, "This is not the name of a network." in admin.text) == (422, True)
    await admin.post("/console/departments/networks/keys", {"network": "gp", "key": "n1", **REASON})
    assert len(set(KEY.findall(admin.html))) == 1
    (row,) = await fetch_all(scene, api_keys)
    assert (row.kind, row.department) == ("network", "gp")
    await admin.open("/console/departments/networks")
    assert row.id in admin.text
    await admin.open("/console/departments/dncc")
    assert row.id not in admin.text


async def test_a_rejected_application_is_sent_again(scene, admin):
    await seed(scene)
    await admin.open("/console/departments/dncc")
    assert "9100 0000 0017" in admin.text
    fields = {"number": REJECTED_NUMBER, **REASON}
    await admin.post("/console/departments/nid/retry", fields)
    assert (admin.status, "has not rejected this application" in admin.text) == (422, True)
    await admin.post("/console/departments/dncc/retry", fields)
    assert "The application is sent again with the next deliveries." in admin.text
    (delivery,) = await fetch_all(scene, deliveries)
    assert delivery.state == "queued"
    assert await fetch_acts(scene) == [("delivered_again", "asha", "ticket 4711")]
    await admin.post("/console/departments/dncc/retry", fields)
    assert admin.status == 422


async def test_a_trial_makes_a_key_and_an_application(scene, admin):
    await admin.post("/console/departments/dncc/trial", {"key": "t1", **REASON})
    assert admin.status == 200, admin.text
    (key,) = set(KEY.findall(admin.html))
    assert await ask_api(scene, key) == 200
    (application,) = await fetch_all(scene, applications)
    assert application.tracking_number in admin.html.replace(" ", "")
    await admin.post("/console/departments/dncc/trial", {"key": "t1", **REASON})
    assert admin.status == 409
    assert len(await fetch_all(scene, applications)) == 1


async def test_a_public_gateway_has_no_trials(tmp_path):
    settings = build_settings(tmp_path, CONSOLE__TWO_STEP="false", **PUBLIC_SETTINGS)
    async with run_gateway(settings) as url, open_staff_room(settings, url) as room:
        admin = await room.open_browser("admin")
        await admin.open("/console/departments/dncc")
        assert "/console/departments/dncc/trial" not in admin.form_actions
        await admin.post("/console/departments/dncc/trial", REASON)
        assert admin.status == 404


async def test_a_system_that_does_not_answer_is_shown_as_such(tmp_path):
    settings = build_settings(tmp_path, DEPARTMENTS__DNCC='{"url": "http://127.0.0.1:9/e", "token": "of a test"}')
    async with run_gateway(settings) as url, open_staff_room(settings, url) as room:
        admin = await room.open_browser("admin")
        await admin.open("/console/departments")
        assert "http://127.0.0.1:9/e" in admin.text
        await admin.post("/console/departments/dncc/ask")
        assert "Its system does not answer:" in admin.text
        await admin.post("/console/departments/nid/ask")
        assert "Its system answers." in admin.text


async def test_what_does_not_exist_is_no_page(admin):
    for path in ("/console/departments/nobody", "/console/departments/%3Cscript%3E"):
        await admin.open(path)
        assert admin.status == 404
    await admin.post("/console/departments/keys/00000000/revoke", REASON)
    assert admin.status == 404
