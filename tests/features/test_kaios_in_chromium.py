"""The page for KaiOS phones in a real browser: by key presses alone, without scripts, and when nobody presses anything."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from aiohttp import ClientSession
from playwright.async_api import Browser, Page

from app import kaios as kaios_module
from tests.support.browser import launch_chromium
from tests.support.citizen_steps import ANSWERS, PIN, register, tracking_number_in
from tests.support.kaios_chromium import SIZE, KeypadPhone, open_keypad_phone
from tests.support.kaios_phone import KaiosBrowser, open_kaios_http
from tests.support.phone import MSISDN, Phone, build_settings, run_gateway
from tests.support.services import ManualClock
from web.kaios.browser_sessions import BrowserSessions
from web.kaios.sign_in import KaiosSignIn
from web.simulator.terminal_inbox import open_inbox

NUMBER = MSISDN.removeprefix("+88")
TOMORROW = datetime.now(UTC) + timedelta(days=1)


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with launch_chromium() as browser:
        yield browser


@pytest.fixture
async def keypad(chromium: Browser, gateway: str) -> AsyncIterator[KeypadPhone]:
    async with open_keypad_phone(chromium, gateway) as keypad:
        yield keypad


async def read(page: Page) -> str:
    """What a person reads on the page."""
    return " ".join((await page.inner_text("main")).split())


async def test_a_citizen_applies_and_signs_out_by_keys_alone(keypad: KeypadPhone, gateway: str):
    async with ClientSession() as http:
        await register(Phone(http, gateway))
    await keypad.sign_in(MSISDN)
    await keypad.press_to("1 Find a service", "SoftRight")
    await keypad.press_to("Identity and travel", "1")
    await keypad.press_to("Birth certificate", "ArrowUp", "1")
    await keypad.page.clock.run_for(1000)
    await keypad.press_to("Fee Tk 50", "Enter")
    await keypad.press_to("Type your PIN", "Enter")
    await keypad.press_to("Who is it for?", *PIN, "Enter")
    await keypad.enter("", *ANSWERS)
    await keypad.press_to("type your current PIN", "Enter")
    await keypad.press_to("Tracking number", *PIN, "Enter")
    assert tracking_number_in(await read(keypad.page))
    await keypad.press_to("1 Find a service", "*")
    await keypad.press_to("You are signed out", "SoftLeft")
    assert await keypad.page.context.cookies() == []


async def test_zero_goes_back_and_two_zeros_go_home(keypad: KeypadPhone):
    await keypad.sign_in(MSISDN)
    await keypad.press_to("Find a service", "1")
    await keypad.press_to("Type the 12-digit tracking number", "2")
    await keypad.press_to("1 Find a service", "Backspace")
    await keypad.press_to("Identity and travel", "1")
    await keypad.press("0")
    await keypad.page.clock.run_for(1000)
    await keypad.wait_for("1 Find a service")
    await keypad.press_to("Identity and travel", "1")
    await keypad.press("1")
    await keypad.page.clock.run_for(1000)
    await keypad.wait_for("Birth certificate")
    await keypad.press_to("1 Find a service", "0", "0")
    await keypad.press_to("Identity and travel", "1")
    await keypad.press_to("Who is the service for?", "1", "2")


async def test_the_history_has_one_entry_and_nothing_is_stored(keypad: KeypadPhone):
    await keypad.sign_in(MSISDN)
    await keypad.press_to("1 Find a service", "1")
    await keypad.press_to("Identity and travel", "1")
    assert await keypad.page.evaluate(
        "[history.length, localStorage.length, sessionStorage.length, document.cookie]"
    ) == [
        2,  # the empty page that Chromium begins with, and this one
        0,
        0,
        "",
    ]
    assert NUMBER not in keypad.page.url
    await keypad.page.get_by_role("button", name="Sign out").click()
    await keypad.wait_for("You are signed out")
    await keypad.page.go_back()
    await keypad.page.go_forward()
    assert "Find a service" not in await read(keypad.page)


async def test_after_five_idle_minutes_it_asks_and_after_thirty_seconds_it_signs_out(keypad: KeypadPhone):
    await keypad.sign_in(MSISDN)
    await keypad.press_to("1 Find a service", "1")
    await keypad.page.clock.run_for(270_000)
    question = keypad.page.get_by_role("alertdialog")
    assert not await question.is_visible()
    await keypad.page.clock.run_for(31_000)
    assert "Are you still there?" in await question.inner_text()
    await keypad.press("Enter")
    await question.wait_for(state="hidden")
    await keypad.page.clock.run_for(301_000)
    assert await question.is_visible()
    await keypad.page.clock.run_for(30_000)
    await keypad.wait_for("You are signed out")
    await keypad.open()
    assert "Your mobile number" in await read(keypad.page)


async def test_a_phone_that_slept_signs_out_when_it_wakes(keypad: KeypadPhone):
    await keypad.sign_in(MSISDN)
    await keypad.page.clock.set_system_time(TOMORROW)
    await keypad.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await keypad.wait_for("You are signed out")


async def test_without_a_connection_it_says_so_and_the_same_key_works_later(keypad: KeypadPhone):
    await keypad.sign_in(MSISDN)
    await keypad.press_to("1 Find a service", "1")
    await keypad.page.context.set_offline(True)
    await keypad.press_to("There is no connection", "1")
    await keypad.page.context.set_offline(False)
    await keypad.press_to("Identity and travel", "1")


async def test_without_scripts_it_works_by_its_buttons(chromium: Browser, gateway: str):
    context = await chromium.new_context(viewport=SIZE, java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{gateway}/kaios?lang=en")
    await page.keyboard.type(NUMBER)
    async with ClientSession(gateway) as http, open_inbox(http, MSISDN, lambda _: None) as inbox:
        await page.keyboard.press("Enter")
        await page.get_by_text("A 6-digit code").wait_for()
        code = await inbox.wait_for_number("code")
    await page.get_by_label("Code").fill(code or "")
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="1 English").click()
    await page.get_by_role("button", name="1 Find a service").click()
    await page.get_by_label("Or type its name").fill("passport")
    await page.keyboard.press("Enter")
    await page.get_by_text("Passport", exact=False).first.wait_for()
    assert "Identity and travel" not in await read(page)
    await page.get_by_role("button", name="Sign out").click()
    assert "You are signed out" in await read(page)
    await context.close()


def set_clock(monkeypatch: pytest.MonkeyPatch, clock: ManualClock) -> None:
    """Let a gateway that is built next have the clock for its sign-ins."""
    for part in (BrowserSessions, KaiosSignIn):
        monkeypatch.setattr(kaios_module, part.__name__, partial(part, clock=clock))


async def test_without_scripts_the_server_watches_the_time(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
):
    set_clock(monkeypatch, clock)
    async with run_gateway(build_settings(tmp_path)) as url, open_kaios_http() as http:
        browser = KaiosBrowser(http, url)
        await browser.sign_in(MSISDN)
        assert 'content="300;url=/kaios/idle"' in browser.body
        clock.advance(seconds=300)
        await browser.open("/kaios/idle")
        assert "Are you still there?" in browser.text
        assert 'content="31;url=/kaios"' in browser.body
        await browser.press("Yes, I am here")
        assert browser.is_signed_in
        clock.advance(seconds=200)
        assert 'content="100;url=/kaios/idle"' in (await browser.open()).body  # to look is no key press
        clock.advance(seconds=131)
        assert "nothing was pressed for a while" in (await browser.open()).text
        await browser.repeat()
        assert not browser.is_signed_in


async def test_a_busy_sign_in_ends_after_two_hours(tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch):
    set_clock(monkeypatch, clock)
    async with run_gateway(build_settings(tmp_path)) as url, open_kaios_http() as http:
        browser = KaiosBrowser(http, url)
        await browser.sign_in(MSISDN)
        for _ in range(29):
            clock.advance(minutes=4)
            await browser.enter("00")
        assert browser.is_signed_in
        clock.advance(minutes=4)
        assert not (await browser.open()).is_signed_in


async def test_the_seconds_are_in_the_digits_of_the_language(gateway: str):
    async with open_kaios_http() as http:
        browser = KaiosBrowser(http, gateway)
        await browser.sign_in(MSISDN)
        await browser.press("2 বাংলা")
        assert "৩০ সেকেন্ড" in browser.body
