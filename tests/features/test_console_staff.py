"""An administrator in Chromium, by keyboard alone: signs in, enrols the app, adds a member, who signs in and is stopped."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page
from sqlalchemy import update

from core.types import utc_now
from db.tables import staff, staff_sessions
from services.staff.codes import compute_code
from tests.support.accessibility import find_violations
from tests.support.browser import launch_chromium
from tests.support.console import StaffRoom, open_staff_room
from tests.support.keyboard import Keyboard
from tests.support.phone import build_settings, run_gateway

pytestmark = pytest.mark.slow  # every test opens a browser

NEW = "tea with four old crows"


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[StaffRoom]:
    settings = build_settings(tmp_path)
    async with run_gateway(settings) as url, open_staff_room(settings, url) as room:
        yield room


async def open_page(browser: Browser, room: StaffRoom, path: str = "/console") -> tuple[Page, Keyboard]:
    """A window of its own, as of another person."""
    page = await (await browser.new_context()).new_page()
    await page.goto(room.url + path)
    return page, Keyboard(page)


async def sign_in(keyboard: Keyboard, login: str, password: str) -> None:
    await keyboard.fill("Login", login)
    await keyboard.fill("Password", password)
    await keyboard.follow("Sign in", "button")


async def enrol(page: Page, keyboard: Keyboard) -> tuple[str, list[str]]:
    """Enrol the app on the page that shows the secret; the secret and the recovery codes."""
    secret = "".join((await page.inner_text(".secret")).split())
    await keyboard.fill("Six-digit code that the app shows now", compute_code(secret, utc_now()))
    await keyboard.follow("Confirm with a code", "button")
    return secret, await page.locator(".codes code").all_inner_texts()


async def wait_for_the_next_code(room: StaffRoom, login: str) -> None:
    """Let the code of now be unused, as half a minute later."""
    async with room.database.transaction() as transaction:
        await transaction.execute(update(staff).where(staff.c.login == login).values(code_step=0))


async def test_an_administrator_signs_in_enrols_the_app_and_adds_a_member(room):
    await room.add("admin")
    async with launch_chromium() as browser:
        page, keyboard = await open_page(browser, room, "/console/account")
        await sign_in(keyboard, "asha", room.added["asha"][1])
        await keyboard.follow("Enrol the app")
        secret, codes = await enrol(page, keyboard)
        assert len(codes) == 10
        await keyboard.follow("I have kept the codes")
        assert "10 recovery codes are left" in await page.inner_text("main")

        await keyboard.follow("Sign out")
        await sign_in(keyboard, "asha", room.added["asha"][1])
        await wait_for_the_next_code(room, "asha")
        await keyboard.fill("Six-digit code", compute_code(secret, utc_now()))
        await keyboard.follow("Sign in", "button")
        await keyboard.follow("Staff", "link")

        await make_old(room)
        await keyboard.reach("Add a member")
        await keyboard.press("Enter")
        await keyboard.fill("Login", "rina")
        await keyboard.fill("Name", "Rina Akter")
        await keyboard.choose("Role", "Auditor")
        await keyboard.fill("Reason", "ticket 4711")
        await keyboard.follow("Add a member", "button")
        assert await page.inner_text("h1") == "Prove that it is you"
        await keyboard.fill("Code of the app", codes[0])
        await keyboard.follow("Go on")
        first_password = await page.inner_text(".secret")
        assert re.fullmatch(r"[a-z0-9]{4}(-[a-z0-9]{4}){3}", first_password)

        await replace_the_first_password(browser, room, first_password)
        await keyboard.follow("All members of staff")
        await keyboard.follow("rina")
        await keyboard.reach("Disable")
        await keyboard.press("Enter")
        await keyboard.fill("Reason", "ticket 4712")
        await keyboard.follow("Disable", "button")
        assert "disabled and signed out" in await page.inner_text("main")


async def replace_the_first_password(browser: Browser, room: StaffRoom, first_password: str) -> None:
    """The new member signs in, must choose a password, and then sees the pages of the role."""
    page, keyboard = await open_page(browser, room)
    await sign_in(keyboard, "rina", first_password)
    assert await page.inner_text("h1") == "Change the password"
    await keyboard.fill("Password now", first_password)
    await keyboard.fill("New password", "Password1234")
    await keyboard.fill("New password once more", "Password1234")
    await keyboard.follow("Change the password", "button")
    assert "Attackers try this password first" in await page.inner_text("main")
    await keyboard.fill("Password now", first_password)
    await keyboard.fill("New password", NEW)
    await keyboard.fill("New password once more", NEW)
    await keyboard.follow("Change the password", "button")
    assert "The password is changed" in await page.inner_text("main")
    await keyboard.follow("Staff", "link")
    assert "Add a member" not in await page.inner_text("main")


async def test_who_has_no_phone_at_hand_signs_in_with_a_recovery_code(room):
    await room.add("helpdesk")
    async with launch_chromium() as browser:
        page, keyboard = await open_page(browser, room, "/console/account")
        await sign_in(keyboard, "hasan", room.added["hasan"][1])
        await keyboard.follow("Enrol the app")
        _, codes = await enrol(page, keyboard)
        page, keyboard = await open_page(browser, room, "/console/account")
        await sign_in(keyboard, "hasan", room.added["hasan"][1])
        await keyboard.reach("I do not have my phone")
        await keyboard.press("Enter")
        await keyboard.fill("Recovery code", codes[3])
        await keyboard.follow("Sign in with the recovery code")
        assert "9 recovery codes are left" in await page.inner_text("main")


async def test_the_pages_between_the_forms_are_good_for_everybody(room):
    """Those that only a form leads to: axe-core finds nothing serious in light and dark."""
    await room.add("admin")
    findings = []
    async with launch_chromium() as browser:
        page, keyboard = await open_page(browser, room, "/console/account/code")
        await sign_in(keyboard, "asha", room.added["asha"][1])
        _, codes = await enrol(page, keyboard)
        findings += await find_violations(page)
        await make_old(room)
        await page.goto(f"{room.url}/console/staff")
        await keyboard.reach("Add a member")
        await keyboard.press("Enter")
        await keyboard.fill("Login", "rina")
        await keyboard.fill("Name", "Rina Akter")
        await keyboard.choose("Role", "Auditor")
        await keyboard.fill("Reason", "ticket 4711")
        await keyboard.follow("Add a member", "button")
        findings += await find_violations(page)
        await keyboard.fill("Code of the app", codes[0])
        await keyboard.follow("Go on")
        findings += await find_violations(page)
        first_password = await page.inner_text(".secret")
        page, keyboard = await open_page(browser, room)
        await sign_in(keyboard, "asha", room.added["asha"][1])
        findings += await find_violations(page)
        await keyboard.fill("Six-digit code", "000000")
        await keyboard.follow("Sign in", "button")
        findings += await find_violations(page)
        page, keyboard = await open_page(browser, room)
        await sign_in(keyboard, "rina", first_password)
        findings += await find_violations(page)
    assert not findings, "\n".join(findings)


async def make_old(room: StaffRoom) -> None:
    """Let the last proof of every sign-in be older than ten minutes."""
    async with room.database.transaction() as transaction:
        await transaction.execute(update(staff_sessions).values(proved_at=utc_now() - timedelta(minutes=11)))
