"""The pages of links in a browser that draws them: narrow enough for a KaiOS phone, and an iPad told from a Mac."""

from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.browser import chromium
from web.link_pages import LinkTexts, Pages

PAGES = Pages(
    {
        "en": LinkTexts("This link no longer works.", "Please try again.", "iPhone or iPad: App Store", "Mac: browser"),
        "bn": LinkTexts("এই লিংক আর কাজ করে না।", "আবার চেষ্টা করুন।", "iPhone বা iPad: App Store", "Mac: ব্রাউজার"),
        "hi": LinkTexts("यह लिंक अब काम नहीं करता।", "फिर कोशिश करें।", "iPhone या iPad: App Store", "Mac: ब्राउज़र"),
    },
    "en",
    "*123#",
)


async def gone(request):
    return PAGES.gone(request)


async def which(request):
    return PAGES.which("bn", "/ios", "/web")


async def arrived(request):
    return web.Response(text="arrived", content_type="text/html")


@asynccontextmanager
async def site():
    app = web.Application()
    pages = {"/gone": gone, "/which": which, "/ios": arrived, "/web": arrived, "/favicon.ico": arrived}
    app.add_routes([web.get(path, page) for path, page in pages.items()])
    async with TestServer(app) as server:
        yield f"http://127.0.0.1:{server.port}"


@asynccontextmanager
async def tab(**handset):
    """A page of such a handset; nothing that its policy forbids may be tried on it."""
    async with chromium() as browser:
        page = await (await browser.new_context(**handset)).new_page()
        page.set_default_timeout(10_000)
        wrong = []
        page.on("console", lambda message: wrong.append(message.text) if "Policy" in message.text else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        yield page
    assert wrong == []


@pytest.mark.parametrize(("width", "height"), [(240, 320), (360, 640)])
async def test_a_page_is_no_wider_than_the_handset_and_what_to_dial_is_seen_at_once(width, height):
    viewport = {"width": width, "height": height}
    async with site() as url, tab(viewport=viewport, locale="bn-BD", java_script_enabled=True) as page:
        await page.goto(f"{url}/gone")
        assert await page.evaluate("document.documentElement.scrollWidth") == width
        assert await page.locator("p").first.inner_text() == "এই লিংক আর কাজ করে না।"
        dial = await page.locator("a").bounding_box()
        assert dial["y"] + dial["height"] < height
        assert await page.evaluate("getComputedStyle(document.querySelector('a')).fontWeight") == "700"


@pytest.mark.parametrize(("touch", "leads_to"), [(True, "/ios"), (False, "/web")])
async def test_an_ipad_that_says_it_is_a_mac_is_told_by_its_screen(touch, leads_to):
    async with site() as url, tab(has_touch=touch) as page:
        await page.goto(f"{url}/which")
        await page.wait_for_url(f"{url}{leads_to}")
        assert await page.inner_text("body") == "arrived"


async def test_where_no_script_runs_both_are_there_to_choose_from():
    async with site() as url, tab(java_script_enabled=False, viewport={"width": 240, "height": 320}) as page:
        await page.goto(f"{url}/which")
        assert await page.locator("a").all_inner_texts() == ["iPhone বা iPad: App Store", "Mac: ব্রাউজার"]
        await page.locator("a").first.click()
        await page.wait_for_url(f"{url}/ios")


@pytest.mark.parametrize(("asked", "spoken"), [("bn", "bn"), ("hi", "hi"), ("sw", "en")])
def test_a_page_says_which_language_it_speaks(asked, spoken):
    assert f'<html lang="{spoken}">' in PAGES.which(asked, "/ios", "/web").text
