"""The pages of links in a real browser: narrow enough for a KaiOS phone, and an iPad is told from a Mac."""

from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.support.browser import launch_chromium
from web.links.pages import LinkPages, LinkTexts

pytestmark = pytest.mark.slow  # every test opens a browser

PAGES = LinkPages(
    {
        "en": LinkTexts("This link no longer works.", "Please try again.", "iPhone or iPad: App Store", "Mac: browser"),
        "bn": LinkTexts("এই লিংক আর কাজ করে না।", "আবার চেষ্টা করুন।", "iPhone বা iPad: App Store", "Mac: ব্রাউজার"),
        "hi": LinkTexts("यह लिंक अब काम नहीं करता।", "फिर कोशिश करें।", "iPhone या iPad: App Store", "Mac: ब्राउज़र"),
    },
    "en",
    "*123#",
)


async def gone_handler(request):
    return PAGES.gone_page(request)


async def store_choice_handler(request):
    return PAGES.app_choice_page("bn", "/ios", "/web")


async def arrived_handler(request):
    return web.Response(text="arrived", content_type="text/html")


@asynccontextmanager
async def run_site():
    app = web.Application()
    pages = {
        "/gone": gone_handler,
        "/which": store_choice_handler,
        "/ios": arrived_handler,
        "/web": arrived_handler,
        "/favicon.ico": arrived_handler,
    }
    app.add_routes([web.get(path, page) for path, page in pages.items()])
    async with TestServer(app) as server:
        yield f"http://127.0.0.1:{server.port}"


@asynccontextmanager
async def open_tab(**sms_phone):
    """A page of this handset; it fails if the page tries what its policy forbids."""
    async with launch_chromium() as browser:
        page = await (await browser.new_context(**sms_phone)).new_page()
        page.set_default_timeout(10_000)
        wrong = []
        page.on("console", lambda message: wrong.append(message.text) if "Policy" in message.text else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        yield page
    assert wrong == []


@pytest.mark.parametrize(("width", "height"), [(240, 320), (360, 640)])
async def test_a_page_is_no_wider_than_the_handset_and_what_to_dial_is_seen_at_once(width, height):
    viewport = {"width": width, "height": height}
    async with run_site() as url, open_tab(viewport=viewport, locale="bn-BD", java_script_enabled=True) as page:
        await page.goto(f"{url}/gone")
        assert await page.evaluate("document.documentElement.scrollWidth") == width
        assert await page.locator("p").first.inner_text() == "এই লিংক আর কাজ করে না।"
        dial = await page.locator("a").bounding_box()
        assert dial["y"] + dial["height"] < height
        assert await page.evaluate("getComputedStyle(document.querySelector('a')).fontWeight") == "700"


@pytest.mark.parametrize(("touch", "leads_to"), [(True, "/ios"), (False, "/web")])
async def test_an_ipad_that_says_it_is_a_mac_is_told_by_its_screen(touch, leads_to):
    async with run_site() as url, open_tab(has_touch=touch) as page:
        await page.goto(f"{url}/which")
        await page.wait_for_url(f"{url}{leads_to}")
        assert await page.inner_text("body") == "arrived"


async def test_where_no_script_runs_both_are_there_to_choose_from():
    async with run_site() as url, open_tab(java_script_enabled=False, viewport={"width": 240, "height": 320}) as page:
        await page.goto(f"{url}/which")
        assert await page.locator("a").all_inner_texts() == ["iPhone বা iPad: App Store", "Mac: ব্রাউজার"]
        await page.locator("a").first.click()
        await page.wait_for_url(f"{url}/ios")


@pytest.mark.parametrize(("accepted", "spoken"), [("bn", "bn"), ("hi", "hi"), ("sw", "en")])
def test_a_page_says_which_language_it_speaks(accepted, spoken):
    assert f'<html lang="{spoken}">' in PAGES.app_choice_page(accepted, "/ios", "/web").text
