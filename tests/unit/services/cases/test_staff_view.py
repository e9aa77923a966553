"""What staff see and do beyond a department: the scope of all departments, the preview of an SMS, and who is revealed."""

import json

import pytest
from sqlalchemy import select

from db.tables import audit, contacts, messages
from services.cases.models import Notice, StatusPreview, StatusRejected
from services.cases.notes import MAX_NOTE_LENGTH, NoteError, parse_note
from tests.support.complaints import ComplaintServiceSet
from tests.support.sample_rows import insert_row
from tests.support.services import KARIM, RAHIMA, birth_certificate_submission
from tests.support.staff import staff_act

OURS, THEIRS = "local_government", "land"
NOTE = {"en": "Come on Sunday."}


@pytest.fixture
def complaint_services(services):
    return ComplaintServiceSet(services)


@pytest.fixture
async def number(services):
    account = await services.register()
    submission = birth_certificate_submission(account, beneficiary=KARIM)
    receipt = await services.applications.submit(submission, "s1:30")
    await services.claim_sms()
    return receipt.tracking_number


@pytest.fixture
async def complaint(services, complaint_services):
    number = await complaint_services.submit_complaint()
    await services.claim_sms()
    return number


async def test_the_scope_of_all_departments_reads_and_moves_and_another_department_does_not(services, number):
    view = services.department_applications
    assert [await view.has(scope, number) for scope in (OURS, None, THEIRS, "")] == [True, True, False, False]
    assert (await view.get(None, number)).department == OURS
    assert await view.get(THEIRS, number) is None
    assert await view.preview_move(THEIRS, number, "ready", NOTE) == StatusRejected("unknown")
    assert await view.move(THEIRS, number, "ready", NOTE, "k1") == StatusRejected("unknown")
    moved = await view.move(None, number, "ready", NOTE, "k1")
    again = await view.move(OURS, number, "ready", NOTE, "k1")
    assert (moved.is_repeat, again.is_repeat) == (False, True), "the key is that of the case, whoever may see it"


@pytest.mark.parametrize("status", ["under_review", "more_information", "ready"])
async def test_the_preview_of_an_application_is_what_the_move_sends(services, number, status):
    view = services.department_applications
    preview = await view.preview_move(None, number, status, NOTE)
    assert await services.count_rows(messages) == 2, "a preview sends nothing"
    await view.move(None, number, status, NOTE, "k1")
    sent = await services.messages.claim("test", 10)
    assert [notice.text for notice in preview.notices] == [one.text for one in sent]
    assert [notice.recipient for notice in preview.notices] == ["applicant", "beneficiary"]


async def test_a_preview_is_in_the_letters_that_the_citizen_reads(services, number):
    await insert_row(services.database, contacts, services.clock.now, msisdn=RAHIMA, latin_letters=True)
    preview = await services.department_applications.preview_move(None, number, "ready", NOTE)
    await services.department_applications.move(None, number, "ready", NOTE, "k1")
    assert preview.notices[0].text == (await services.messages.claim("test", 10))[0].text


async def test_nobody_gets_an_sms_at_a_number_that_was_released(services, complaint_services):
    account = await services.register()
    submission = birth_certificate_submission(account, msisdn="#1")
    number = (await services.applications.submit(submission, "s1:30")).tracking_number
    assert await services.department_applications.preview_move(None, number, "ready", NOTE) == StatusPreview()
    number = await complaint_services.submit_complaint(msisdn="#1")
    preview = await complaint_services.department_complaints.preview_move(None, number, "answered", NOTE)
    assert preview == StatusPreview()


@pytest.mark.parametrize(
    ("status", "note", "expected"),
    [
        ("lost", NOTE, StatusRejected("no_such_status")),
        ("received", {}, StatusPreview()),
    ],
)
async def test_a_preview_says_why_nothing_would_be_sent(services, number, status, note, expected):
    assert await services.department_applications.preview_move(None, number, status, note) == expected


async def test_a_preview_after_the_end_is_rejected(services, number):
    view = services.department_applications
    await view.move(None, number, "ready", NOTE, "k1")
    assert await view.preview_move(None, number, "received", {}) == StatusRejected("backwards")
    await view.move(None, number, "delivered", {}, "k2")
    assert await view.preview_move(None, number, "received", NOTE) == StatusRejected("final")


async def test_the_preview_of_a_complaint_is_what_the_move_sends(services, complaint_services, complaint):
    view = complaint_services.department_complaints
    for status, note in (("under_review", {}), ("answered", NOTE), ("closed", {})):
        preview = await view.preview_move(None, complaint, status, note)
        await view.move(None, complaint, status, note, f"key of {status}")
        (sent,) = await services.messages.claim("test", 10)
        assert preview == StatusPreview((Notice("complainant", sent.text),))
    assert json.loads(sent.text)[1] == "complaint_moved"
    assert await view.preview_move(None, complaint, "answered", NOTE) == StatusRejected("closed")
    assert await view.preview_move(None, complaint, "escalated", NOTE) == StatusRejected("no_such_status")
    assert await view.preview_move(THEIRS, complaint, "closed", {}) == StatusRejected("unknown")


async def test_who_is_revealed_is_on_the_record_with_the_reason_once_for_each_form(
    services, complaint_services, number, complaint
):
    views = [(services.department_applications, number), (complaint_services.department_complaints, complaint)]
    for view, case in views:
        act = staff_act()
        assert await view.reveal(THEIRS, case, act) is None
        for _ in range(2):
            assert await view.reveal(None, case, act)
    rows = await services.database.fetch(select(audit).where(audit.c.act == "identity_revealed").order_by(audit.c.id))
    entries = [(row.subject_kind, row.subject, row.actor, row.details) for row in rows]
    details = {"reason": "ticket 4711"}
    assert entries == [("application", number, "nadia", details), ("complaint", complaint, "nadia", details)]


async def test_a_case_that_has_changed_since_it_was_seen_stays_as_it_is(
    services, complaint_services, number, complaint, clock
):
    seen = clock.now
    clock.advance(seconds=1)
    applications, complaints = services.department_applications, complaint_services.department_complaints
    for view, case, next_status in ((applications, number, "ready"), (complaints, complaint, "answered")):
        await view.move(None, case, "under_review", {}, "k1", seen=seen)
        assert await view.move(None, case, next_status, NOTE, "k2", seen=seen) == StatusRejected("changed")
        assert (await view.move(None, case, "under_review", {}, "k1", seen=seen)).is_repeat
        assert (await view.move(None, case, next_status, NOTE, "k2", seen=clock.now)).status == next_status


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "blank"),
        (" \n ", "blank"),
        ("bell \x07", "unprintable"),
        ("tab\t", "unprintable"),
        ("n" * (MAX_NOTE_LENGTH + 1), "too_long"),
    ],
)
def test_a_note_that_cannot_be_sent_says_why(text, problem):
    with pytest.raises(NoteError) as caught:
        parse_note(text)
    assert caught.value.problem == problem


@pytest.mark.parametrize("text", ["Come.", " Come.\nToday. ", "n" * MAX_NOTE_LENGTH, "রবিবার আসুন।"])
def test_a_note_is_kept_without_outer_spaces(text):
    assert parse_note(text) == text.strip()
