"""The page behind a document's link: what it says, in whose language, how large, and that nothing else is handed on."""

import os
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from playwright.async_api import Browser, ViewportSize

from menus.words import load_all
from services.documents.desk import Shown
from services.documents.port import NAMED, Document, Facts, File
from services.documents.sandbox import sample
from tests.browser import chromium
from web.document import DocumentPages
from web.link_pages import LinkTexts, Pages

WORDS = load_all({kind: lambda code, _: code for kind in ("service", "sector", "office", "documents")})
GONE = Pages({"en": LinkTexts(**dict.fromkeys(LinkTexts.__annotations__, "gone"))}, "en", "*123#").gone
REAL = Document(
    "RATCR",
    "Ration <card>",
    Facts("A&B-1", "<b>Holder</b>", "", date(2015, 1, 12)),
    File("application/pdf", b"%PDF a card"),
)
SIZES = {"KaiOS": ViewportSize(width=240, height=320), "Android": ViewportSize(width=360, height=640)}


def pages(shown: Shown | None) -> web.Application:
    async def find(subject: str) -> Shown | None:
        return shown if subject == "it" else None

    async def answer(request: web.Request) -> web.StreamResponse:
        return await DocumentPages(find, WORDS, GONE).open(request, request.match_info["subject"])

    app = web.Application()
    app.add_routes([web.get("/d/{subject}", answer)])
    return app


async def opened(shown: Shown | None, path: str = "/d/it") -> tuple[int, Any, str]:
    async with TestClient(TestServer(pages(shown))) as client, client.get(path) as answer:
        return answer.status, answer.headers, (await answer.read()).decode()


async def test_it_says_what_the_document_says_in_the_readers_language_and_no_more() -> None:
    status, headers, page = await opened(Shown(REAL, "bn"))
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert '<html lang="bn">' in page
    assert "<dt>নম্বর</dt><dd>A&amp;B-1</dd><dt>নাম</dt><dd>&lt;b&gt;Holder&lt;/b&gt;</dd>" in page
    assert "<dd>১২ জানুয়ারী ২০১৫</dd>" in page
    assert "<h1>Ration &lt;card&gt;</h1>" in page
    assert "<dt>কে দিয়েছে</dt>" not in page, "what it does not say is left out"
    assert "নমুনা" not in page
    assert "script" not in page


@pytest.mark.parametrize(
    ("language", "said"), [("en", "This is a sample"), ("bn", "এটি একটি নমুনা"), ("hi", "एक नमूना है")]
)
async def test_a_sample_is_said_to_be_one(language: str, said: str) -> None:
    page = (await opened(Shown(sample("PANCR", "holder", date(2026, 11, 21)), language)))[2]
    assert said in page
    assert WORDS[language].terms["document"]["PANCR"] in page


async def test_nothing_is_fetched_run_or_framed() -> None:
    headers = (await opened(Shown(REAL, "en")))[1]
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "frame-ancestors 'none'" in policy


async def test_the_file_is_handed_on_as_it_is() -> None:
    status, headers, body = await opened(Shown(REAL, "en"), "/d/it?file")
    assert (status, headers["Content-Type"], body) == (200, "application/pdf", "%PDF a card")
    assert headers["Content-Disposition"] == 'inline; filename="RATCR.pdf"'


@pytest.mark.parametrize("media", ["text/html", "image/svg+xml", "application/octet-stream"])
async def test_a_file_that_a_browser_might_run_is_neither_offered_nor_handed_on(media: str) -> None:
    document = Document("RATCR", "Card", Facts(), File(media, b"<script>"))
    assert "?file" not in (await opened(Shown(document, "en")))[2]
    assert (await opened(Shown(document, "en"), "/d/it?file"))[0] == 410


async def test_a_file_is_never_named_by_what_an_issuer_made_up() -> None:
    document = Document('x"; a="', "Card", Facts(), File("application/pdf", b""))
    headers = (await opened(Shown(document, "en"), "/d/it?file"))[1]
    assert headers["Content-Disposition"] == 'inline; filename="document.pdf"'


async def test_what_has_ended_is_gone() -> None:
    assert (await opened(None))[0] == 410


def test_every_type_that_has_a_name_of_ours_has_one_in_every_language() -> None:
    for form, words in WORDS.items():
        assert set(words.terms["document"]) == NAMED, form


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """This machine's Chromium."""
    async with chromium() as browser:
        yield browser


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("language", ["en", "bn", "hi"])
async def test_it_fits_the_screen_of_a_phone(browser: Browser, language: str, size: ViewportSize) -> None:
    shown = Shown(sample("TWPOL", "holder", date(2026, 11, 21)), language)
    async with TestServer(pages(shown)) as server:
        context = await browser.new_context(viewport=size, java_script_enabled=True)
        page = await context.new_page()
        asked: list[str] = []
        wrong: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: wrong.append(message.text))
        address = str(server.make_url("/d/it"))
        await page.goto(address)
        wide = await page.evaluate("document.documentElement.scrollWidth")
        offered = await page.locator("a").bounding_box()
        if folder := os.environ.get("EKDIAL_TEST_SCREENSHOTS"):
            await page.screenshot(path=f"{folder}/document-{language}-{size['width']}.png")
        await context.close()
    assert wide <= size["width"]
    assert offered
    assert offered["height"] >= 40, "a thumb can hit it"
    assert offered["y"] + offered["height"] <= size["height"], "all of it is seen at once"
    assert [url for url in asked if not url.endswith("/favicon.ico")] == [address]
    assert not [text for text in wrong if "favicon" not in text]
