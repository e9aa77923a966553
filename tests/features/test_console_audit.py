"""The audit log in the console: filters, pages, and the copy that an auditor takes."""

import json
import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from core.reference_numbers import generate_tracking_number
from services.audit.audit import AuditLog, build_audit_entry
from services.audit.models import Actor
from tests.support.console import open_staff_room
from tests.support.phone import build_settings, run_gateway

OFFICER = Actor("officer", "17", "api")
CITIZEN = Actor("citizen", "17", "ussd")


@pytest.fixture
async def staff_room(tmp_path):
    settings = build_settings(tmp_path)
    async with run_gateway(settings) as url, open_staff_room(settings, url) as room:
        yield room


async def record(room, *entries, at=None):
    """Add entries: an actor, an act and a subject each; at a time, a second apart."""
    moment = at or datetime.now(UTC)
    for number, (actor, act, subject) in enumerate(entries):
        log = AuditLog(room.database, clock=lambda now=moment + timedelta(seconds=number): now)
        async with room.database.transaction() as transaction:
            entry = build_audit_entry(actor, act, "application", subject, f"{act}/{subject}/{number}/{moment}")
            await log.record(transaction, entry)


def listed_acts(browser):
    """The acts of the table, from the newest."""
    return re.findall(r"<code>(\w+)</code></a></td>", browser.html)


async def test_the_newest_entry_comes_first_and_each_value_leads_to_its_entries(staff_room):
    case = generate_tracking_number()
    await record(
        staff_room,
        (CITIZEN, "application_submitted", case),
        (OFFICER, "application_moved", case),
        (CITIZEN, "pin_reset", "9"),
    )
    auditor = await staff_room.open_browser("auditor")
    await auditor.open("/console/audit?kind=citizen")
    assert listed_acts(auditor) == ["pin_reset", "application_submitted"]
    assert f"/console/audit?subject={case}" in auditor.links
    await auditor.open(f"/console/audit?subject={case}")
    assert listed_acts(auditor) == ["application_moved", "application_submitted"]
    await auditor.open("/console/audit?kind=officer&actor=17")
    assert listed_acts(auditor) == ["application_moved"]
    await auditor.open("/console/audit?act=pin_reset")
    assert listed_acts(auditor) == ["pin_reset"]
    assert "Nothing" not in auditor.text


async def test_pages_follow_each_other_without_a_gap(staff_room):
    await record(staff_room, *((CITIZEN, f"act_{number}", "1") for number in range(120)))
    auditor = await staff_room.open_browser("auditor")
    await auditor.open("/console/audit?kind=citizen")
    seen = listed_acts(auditor)
    while "Older" in auditor.text:
        (older,) = [link for link in auditor.links if "before=" in link]
        assert "kind=citizen" in older
        seen += listed_acts(await auditor.open(older))
    assert seen == [f"act_{number}" for number in reversed(range(120))]


async def test_days_are_days_of_the_gateway_and_both_are_included(staff_room):
    late = datetime(2026, 3, 1, 19, 30, tzinfo=UTC)  # the second of March in Dhaka
    await record(staff_room, (CITIZEN, "before", "1"), at=late - timedelta(hours=2))
    await record(staff_room, (CITIZEN, "late", "1"), at=late)
    await record(staff_room, (CITIZEN, "after", "1"), at=late + timedelta(days=1))
    auditor = await staff_room.open_browser("auditor")
    await auditor.open("/console/audit?since=2026-03-02&until=2026-03-02")
    assert listed_acts(auditor) == ["late"]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"subject": "+8801700000001"}, "The log has no phone numbers"),
        ({"subject": "254700000001"}, "The log has no phone numbers"),
        ({"subject": "0170 000 0001"}, "The log has no phone numbers"),
        ({"kind": "staff", "actor": "a@b.example"}, "The log has no phone numbers"),
        ({"actor": "17"}, "Choose by whom it was done"),
        ({"kind": "staff", "act": "pin_reset"}, "write an id or a login too"),
        ({"since": "yesterday"}, "day"),
    ],
    ids=["number", "number without a plus", "number in groups", "address", "actor alone", "kind and act", "no day"],
)
async def test_what_cannot_be_looked_for_is_said_beside_its_field_and_gets_into_no_address(staff_room, fields, problem):
    auditor = await staff_room.open_browser("auditor")
    await auditor.post("/console/audit", fields)
    assert (auditor.status, auditor.path) == (422, "/console/audit")
    assert problem in auditor.text
    assert 'aria-invalid="true"' in auditor.html


async def test_what_was_typed_becomes_an_address_that_can_be_kept(staff_room):
    await record(staff_room, (CITIZEN, "pin_reset", "9"))
    auditor = await staff_room.open_browser("auditor")
    await auditor.post("/console/audit", {"kind": "citizen", "actor": "17", "act": "pin_reset"})
    assert auditor.path == "/console/audit?kind=citizen&actor=17&act=pin_reset"
    assert listed_acts(auditor) == ["pin_reset"]


@pytest.mark.parametrize("before", ["x", "2026-03-02~1", "2026-03-02T00:00:00+00:00~", "~", "9" * 400])
async def test_an_address_that_was_cut_off_shows_the_first_page(staff_room, before):
    auditor = await staff_room.open_browser("auditor")
    await auditor.open(f"/console/audit?before={before}")
    assert auditor.status == 200


async def test_a_copy_has_what_the_filter_finds_and_is_itself_on_the_record(staff_room):
    await record(
        staff_room, (CITIZEN, "pin_reset", "9"), (OFFICER, "application_moved", "8"), (CITIZEN, "pin_reset", "7")
    )
    auditor = await staff_room.open_browser("auditor")
    chosen = {"kind": "citizen", "actor": "17", "act": "pin_reset", "since": "2026-01-02", "until": "2099-01-02"}
    await auditor.post("/console/audit/export", {"format": "jsonl", **chosen, "reason": "yearly audit"})
    assert auditor.headers["Content-Disposition"].endswith('.jsonl"')
    entries, digest = [json.loads(line) for line in auditor.html.splitlines()], b""
    assert [entry["subject"] for entry in entries] == ["9", "7"]
    for entry in entries:
        shown = entry.pop("digest")
        canonical = json.dumps(entry, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        digest = sha256(digest + canonical.encode()).digest()
        assert digest.hex() == shown
    await auditor.open("/console/audit?act=audit_exported")
    assert "yearly audit" in auditor.text
    assert "pin_reset" in auditor.text


async def test_a_copy_of_one_record_says_of_which(staff_room):
    await record(staff_room, (CITIZEN, "pin_reset", "9"), (CITIZEN, "pin_reset", "7"))
    auditor = await staff_room.open_browser("auditor")
    await auditor.post("/console/audit/export", {"format": "csv", "subject": "9", "reason": "ticket 4711"})
    assert auditor.html.count(",pin_reset,") == 1
    await auditor.open("/console/audit?subject=log")
    assert "filter_subject 9" in auditor.text


async def test_a_copy_needs_a_reason_and_helpdesk_gets_none(staff_room):
    auditor = await staff_room.open_browser("auditor")
    await auditor.post("/console/audit/export", {"format": "csv"})
    assert auditor.status == 422
    helpdesk = await staff_room.open_browser("helpdesk")
    await helpdesk.post("/console/audit/export", {"format": "csv", "reason": "curious"})
    assert helpdesk.status == 403
    await auditor.open("/console/audit?act=audit_exported")
    assert listed_acts(auditor) == []
