"""An officer without a mouse: finds an application, writes a note, sees the SMS, moves it; with and without scripts."""

import pytest
from playwright.async_api import Page
from sqlalchemy import select

from app.keys import open_cipher
from db.tables import applications, messages
from tests.support.browser import launch_chromium
from tests.support.case_rows import CaseRows
from tests.support.keyboard import Keyboard

pytestmark = pytest.mark.slow  # every test opens a browser

NOTE = "Come on Sunday."
PREVIEW = "#preview .sms"


@pytest.fixture
async def number(scene):
    rows = CaseRows(scene.room.database, await open_cipher(scene.settings))
    return await rows.add_application(language="en", status="under_review")


@pytest.mark.parametrize("with_scripts", [True, False], ids=["scripts", "no scripts"])
async def test_an_officer_moves_an_application_by_keys_alone(scene, number, with_scripts):
    async with launch_chromium() as browser:
        context = await browser.new_context(java_script_enabled=with_scripts)
        await scene.room.sign_in_chromium(context, "officer")
        page = await context.new_page()
        await page.goto(f"{scene.url}/console/applications")
        keyboard = Keyboard(page)
        await find(keyboard, number)
        await keyboard.choose("New status", "Ready to collect")
        await keyboard.fill("English", NOTE)
        await see_preview(keyboard, with_scripts=with_scripts)
        previewed = await page.inner_text(PREVIEW)
        assert NOTE in previewed
        await keyboard.fill("Reason", "ticket 4711")
        await keyboard.follow("Save and send", "button")
        assert "The status is saved, and the citizen gets the SMS." in await page.inner_text("main")
        assert "Ready to collect" in await page.inner_text(".history li:first-child")
    ((status,),) = await scene.room.database.fetch(select(applications.c.status))
    assert status == "ready"
    assert len((await scene.room.database.fetch(select(messages))).all()) == 1


async def find(keyboard: Keyboard, number: str) -> None:
    """Type the number into the search, and press Enter."""
    await keyboard.fill("Number", number)
    await keyboard.submit()
    assert keyboard.page.url.endswith(f"/console/applications/{number}")


async def see_preview(keyboard: Keyboard, *, with_scripts: bool) -> None:
    """The preview comes by itself; without scripts, Enter on its button shows it, and what was typed stays."""
    if not with_scripts:
        await keyboard.follow("Preview the SMS", "button")
        assert await field_text(keyboard.page) == NOTE
    await keyboard.page.locator(PREVIEW, has_text=NOTE).wait_for()


async def field_text(page: Page) -> str:
    """What the field of the note holds."""
    return await page.input_value("textarea[name=note_en]")


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"status": "Submitted", "note": "", "reason": "ticket 4711"}, "English"),
        ({"status": "Being checked", "note": NOTE, "reason": "call +8801711000001"}, "Reason"),
    ],
)
async def test_the_focus_is_on_the_field_that_must_be_mended(scene, number, typed, field):
    async with launch_chromium() as browser:
        context = await browser.new_context()
        await scene.room.sign_in_chromium(context, "officer")
        page = await context.new_page()
        await page.goto(f"{scene.url}/console/applications/{number}")
        keyboard = Keyboard(page)
        await keyboard.choose("New status", typed["status"])
        await keyboard.fill("English", typed["note"])
        await keyboard.fill("Reason", typed["reason"])
        await keyboard.follow("Save and send", "button")
        assert (await keyboard.read_focus())[0].startswith(field)
    assert (await scene.room.database.fetch(select(messages))).all() == []


async def test_a_slash_leads_to_the_search_and_enter_in_a_field_shows_the_preview_before_anything_is_sent(
    scene, number
):
    async with launch_chromium() as browser:
        context = await browser.new_context()
        await scene.room.sign_in_chromium(context, "officer")
        page = await context.new_page()
        await page.goto(f"{scene.url}/console/applications")
        keyboard = Keyboard(page)
        await keyboard.press("/")
        assert (await keyboard.read_focus())[0].startswith("Number")
        await find(keyboard, number)
        await keyboard.choose("New status", "Approved")
        await keyboard.fill("Reason", "ticket 4711")
        await keyboard.submit()
        assert page.url.endswith("/preview")
        await page.locator(PREVIEW).wait_for()
    assert (await scene.room.database.fetch(select(messages))).all() == []
