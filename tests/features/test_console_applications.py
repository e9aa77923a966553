"""Officers work on applications in the console: list, find, read, preview, move, and see who applied."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.keys import open_cipher
from core.types import utc_now
from db.tables import applications, audit, messages
from services.messaging.messages import associated_data
from tests.support.case_rows import APPLICANT, BENEFICIARY, CaseRows
from tests.support.console_pages import open_scene

LIST = "/console/applications"
NOTE = {"note_en": "Come on Sunday.", "note_bn": "রবিবার আসুন।"}
MOVE = {"status": "ready", "reason": "ticket 4711", "key": "a1", **NOTE}
UNKNOWN = "123456789015"


@pytest.fixture
async def scene(tmp_path: Path):
    async with open_scene(tmp_path, CONSOLE__SMS_PRICE="0.35") as scene:
        yield scene


@pytest.fixture
async def rows(scene):
    return CaseRows(scene.room.database, await open_cipher(scene.settings))


@pytest.fixture
async def officer(scene):
    return await scene.room.open_browser("officer")


async def fetch_all(scene, table):
    return (await scene.room.database.fetch(select(table).order_by(table.c.id))).all()


async def fetch_acts(scene):
    """The acts of staff on applications: act, subject, who, over which channel, and the details."""
    entries = [row for row in await fetch_all(scene, audit) if row.subject_kind == "application"]
    return [(row.act, row.subject, row.actor_kind, row.actor, row.channel, row.details) for row in entries]


async def read_sms(scene, rows):
    """The SMS in the queue: to whom, and the text."""
    queued = await fetch_all(scene, messages)
    return [
        (one.recipient, rows.cipher.decrypt(one.text, associated_data(one.idempotency_key)).decode()) for one in queued
    ]


async def test_an_officer_sees_the_applications_of_one_department_alone(rows, officer):
    own, other = await rows.add_application("dncc"), await rows.add_application("brta")
    await officer.open(LIST)
    assert f"{LIST}/{own}" in officer.links
    assert f"{LIST}/{other}" not in officer.links
    await officer.open(f"{LIST}?department=brta")
    assert f"{LIST}/{other}" not in officer.links
    assert "Department" not in officer.text, "there is no department to choose"


@pytest.mark.parametrize("act", ["", "/preview", "/move", "/reveal"])
async def test_an_address_of_another_department_leads_an_officer_nowhere(scene, rows, officer, act):
    number = await rows.add_application("brta")
    for path in (f"{LIST}/{number}{act}", f"{LIST}/{UNKNOWN}{act}"):
        await (officer.post(path, MOVE) if act else officer.open(path))
        assert officer.status == 404
        assert "There is no such page" in officer.text
    assert [row.status for row in await fetch_all(scene, applications)] == ["received"]
    assert await fetch_acts(scene) == []
    assert await read_sms(scene, rows) == []


async def test_an_officer_does_not_find_a_number_of_another_department(rows, officer):
    number = await rows.add_application("brta")
    await officer.post(f"{LIST}/find", {"number": number})
    assert officer.status == 422
    assert "There is no such number among those that you may see." in officer.text
    assert number in officer.html, "what was typed stays"


@pytest.mark.parametrize("role", ["admin", "auditor"])
async def test_an_administrator_and_an_auditor_see_all_departments(scene, rows, role):
    numbers = [await rows.add_application(department) for department in ("dncc", "brta")]
    browser = await scene.room.open_browser(role)
    await browser.open(LIST)
    assert {f"{LIST}/{number}" for number in numbers} <= set(browser.links)
    await browser.open(f"{LIST}?department=brta")
    assert [link for link in browser.links if link.startswith(f"{LIST}/")] == [f"{LIST}/{numbers[1]}"]
    await browser.open(f"{LIST}/{numbers[0]}")
    assert browser.status == 200


async def test_an_auditor_reads_the_case_but_not_what_was_typed(scene, rows):
    number = await rows.add_application(form={"holder": "Rahim Uddin"}, answer="my father is Karim")
    auditor = await scene.room.open_browser("auditor")
    await auditor.open(f"{LIST}/{number}")
    assert "Birth certificate" in auditor.text
    assert "Only those who work on the application see what was typed." in auditor.text
    assert "Rahim Uddin" not in auditor.html
    assert "Karim" not in auditor.html
    assert auditor.form_actions == ["/console/sign-out"]


@pytest.mark.parametrize("typed", ["{number}", "{grouped}", " {number} ", "{bengali}"])
async def test_a_number_is_found_however_it_is_typed(rows, officer, typed):
    number = await rows.add_application()
    forms = {
        "number": number,
        "grouped": f"{number[:4]} {number[4:8]}-{number[8:]}",
        "bengali": number.translate(str.maketrans("0123456789", "০১২৩৪৫৬৭৮৯")),
    }
    await officer.post(f"{LIST}/find", {"number": typed.format_map(forms)})
    assert officer.path == f"{LIST}/{number}"


@pytest.mark.parametrize("typed", ["", "1234", "+8801711000001", "rahima", "1" * 40])
async def test_what_is_no_number_is_said_beside_the_field(officer, typed):
    await officer.post(f"{LIST}/find", {"number": typed})
    assert officer.status == 422
    assert "A number has twelve digits." in officer.text


async def test_who_applied_is_masked_until_an_officer_says_why(scene, rows, officer):
    number = await rows.add_application(
        beneficiary=BENEFICIARY, applied_for="another", form={"nid": "19950000000000001"}
    )
    await officer.open(f"{LIST}/{number}")
    for hidden in (APPLICANT, BENEFICIARY, "Rahima", "19950000000000001"):
        assert hidden not in officer.html
    await officer.post(f"{LIST}/{number}/reveal", {"reason": ""})
    assert officer.status == 422
    assert APPLICANT not in officer.html
    await officer.post(f"{LIST}/{number}/reveal", {"reason": "ticket 4711", "key": "b1"})
    for shown in (APPLICANT, BENEFICIARY, "Rahima Begum", "19950000000000001"):
        assert shown in officer.text
    await officer.open(f"{LIST}/{number}")
    assert APPLICANT not in officer.html
    read = ("application_read", number, "staff", "omar", "console", {})
    revealed = ("identity_revealed", number, "staff", "omar", "console", {"reason": "ticket 4711"})
    assert await fetch_acts(scene) == [read, revealed, read]


async def test_a_number_that_was_released_is_nobodys(rows, officer):
    number = await rows.add_application(msisdn="#1")
    await officer.post(f"{LIST}/{number}/reveal", {"reason": "ticket 4711"})
    assert "Phone none" in officer.text


async def test_the_preview_is_what_is_sent(scene, rows, officer):
    number = await rows.add_application(beneficiary=BENEFICIARY, applied_for="another")
    await officer.post(f"{LIST}/{number}/preview", MOVE | {"reason": ""})
    assert officer.status == 200
    assert await read_sms(scene, rows) == []
    previewed = officer.text
    assert "SMS to the applicant · segments: 2 · about Tk 0.70" in previewed
    assert "SMS to the person it is for · segments: 2 · about Tk 0.70" in previewed
    assert NOTE["note_en"] in officer.html, "what was typed stays"
    await officer.post(f"{LIST}/{number}/move", MOVE)
    assert officer.path == f"{LIST}/{number}?done=moved"
    assert "The status is saved, and the citizen gets the SMS." in officer.text
    sent = await read_sms(scene, rows)
    assert [recipient for recipient, _ in sent] == [APPLICANT, BENEFICIARY]
    for _, text in sent:
        assert NOTE["note_bn"] in text
        assert " ".join(text.split()) in previewed


async def test_htmx_gets_the_preview_alone(rows, officer):
    number = await rows.add_application()
    await officer.post(f"{LIST}/{number}/preview", MOVE, **{"HX-Request": "true"})
    assert officer.status == 200
    assert "<html" not in officer.html
    assert officer.text.startswith("SMS to the applicant · segments:")


async def test_who_moves_it_and_why_is_on_the_record_once(scene, rows, officer):
    number = await rows.add_application()
    for _ in range(2):  # the second click
        await officer.post(f"{LIST}/{number}/move", MOVE)
    assert len(await read_sms(scene, rows)) == 1
    moves = [act for act in await fetch_acts(scene) if act[0] == "application_moved"]
    details = {"reason": "ticket 4711", "status": "ready"}
    assert moves == [("application_moved", number, "staff", "omar", "console", details)]
    await officer.open(f"{LIST}/{number}")
    assert "Ready to collect" in officer.text
    assert NOTE["note_bn"] in officer.text


async def test_an_officer_does_not_move_what_a_colleague_moved_meanwhile(scene, rows, officer):
    number = await rows.add_application()
    await officer.open(f"{LIST}/{number}")
    seen = {"seen": re.search(r'name="seen" value="(\d+)"', officer.html)[1]}
    colleague = await scene.room.open_browser("admin")
    await colleague.post(f"{LIST}/{number}/move", {"status": "under_review", "reason": "ticket 4712"})
    await officer.post(f"{LIST}/{number}/move", MOVE | seen)
    assert officer.status == 422
    assert "It has changed since you opened this page." in officer.text
    assert "Being checked" in officer.text, "the page shows it as it is now"
    assert NOTE["note_en"] in officer.html
    seen = {"seen": re.search(r'name="seen" value="(\d+)"', officer.html)[1]}
    for _ in range(2):
        await officer.post(f"{LIST}/{number}/move", MOVE | seen)
    assert officer.path == f"{LIST}/{number}?done=unchanged"
    assert len(await read_sms(scene, rows)) == 2


async def test_the_status_that_it_has_changes_nothing(scene, rows, officer):
    number = await rows.add_application(status="ready")
    await officer.post(f"{LIST}/{number}/preview", {"status": "ready"})
    assert "Nothing changes, so no SMS is sent" in officer.text
    await officer.post(f"{LIST}/{number}/move", {"status": "ready", "reason": "ticket 4711"})
    assert "It had this status already" in officer.text
    assert await read_sms(scene, rows) == []


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"status": "received", "note_en": "", "note_bn": ""}, "It was further than this status. Tell the citizen why"),
        ({"status": "lost"}, "Choose one of the statuses."),
        ({"note_hi": "क" * 161}, "A note has at most 160 characters. Shorten it."),
        ({"note_en": "bell \x07"}, "The note has a sign that cannot be sent."),
        ({"reason": ""}, "Write a reason of 1 to 120 characters."),
        ({"reason": "called +8801711000001"}, "It must not have a phone number"),
    ],
)
async def test_what_cannot_be_done_is_said_on_the_page_and_what_was_typed_stays(scene, rows, officer, typed, said):
    number = await rows.add_application(status="under_review")
    await officer.post(f"{LIST}/{number}/move", MOVE | typed)
    assert officer.status == 422
    assert said in officer.text
    for name, text in (NOTE | typed).items():
        assert name == "status" or text in officer.html
    assert await read_sms(scene, rows) == []


async def test_a_note_may_have_line_breaks_and_every_line_is_sent(scene, rows, officer):
    number = await rows.add_application()
    await officer.post(f"{LIST}/{number}/move", MOVE | {"note_bn": "এক\r\nদুই"})
    ((_, text),) = await read_sms(scene, rows)
    assert "এক\nদুই" in text


@pytest.mark.parametrize("status", ["delivered", "withdrawn"])
async def test_an_application_at_its_end_has_no_form_and_says_why(rows, officer, status):
    number = await rows.add_application(status=status)
    await officer.open(f"{LIST}/{number}")
    assert "It is delivered or withdrawn, and does not move any more." in officer.text
    assert f"{LIST}/{number}/move" not in officer.form_actions
    await officer.post(f"{LIST}/{number}/move", MOVE)
    assert officer.status == 422


async def test_a_list_shows_fifty_and_leads_to_the_older_ones(rows, officer):
    start = utc_now()
    numbers = [await rows.add_application(at=start - timedelta(minutes=place)) for place in range(53)]
    await officer.open(f"{LIST}?status=received")
    listed = [link.rpartition("/")[2] for link in officer.links if link.startswith(f"{LIST}/")]
    assert listed == numbers[:50]
    (older,) = [link for link in officer.links if "before=" in link]
    assert "status=received" in older
    await officer.open(older)
    listed = [link.rpartition("/")[2] for link in officer.links if link.startswith(f"{LIST}/")]
    assert listed == numbers[50:]
    assert not [link for link in officer.links if "before=" in link]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("status=ready", ["ready"]),
        ("office=uttara", ["received"]),
        ("service=trade_licence", ["under_review"]),
        ("service=birth_certificate&office=mirpur", ["old", "ready"]),
        ("since=2026-01-02", ["ready", "received", "under_review"]),
        ("status=lost&since=tomorrow&before=x&service=&office=", ["old", "ready", "received", "under_review"]),
        (f"before={'9' * 16}-{'9' * 16}", ["old", "ready", "received", "under_review"]),
    ],
)
async def test_filters_choose_and_a_value_that_no_form_offers_counts_as_missing(rows, officer, query, expected):
    new, old = datetime(2026, 6, 1, tzinfo=UTC), datetime(2025, 6, 1, tzinfo=UTC)
    numbers = {
        await rows.add_application(status="ready", at=new): "ready",
        await rows.add_application(office="uttara", at=new): "received",
        await rows.add_application(service="trade_licence", status="under_review", at=new): "under_review",
        await rows.add_application(at=old): "old",
    }
    await officer.open(f"{LIST}?{query}")
    assert officer.status == 200
    listed = [link.rpartition("/")[2] for link in officer.links if link.startswith(f"{LIST}/")]
    assert sorted(numbers[number] for number in listed) == expected
