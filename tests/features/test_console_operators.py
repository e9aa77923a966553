"""Operators in the console: enrol, find, suspend, resume, a new PIN, unusual use; each act is in the audit log."""

import pytest
from sqlalchemy import select

from db.tables import audit, messages, operators
from tests.support.browser import launch_chromium
from tests.support.console import open_staff_room
from tests.support.keyboard import Keyboard
from tests.support.phone import build_settings, run_gateway

NUMBER = "+8801700000001"
ENROL = {"number": NUMBER, "name": "Karim Mia", "centre": "mirpur", "reason": "ticket 4711", "key": "a1"}


@pytest.fixture
async def admin(scene):
    return await scene.room.open_browser("admin")


async def fetch_all(scene, table):
    return (await scene.room.database.fetch(select(table).order_by(table.c.id))).all()


async def fetch_acts(scene):
    """The acts of staff on operators: act, subject, who, over which channel, and why."""
    rows = await fetch_all(scene, audit)
    return [
        (row.act, row.subject, row.actor, row.channel, row.details["reason"])
        for row in rows
        if row.subject_kind == "operator"
    ]


async def enrol(admin, **fields):
    return await admin.post("/console/operators/add", ENROL | fields)


async def test_an_operator_is_enrolled_and_gets_the_pin_by_sms(scene, admin):
    await enrol(admin)
    assert admin.path == "/console/operators/1?done=added"
    assert "The operator is enrolled. The PIN is on its way by SMS." in admin.text
    assert "Karim Mia" in admin.text
    assert NUMBER not in admin.html
    assert await fetch_acts(scene) == [("operator_added", "1", "asha", "console", "ticket 4711")]
    (sms,) = await fetch_all(scene, messages)
    assert (sms.recipient, sms.kind) == (NUMBER, "pin")


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("number", "12345", "This is not a phone number."),
        ("centre", "mirpurr", "There is no such centre. Write the code of one, such as mirpur."),
        ("consents_a_day", "many", "Write a whole number from 1 on."),
        ("name", "n" * 61, "Write one line of at most 60 characters."),
        ("reason", "", "Write a reason of 1 to 120 characters."),
        ("reason", "call +8801700000001", "Write a reason of 1 to 120 characters."),
    ],
)
async def test_what_cannot_be_used_is_said_beside_its_field_and_what_was_typed_stays(scene, admin, field, typed, said):
    await enrol(admin, **{field: typed})
    assert admin.status == 422
    assert said in admin.text
    assert f'aria-describedby="add-{field}-problem"' in admin.html
    assert f'value="{NUMBER}"' in admin.html or field == "number"
    assert not await fetch_all(scene, operators)


async def test_a_number_of_another_country_is_refused(tmp_path):
    settings = build_settings(tmp_path, COUNTRIES__ALLOWED='["IN"]')
    async with run_gateway(settings) as url, open_staff_room(settings, url) as room:
        admin = await enrol(await room.open_browser("admin"))
    assert "a country that the gateway does not serve" in admin.text


async def test_a_number_is_enrolled_once(admin):
    await enrol(admin)
    await enrol(admin, key="a2")
    assert admin.status == 422
    assert "Operator 1 has this number already." in admin.text


@pytest.mark.parametrize("typed", [NUMBER, " +880 1700-000001 ", "1", "#1"])
async def test_an_operator_is_found_by_number_or_id_and_the_number_is_in_no_address(admin, typed):
    await enrol(admin)
    await admin.post("/console/operators/find", {"what": typed})
    assert admin.path == "/console/operators/1"


@pytest.mark.parametrize("typed", ["", "2", "+8801700000009", "nobody", "9" * 30])
async def test_an_unknown_operator_is_not_found(admin, typed):
    await admin.post("/console/operators/find", {"what": typed})
    assert admin.status == 422
    assert "No operator has this number." in admin.text


async def test_suspend_resume_and_a_new_pin_each_with_its_reason(scene, admin):
    await enrol(admin)
    await admin.post("/console/operators/1/suspend", {"reason": "PIN told to others", "key": "b1"})
    assert "The operator is suspended." in admin.text
    assert "/console/operators/1/suspend" not in admin.form_actions
    await admin.post("/console/operators/1/suspend", {"reason": "once more", "key": "b2"})
    assert (admin.status, "This operator is suspended already." in admin.text) == (422, True)
    await admin.post("/console/operators/1/resume", {"reason": "talked with him", "key": "b3"})
    assert "The operator can sign in again." in admin.text
    await admin.post("/console/operators/1/resume", {"reason": "once more", "key": "b4"})
    assert (admin.status, "This operator is not suspended." in admin.text) == (422, True)
    await admin.post("/console/operators/1/pin", {"reason": "PIN forgotten", "key": "b5"})
    assert "A new PIN is on its way by SMS." in admin.text
    assert [act[0] for act in await fetch_acts(scene)] == [
        "operator_added",
        "operator_suspended",
        "operator_resumed",
        "operator_pin_reset",
    ]
    assert len(await fetch_all(scene, messages)) == 2


async def test_the_helpdesk_suspends_and_does_nothing_else(scene, admin):
    await enrol(admin)
    helpdesk = await scene.room.open_browser("helpdesk")
    await helpdesk.open("/console/operators/1")
    assert [path for path in helpdesk.form_actions if "operators" in path] == ["/console/operators/1/suspend"]
    await helpdesk.post("/console/operators/1/suspend", {"reason": "ticket 12", "key": "c1"})
    assert "suspended" in helpdesk.text


async def test_a_list_goes_on_before_an_operator(admin):
    await enrol(admin)
    await admin.open("/console/operators?before=1")
    assert "There is no operator yet." in admin.text
    await admin.open("/console/operators?before=nonsense")
    assert "Operator 1" in admin.text


async def test_the_report_names_no_citizen_and_says_what_is_unusual(admin):
    await enrol(admin)
    await admin.open("/console/operators/report?days=30")
    assert "Last 30 days" in admin.text
    assert "/console/operators/1" in admin.links
    await admin.open("/console/operators/report?days=400")
    assert "Last 7 days" in admin.text


async def test_an_operator_that_does_not_exist_is_no_page(admin):
    await admin.open("/console/operators/77")
    assert admin.status == 404
    await admin.post("/console/operators/77/suspend", {"reason": "ticket 1"})
    assert admin.status == 404


async def test_an_admin_suspends_an_operator_by_keyboard_alone(scene, admin):
    await enrol(admin)
    async with launch_chromium() as browser:
        context = await browser.new_context()
        await scene.room.sign_in_chromium(context)
        page = await context.new_page()
        await page.goto(f"{scene.url}/console/operators")
        keyboard = Keyboard(page)
        await keyboard.press("/")
        await keyboard.type(NUMBER)
        await keyboard.submit()
        await keyboard.reach("Suspend")
        await keyboard.press("Enter")
        await keyboard.fill("Reason", "PIN told to others")
        await keyboard.follow("Suspend", "button")
        assert "The operator is suspended." in await page.inner_text("main")
        assert NUMBER not in page.url
    (row,) = await fetch_all(scene, operators)
    assert row.suspended_at is not None
