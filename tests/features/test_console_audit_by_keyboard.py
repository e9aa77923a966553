"""An auditor without a mouse: reads the log by a filter, and takes a copy."""

import csv

import pytest
from playwright.async_api import Page

from core.reference_numbers import generate_tracking_number
from services.audit.audit import AuditLog, build_audit_entry
from services.audit.models import Actor
from tests.support.browser import launch_chromium
from tests.support.console import open_staff_room
from tests.support.keyboard import Keyboard
from tests.support.phone import build_settings, run_gateway

pytestmark = pytest.mark.slow  # it opens a browser

OFFICER = Actor("officer", "17", "api")


@pytest.fixture
async def staff_room(tmp_path):
    settings = build_settings(tmp_path)
    async with run_gateway(settings) as url, open_staff_room(settings, url) as room:
        yield room


@pytest.mark.parametrize("with_scripts", [True, False], ids=["scripts", "no scripts"])
async def test_an_auditor_reads_the_log_and_takes_a_copy(staff_room, with_scripts):
    case = generate_tracking_number()
    async with staff_room.database.transaction() as transaction:
        log = AuditLog(staff_room.database)
        for number, act in enumerate(("application_read", "application_moved")):
            await log.record(transaction, build_audit_entry(OFFICER, act, "application", case, f"s{number}"))
    async with launch_chromium() as browser:
        context = await browser.new_context(java_script_enabled=with_scripts)
        await staff_room.sign_in_chromium(context, "auditor")
        page = await context.new_page()
        await page.goto(f"{staff_room.url}/console/audit")
        keyboard = Keyboard(page)
        await keyboard.fill("Record", case)
        await keyboard.follow("Show", "button")
        assert await listed_acts(page) == ["application_moved", "application_read"]
        await keyboard.reach("Export")
        await keyboard.press("Enter")
        await keyboard.fill("Reason", "yearly audit")
        await keyboard.reach("Export", "button")
        async with page.expect_download() as started:
            await keyboard.press("Enter")
        download = await started.value
        assert download.suggested_filename.endswith(".csv")
        rows = list(csv.DictReader((await read(download)).splitlines()))
        assert [row["act"] for row in rows] == ["application_read", "application_moved"]
        await page.goto(f"{staff_room.url}/console/audit?act=audit_exported")
        assert "yearly audit" in await page.inner_text("main")


async def listed_acts(page: Page) -> list[str]:
    """The acts of the table, from the newest."""
    return await page.locator("tbody td:nth-child(3)").all_inner_texts()


async def read(download) -> str:
    """The text of the file that was downloaded."""
    stream = await download.path()
    return stream.read_text(encoding="utf-8")
