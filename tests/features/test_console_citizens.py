"""The helpdesk's page of the console: every look and act is on the record, and no address or page names a person."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import FormData
from sqlalchemy import select

from core.types import utc_now
from db.tables import audit
from services.helpdesk.models import Reference
from tests.support.citizen_steps import apply_for_birth_certificate, register
from tests.support.console import StaffBrowser
from tests.support.console_pages import Scene, open_scene
from tests.support.phone import MSISDN, Phone, read_metrics

REASON = {"reason": "ticket 4711"}
NEW_NUMBER = "+8801700000002"


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with open_scene(tmp_path, COUNTRIES__ALLOWED='["BD"]') as scene:
        yield scene


@pytest.fixture
def gateway(scene: Scene) -> str:
    return scene.url


@pytest.fixture
async def hasan(scene: Scene) -> StaffBrowser:
    """The browser of a member of the helpdesk."""
    return await scene.room.open_browser("helpdesk")


async def find(browser: StaffBrowser, what: str) -> str:
    """Look up a citizen; the address of the record."""
    await browser.post("/console/citizens", {"what": what})
    return browser.path.partition("?")[0]


async def read_acts(scene: Scene) -> list[tuple[str, str, str]]:
    """The acts of staff on records of others, the oldest first: act, subject, reason."""
    query = select(audit).where(audit.c.actor == "hasan", audit.c.channel == "console").order_by(audit.c.id)
    rows = (await scene.room.database.fetch(query)).all()
    return [(row.act, row.subject, row.details.get("reason", "")) for row in rows if row.subject_kind != "staff"]


@pytest.mark.parametrize("by", ["number", "spaced number", "application"])
async def test_a_citizen_is_found_and_the_look_is_on_the_record(
    scene: Scene, phone: Phone, hasan: StaffBrowser, by: str
) -> None:
    await register(phone)
    number = await apply_for_birth_certificate(phone)
    typed = {"number": MSISDN, "spaced number": "+880 1700-000 001", "application": number}[by]
    address = await find(hasan, typed)
    assert hasan.status == 200
    assert "A… B…" in hasan.text
    assert MSISDN[1:] not in hasan.html + address
    assert number not in address
    assert "Amina" not in hasan.html
    assert await read_acts(scene) == [("account_viewed", "1", "")]


async def test_what_leads_nowhere_is_said_and_stays_in_the_field(hasan: StaffBrowser) -> None:
    await find(hasan, "1234 5678 9012")
    assert (hasan.status, 'value="1234 5678 9012"' in hasan.html) == (422, True)
    assert "one of its digits is wrong" in hasan.text
    await find(hasan, "123456789018")
    assert hasan.status == 404
    assert "There is no application, complaint or feedback with this number." in hasan.text
    await find(hasan, NEW_NUMBER)
    assert hasan.status == 404
    assert "This number has no account, and nothing else is known of it." in hasan.text


async def test_an_address_that_nobody_sealed_leads_nowhere(phone: Phone, hasan: StaffBrowser) -> None:
    await register(phone)
    for made_up in ("1", MSISDN, "AAAA", "a" * 200, "%00", "Жук"):
        await hasan.open(f"/console/citizens/{made_up}")
        assert hasan.status == 404, made_up
    address = await find(hasan, MSISDN)
    await hasan.open(address[:-2] + ("AA" if not address.endswith("AA") else "BB"))
    assert hasan.status == 404


async def test_who_it_is_is_shown_once_and_with_a_reason(scene: Scene, phone: Phone, hasan: StaffBrowser) -> None:
    await register(phone)
    address = await find(hasan, MSISDN)
    await hasan.post(f"{address}/reveal", {"reason": ""})
    assert (hasan.status, "Amina" in hasan.html) == (422, False)
    assert "Write a reason of 1 to 120 characters." in hasan.text
    await hasan.post(f"{address}/reveal", REASON)
    assert "Amina Begum" in hasan.text
    assert MSISDN in hasan.text
    await hasan.open(address)
    assert "Amina" not in hasan.html
    assert ("identity_revealed", "1", "ticket 4711") in await read_acts(scene)


async def test_every_act_is_on_the_record_with_its_reason(scene: Scene, phone: Phone, hasan: StaffBrowser) -> None:
    await register(phone)
    address = await find(hasan, MSISDN)
    for act in ("sign_out", "freeze", "unfreeze", "reset_questions", "reset_pin", "release"):
        await hasan.post(f"{address}/{act}", REASON)
        assert (hasan.status, 'class="done"' in hasan.html) == (200, True), (act, hasan.text)
    await hasan.post(f"{address}/attach", {**REASON, "account": "1", "number": NEW_NUMBER})
    assert "The account has the new number now" in hasan.text
    assert "…002" in hasan.text, "the record is that of the new number"
    done = [(act, why) for act, _, why in await read_acts(scene) if act != "account_viewed"]
    acts = ("signed_out", "account_frozen", "account_unfrozen", "questions_reset", "pin_reset", "number_released")
    assert done == [(act, "ticket 4711") for act in (*acts, "number_attached")]


async def test_what_cannot_be_done_is_said_beside_the_form_with_what_was_typed(
    phone: Phone, hasan: StaffBrowser
) -> None:
    await register(phone)
    address = await find(hasan, MSISDN)
    await hasan.post(f"{address}/unfreeze", REASON)
    assert (hasan.status, "The account is not frozen." in hasan.text) == (422, False)
    await hasan.post(f"{address}/freeze", {"reason": "call +8801700000001"})
    assert 'value="call +8801700000001"' in hasan.html
    assert "must not have a phone number" in hasan.text
    await hasan.post(f"{address}/freeze", REASON)
    await hasan.post(f"{address}/reset_pin", REASON)
    assert "The account is frozen, and no PIN opens it." in hasan.text
    await hasan.post(f"{address}/release", REASON)
    for number, said in (("01700", "This is not a phone number."), ("+12025550123", "a country that is not supported")):
        await hasan.post(f"{address}/attach", {**REASON, "account": "1", "number": number})
        assert said in hasan.text
        assert (hasan.status, f'value="{number}"' in hasan.html) == (422, True)


async def test_a_second_click_changes_nothing(scene: Scene, phone: Phone, hasan: StaffBrowser) -> None:
    await register(phone)
    address = await find(hasan, MSISDN)
    for _ in range(2):
        await hasan.post(f"{address}/reset_pin", {**REASON, "key": "a1b2"})
        assert "A new PIN goes to the number by SMS" in hasan.text
    assert [act for act, _, _ in await read_acts(scene)].count("pin_reset") == 1


async def test_a_message_of_somebody_else_is_not_sent_again_from_this_record(
    scene: Scene, phone: Phone, hasan: StaffBrowser
) -> None:
    await register(phone)
    await apply_for_birth_certificate(phone)
    other = Phone(phone.http, scene.url, NEW_NUMBER)
    await register(other)
    address = await find(hasan, NEW_NUMBER)
    for message in ("1", "4711", "x", ""):
        await hasan.post(f"{address}/resend", {**REASON, "message": message})
        assert hasan.status == 422
        assert "This citizen has no such message." in hasan.text


async def test_a_sealed_reference_hides_what_it_leads_to(scene: Scene) -> None:
    from app.keys import open_cipher
    from services.helpdesk.sealed_references import SealedReferences

    references = SealedReferences(await open_cipher(scene.settings))
    reference = Reference("number", MSISDN)
    sealed = references.seal(reference)
    assert references.open(sealed) == reference
    assert sealed != references.seal(reference)
    assert MSISDN[1:] not in sealed
    assert references.open(sealed[:-4]) is None


async def upload(browser: StaffBrowser, content: bytes, **fields: str) -> StaffBrowser:
    """Send a file of notices."""
    form = FormData({**REASON, **fields})
    form.add_field("file", content, filename="notices.csv", content_type="text/csv")
    return await browser.request("POST", "/console/citizens/notices", form, {"Origin": browser.url})


async def test_the_numbers_of_a_file_are_released_once(scene: Scene, phone: Phone, hasan: StaffBrowser) -> None:
    await register(phone)
    today = f"{utc_now():%Y-%m-%d}"
    notices = f"number,taken_on\n{MSISDN},{today}\n{NEW_NUMBER},{today}\n".encode()
    await upload(hasan, notices)
    assert "Numbers that were released: 1. Numbers that were not known here: 1." in hasan.text
    await upload(hasan, notices)
    assert "Numbers that were released: 0." in hasan.text
    assert "Numbers that the same file released before: 2." in hasan.text
    assert ("number_released", "1", "ticket 4711") in await read_acts(scene)


async def test_a_file_with_a_wrong_line_releases_nothing(scene: Scene, phone: Phone, hasan: StaffBrowser) -> None:
    await register(phone)
    for content, said in (
        (f"{MSISDN},2026-11-01\n01711,2026-11-01\n".encode(), "Line 2: the first cell is not a phone number"),
        (b"\xff\xfe", "This file is not UTF-8."),
        (b"", "Choose a file."),
    ):
        await upload(hasan, content)
        assert (hasan.status, MSISDN in hasan.html) == (422, False)
        assert said in hasan.text
    assert not [act for act, _, _ in await read_acts(scene) if act == "number_released"]


async def test_neither_the_log_nor_the_metrics_name_a_person(
    scene: Scene, phone: Phone, hasan: StaffBrowser, capsys: pytest.CaptureFixture[str]
) -> None:
    await register(phone)
    address = await find(hasan, MSISDN)
    for act in ("reveal", "reset_pin", "freeze", "unfreeze"):
        await hasan.post(f"{address}/{act}", REASON)
    await find(hasan, "123456789018")
    await hasan.post(f"{address}/attach", {**REASON, "account": "1", "number": "not a number +8801700000001"})
    told = capsys.readouterr().out + await read_metrics(phone.http, scene.url)
    assert "message_processed" in told
    for personal in (MSISDN[1:], "Amina", "Begum", "123456789018", "4711", address.rpartition("/")[2]):
        assert personal not in told
