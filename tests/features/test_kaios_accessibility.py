"""Every kind of page for KaiOS phones: axe-core finds nothing, nothing is wider than the screen, and text stays text."""

from collections.abc import AsyncIterator, Mapping

import pytest
from aiohttp import ClientSession
from playwright.async_api import BrowserContext, Page

from tests.support.accessibility import find_violations
from tests.support.browser import launch_chromium
from tests.support.citizen_steps import PIN, register
from tests.support.kaios_chromium import SIZE
from tests.support.kaios_phone import KaiosBrowser, open_kaios_http
from tests.support.phone import MSISDN, Phone
from web.kaios.routes import COOKIE

LANGUAGES = {"1": "en", "2": "bn", "3": "hi"}
HOSTILE = "<img src=x onerror=window.hacked=1>"
KEYS: Mapping[str, tuple[str, ...]] = {
    "main": ("00",),
    "list": ("00", "1"),
    "service": ("00", "1", "1", "1"),
    "form": ("00", "1", "1", "1", "1", "1"),
    "choice_in_a_form": ("00", "1", "1", "1", "1", "1", "Rahim Uddin", "21112025"),
    "refused": ("00", "2", "123"),
    "secret": ("00", "5", "2"),
    "helpdesk": ("00", "7"),
    "hostile": ("00", "1", HOSTILE),
    "sign_out": ("00", "5", "3"),
}


@pytest.fixture
async def browser(gateway: str) -> AsyncIterator[KaiosBrowser]:
    """A browser that is signed in with the PIN."""
    async with ClientSession() as http, open_kaios_http() as kaios_http:
        await register(Phone(http, gateway))
        browser = KaiosBrowser(kaios_http, gateway)
        await browser.sign_in_with_pin(MSISDN, PIN)
        yield browser


@pytest.fixture
async def context() -> AsyncIterator[BrowserContext]:
    """A Chromium of the size of the phone."""
    async with launch_chromium() as chromium:
        context = await chromium.new_context(viewport=SIZE)
        yield context
        await context.close()


async def show(context: BrowserContext, browser: KaiosBrowser, path: str = "/kaios") -> Page:
    """The page that the browser has open, in Chromium."""
    await context.clear_cookies()
    cookie = {"name": COOKIE, "value": browser.token, "url": browser.url.replace("http:", "https:"), "secure": True}
    await context.add_cookies([cookie])
    page = await context.new_page()
    await page.goto(browser.url + path)
    return page


async def check(page: Page) -> list[str]:
    """What is wrong with a page."""
    wrong = [*await find_violations(page)]
    if await page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        wrong.append(f"{page.url} is wider than the screen")
    if await page.evaluate("'hacked' in window"):
        wrong.append("text was run")
    if await page.evaluate("document.querySelectorAll('#main img, #main script').length"):
        wrong.append("text became an element")
    await page.close()
    return wrong


@pytest.mark.parametrize("language", ["1", "2", "3"], ids=["en", "bn", "hi"])
async def test_the_pages_of_the_menus(browser: KaiosBrowser, context: BrowserContext, language: str):
    await browser.enter("00", "8", language)
    wrong = []
    for keys in KEYS.values():
        await browser.enter(*keys)
        assert f'lang="{LANGUAGES[language]}"' in browser.body
        wrong += await check(await show(context, browser))
    assert wrong == []


@pytest.mark.parametrize("language", ["en", "bn", "hi"])
async def test_the_pages_around_the_menus(browser: KaiosBrowser, context: BrowserContext, language: str):
    wrong = [*await check(await show(context, browser, "/kaios/idle"))]
    new = KaiosBrowser(browser.http, browser.url)
    await new.open("/kaios?lang=en")
    for path in (f"/kaios?lang={language}", f"/kaios/out?lang={language}"):
        wrong += await check(await show(context, new, path))
    for way in ("code", "pin"):
        fields = {**new.read_fields("/kaios/sign-in"), "lang": language, "number": MSISDN, "way": way}
        await new.post("/kaios/sign-in", fields)
        wrong += await check(await show(context, new))
        await new.post("/kaios/prove", {**new.read_fields("/kaios/prove"), "other": "1"})
    assert wrong == []


async def test_the_question_of_an_idle_page_and_a_refused_number(browser: KaiosBrowser, context: BrowserContext):
    page = await show(context, browser)
    await page.evaluate("document.querySelector('.idle').hidden = false")
    wrong = await check(page)
    new = await KaiosBrowser(browser.http, browser.url).open("/kaios?lang=en")
    page = await show(context, new)
    await page.get_by_label("Your mobile number").fill(HOSTILE[:20])
    await page.get_by_role("button", name="Use my PIN").click()
    await page.get_by_text("That is not a mobile number").wait_for()
    assert [*wrong, *await check(page)] == []
