"""Every page of the console in Chromium: nothing that was typed runs, a phone shows it whole, axe-core finds nothing serious."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import urlencode, urljoin

import pytest
from playwright.async_api import Page, Route, ViewportSize
from sqlalchemy import update

from core.types import utc_now
from db.tables import staff_sessions
from tests.support.accessibility import find_violations
from tests.support.browser import launch_chromium
from tests.support.console_pages import SAMPLES, Scene, fill, is_whole_page, seed_all
from web.console.access import ACTIONS

pytestmark = pytest.mark.slow  # every test opens a browser

DESKTOP = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=360, height=640)
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
async def names(scene: Scene) -> Mapping[str, str]:
    """The names of the rows of every page."""
    return await seed_all(scene)


@pytest.fixture
async def paths(scene: Scene, names: Mapping[str, str]) -> Sequence[str]:
    """The addresses of all whole pages; fragments, streams and downloads are none."""
    browser = await scene.room.open_browser("admin")
    filled = [fill(sample, names) for samples in SAMPLES.values() for sample in samples]
    paths = dict.fromkeys(sample.path for sample in filled if sample.method == "GET")
    return [path for path in paths if await is_whole_page(browser, path)]


@asynccontextmanager
async def open_tab(scene: Scene, language: str = "en", *, is_signed_in: bool = True) -> AsyncIterator[Page]:
    """A window of an administrator. It fails if a page runs what was typed, or tries what its policy forbids."""
    wrong: list[str] = []
    async with launch_chromium() as browser:
        context = await browser.new_context(viewport=DESKTOP)
        if is_signed_in:
            await scene.room.sign_in_chromium(context, "admin", login=f"asha-{language}", language=language)
        page = await context.new_page()
        page.on("console", lambda message: wrong.append(message.text) if "Security Policy" in message.text else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        yield page
        assert await page.evaluate("typeof window.hacked") == "undefined"
    assert not wrong


async def post(page: Page, path: str, fields: Mapping[str, str]) -> None:
    """Open the page that answers a form of the console."""
    address = urljoin(page.url, path)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": urljoin(page.url, "/").rstrip("/")}

    async def send(route: Route) -> None:
        await route.continue_(method="POST", headers=headers, post_data=urlencode(fields))

    await page.route(address, send, times=1)
    await page.goto(address)


@pytest.mark.parametrize("language", ["en", "bn", "hi"])
async def test_a_page_runs_nothing_that_was_typed_and_fits_a_phone(scene, paths, language):
    too_wide = []
    async with open_tab(scene, language) as page:
        await page.set_viewport_size(PHONE)
        for path in paths:
            await page.goto(scene.url + path)
            assert await page.evaluate("typeof window.hacked") == "undefined", path
            if overflow := await page.evaluate(OVERFLOW):
                too_wide.append(f"{path} by {overflow} pixels")
    assert not too_wide


async def test_no_page_is_hard_to_read_or_to_operate(scene, paths):
    findings = []
    async with open_tab(scene) as page:
        for path in paths:
            await page.goto(scene.url + path)
            findings += await find_violations(page)
    assert not findings, "\n".join(findings)


async def test_the_pages_that_say_what_is_wrong_are_as_good(scene, names):
    forms = {
        sample.path for samples in SAMPLES.values() for one in samples if (sample := fill(one, names)).method == "POST"
    }
    findings = []
    async with open_tab(scene) as page:
        for path in sorted(forms - {"/console/sign-out"}):
            await page.goto(f"{scene.url}/console")
            await post(page, path, {})
            findings += await find_violations(page)
        await page.goto(f"{scene.url}/console/no-such-page")
        findings += await find_violations(page)
    assert not findings, "\n".join(findings)


async def test_the_page_that_asks_for_proof_is_as_good(scene, names):
    action = next(action for action in SAMPLES if ACTIONS[action].proof == "code")
    form = next(fill(sample, names) for sample in SAMPLES[action] if sample.method == "POST")
    async with open_tab(scene) as page:
        async with scene.room.database.transaction() as transaction:
            await transaction.execute(update(staff_sessions).values(proved_at=utc_now() - timedelta(hours=1)))
        await page.goto(f"{scene.url}/console")
        await post(page, form.path, form.fields)
        assert await page.locator("[name=proof]").count() == 1
        findings = await find_violations(page)
    assert not findings, "\n".join(findings)


async def test_the_page_to_sign_in_is_as_good(scene):
    async with open_tab(scene, is_signed_in=False) as page:
        await page.goto(f"{scene.url}/console")
        findings = [*await find_violations(page)]
        await page.fill("[name=login]", "asha")
        await page.fill("[name=password]", "not the password")
        await page.press("[name=password]", "Enter")
        await page.locator("[role=alert]").wait_for()
        findings += await find_violations(page)
    assert not findings, "\n".join(findings)
