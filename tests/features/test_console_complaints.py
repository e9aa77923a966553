"""Officers answer complaints in the console, and read feedback."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.keys import open_cipher
from db.tables import audit, complaints, messages
from services.messaging.messages import associated_data
from tests.support.case_rows import APPLICANT, CaseRows

LIST = "/console/complaints"
ANSWER = {"status": "answered", "note_en": "We are sorry. It is ready.", "reason": "ticket 4711", "key": "a1"}


@pytest.fixture
async def rows(scene):
    return CaseRows(scene.room.database, await open_cipher(scene.settings))


@pytest.fixture
async def officer(scene):
    return await scene.room.open_browser("officer")


async def fetch_all(scene, table):
    return (await scene.room.database.fetch(select(table).order_by(table.c.id))).all()


async def fetch_acts(scene):
    """The acts on complaints: act, actor, channel, and the details."""
    entries = [row for row in await fetch_all(scene, audit) if row.subject_kind == "complaint"]
    return [(row.act, row.actor, row.channel, row.details) for row in entries]


async def test_an_officer_sees_the_complaints_about_one_department_alone(rows, officer):
    own, other, gateway = [await rows.add_complaint(department) for department in ("dncc", "brta", "")]
    for path in (LIST, f"{LIST}?department=none", f"{LIST}?department=brta"):
        await officer.open(path)
        assert [link for link in officer.links if link.startswith(f"{LIST}/")] == [f"{LIST}/{own}"]
    for number in (other, gateway):
        await officer.post(f"{LIST}/find", {"number": number})
        assert officer.status == 422


@pytest.mark.parametrize("act", ["", "/preview", "/move", "/reveal"])
async def test_an_address_of_another_department_leads_an_officer_nowhere(scene, rows, officer, act):
    for department in ("brta", ""):
        path = f"{LIST}/{await rows.add_complaint(department)}{act}"
        await (officer.post(path, ANSWER) if act else officer.open(path))
        assert officer.status == 404
    assert {row.status for row in await fetch_all(scene, complaints)} == {"received"}
    assert await fetch_acts(scene) == []


@pytest.mark.parametrize("role", ["admin", "auditor"])
async def test_an_administrator_and_an_auditor_see_those_of_the_gateway_too(scene, rows, role):
    await rows.add_complaint("dncc")
    number = await rows.add_complaint("")
    browser = await scene.room.open_browser(role)
    await browser.open(f"{LIST}?department=none")
    assert [link for link in browser.links if link.startswith(f"{LIST}/")] == [f"{LIST}/{number}"]
    await browser.open(f"{LIST}/{number}")
    assert "No department: the team of the gateway" in browser.text
    assert (f"{LIST}/{number}/move" in browser.form_actions) == (role == "admin")


async def test_an_officer_reads_the_words_and_the_history_with_the_verdict(scene, rows, officer):
    number = await rows.add_complaint(text="They asked for money", reason="money", status="escalated", level=1)
    ((complaint,),) = await scene.room.database.fetch(select(complaints.c.id))
    note = {"en": "We asked the office."}
    await rows.add_complaint_event(complaint, status="answered", note=note, actor_kind="department")
    await rows.add_complaint_event(complaint, status="escalated", level=1, actor_kind="citizen")
    await officer.open(f"{LIST}/{number}")
    assert "Asked for money" in officer.text
    assert "They asked for money" in officer.text
    assert "We asked the office." in officer.text
    assert officer.text.count("The citizen is not satisfied with the answer.") == 1
    assert "senior officer" in officer.text
    assert APPLICANT not in officer.html


async def test_a_complaint_that_nobody_answered_in_time_says_so(scene, rows, officer):
    promised = datetime(2026, 1, 1, tzinfo=UTC).date()
    number = await rows.add_complaint(status="escalated", level=1, promised=promised)
    ((complaint,),) = await scene.room.database.fetch(select(complaints.c.id))
    await rows.add_complaint_event(complaint, status="escalated", level=1, actor_kind="gateway")
    await officer.open(f"{LIST}/{number}")
    assert "It was not answered in time." in officer.text
    assert "Late by" in officer.text


async def test_an_answer_is_previewed_and_sent_once_with_who_and_why(scene, rows, officer):
    number = await rows.add_complaint()
    await officer.post(f"{LIST}/{number}/preview", ANSWER)
    assert "SMS to the complainant · segments: " in officer.text
    assert "about" not in officer.text.partition("SMS to the complainant")[2][:40], "no price is set"
    previewed = officer.text
    for _ in range(2):
        await officer.post(f"{LIST}/{number}/move", ANSWER)
    assert officer.path == f"{LIST}/{number}?done=unchanged"
    (sent,) = await fetch_all(scene, messages)
    text = rows.cipher.decrypt(sent.text, associated_data(sent.idempotency_key)).decode()
    assert sent.recipient == APPLICANT
    assert ANSWER["note_en"] in text
    assert " ".join(text.split()) in previewed
    moved = ("complaint_moved", "omar", "console", {"reason": "ticket 4711", "status": "answered", "level": "0"})
    assert [act for act in await fetch_acts(scene) if act[0] == "complaint_moved"] == [moved]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"note_en": ""}, "An answer needs a note: it is what the citizen reads."),
        ({"status": "escalated"}, "Choose one of the statuses."),
    ],
)
async def test_what_cannot_be_done_is_said_on_the_page(scene, rows, officer, typed, said):
    number = await rows.add_complaint()
    for act in ("move", "preview"):
        await officer.post(f"{LIST}/{number}/{act}", ANSWER | typed)
        assert said in officer.text
        assert officer.status == (422 if act == "move" else 200)
    assert await fetch_all(scene, messages) == []


async def test_a_closed_complaint_has_no_form_and_says_why(rows, officer):
    number = await rows.add_complaint(status="closed")
    await officer.open(f"{LIST}/{number}")
    assert "The complaint is closed, and does not move any more." in officer.text
    assert f"{LIST}/{number}/move" not in officer.form_actions


async def test_who_complains_is_masked_until_an_officer_says_why(scene, rows, officer):
    number = await rows.add_complaint()
    await officer.post(f"{LIST}/{number}/reveal", {"reason": "ticket 4711"})
    assert APPLICANT in officer.text
    assert await fetch_acts(scene) == [("identity_revealed", "omar", "console", {"reason": "ticket 4711"})]


async def test_the_application_that_a_complaint_is_about_is_one_link_away(scene, rows, officer):
    application = await rows.add_application()
    number = await rows.add_complaint(application=1)
    await officer.open(f"{LIST}/{number}")
    assert f"/console/applications/{application}" in officer.links


async def test_feedback_is_read_newest_first_by_its_department_without_its_sender(scene, rows, officer):
    start = datetime(2026, 6, 1, tzinfo=UTC)
    for place, (department, text) in enumerate(
        [("dncc", "older"), ("brta", "of others"), ("", "of none"), ("dncc", "newer")]
    ):
        await rows.add_feedback(department, text, rating=place + 1, at=start + timedelta(days=place))
    await officer.open("/console/feedback")
    assert officer.text.index("4 of 5") < officer.text.index("newer") < officer.text.index("1 of 5")
    assert "of others" not in officer.text
    assert "of none" not in officer.text
    assert f"…{APPLICANT[-3:]}" not in officer.text
    admin = await scene.room.open_browser("admin")
    await admin.open("/console/feedback?since=2026-06-02")
    assert [text in admin.text for text in ("newer", "of none", "of others", "older")] == [True, True, True, False]
    await admin.open("/console/feedback?department=none")
    assert [text in admin.text for text in ("of none", "of others")] == [True, False]
