"""The page behind a link to a document: its facts, its language, its size, and the file."""

import os
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from playwright.async_api import Browser, ViewportSize

from core.http.webhooks import read_form
from menus.rendering.localization import load_locales
from services.documents.documents import DocumentView
from services.documents.issuers.sandbox import build_sample
from services.documents.models import NAMED_KINDS, Document, DocumentFacts, DocumentFile
from tests.support.browser import launch_chromium
from web.links.document_page import DocumentPages
from web.links.pages import LinkPages, LinkTexts

WORDS = load_locales({kind: lambda code, _: code for kind in ("service", "sector", "office", "documents")})
GONE = LinkPages({"en": LinkTexts(**dict.fromkeys(LinkTexts.__annotations__, "gone"))}, "en", "*123#").gone_page
REAL = Document(
    "RATCR",
    "Ration <card>",
    DocumentFacts("A&B-1", "<b>Holder</b>", "", date(2015, 1, 12)),
    DocumentFile("application/pdf", b"%PDF a card"),
)
SIZES = {"KaiOS": ViewportSize(width=240, height=320), "Android": ViewportSize(width=360, height=640)}


def run_pages(shown: DocumentView | None) -> web.Application:
    async def find(subject: str) -> DocumentView | None:
        return shown if subject == "it" else None

    pages = DocumentPages(find, WORDS, GONE)

    async def ask(request: web.Request) -> web.StreamResponse:
        return await pages.ask(request, request.match_info["subject"])

    async def answer(request: web.Request) -> web.StreamResponse:
        return await pages.open(request, request.match_info["subject"], await read_form(request))

    app = web.Application()
    app.add_routes([web.get("/d/{subject}", ask), web.post("/d/{subject}", answer)])
    return app


async def open_page(shown: DocumentView | None, *fields: str, method: str = "POST") -> tuple[int, Any, str]:
    form = dict.fromkeys(fields, "1")
    async with (
        TestClient(TestServer(run_pages(shown))) as client,
        client.request(method, "/d/it", data=form or None) as answer,
    ):
        return answer.status, answer.headers, (await answer.read()).decode()


async def test_before_the_button_is_pressed_nothing_of_the_document_is_shown() -> None:
    status, headers, page = await open_page(DocumentView(REAL, "bn"), method="GET")
    assert status == 200
    assert "কাগজটি খুলুন" in page
    assert "form-action 'self'" in headers["Content-Security-Policy"]
    for part in ("RATCR", "Ration", "A&amp;B-1", "Holder", "২০১৫"):
        assert part not in page


async def test_it_says_what_the_document_says_in_the_readers_language_and_no_more() -> None:
    status, headers, page = await open_page(DocumentView(REAL, "bn"))
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
    page = (await open_page(DocumentView(build_sample("PANCR", "holder", date(2026, 11, 21)), language)))[2]
    assert said in page
    assert WORDS[language].terms["document"]["PANCR"] in page


async def test_nothing_is_fetched_run_or_framed() -> None:
    headers = (await open_page(DocumentView(REAL, "en")))[1]
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "frame-ancestors 'none'" in policy


async def test_the_file_is_handed_on_as_it_is() -> None:
    status, headers, body = await open_page(DocumentView(REAL, "en"), "file")
    assert (status, headers["Content-Type"], body) == (200, "application/pdf", "%PDF a card")
    assert headers["Content-Disposition"] == 'inline; filename="RATCR.pdf"'


@pytest.mark.parametrize("media", ["text/html", "image/svg+xml", "application/octet-stream"])
async def test_a_file_that_a_browser_might_run_is_neither_offered_nor_handed_on(media: str) -> None:
    document = Document("RATCR", "Card", DocumentFacts(), DocumentFile(media, b"<script>"))
    assert 'name="file"' not in (await open_page(DocumentView(document, "en")))[2]
    assert (await open_page(DocumentView(document, "en"), "file"))[0] == 410


async def test_a_file_is_never_named_by_what_an_issuer_made_up() -> None:
    document = Document('x"; a="', "Card", DocumentFacts(), DocumentFile("application/pdf", b""))
    headers = (await open_page(DocumentView(document, "en"), "file"))[1]
    assert headers["Content-Disposition"] == 'inline; filename="document.pdf"'


async def test_what_has_ended_is_gone() -> None:
    assert (await open_page(None))[0] == (await open_page(None, method="GET"))[0] == 410


def test_every_type_that_has_a_name_of_ours_has_one_in_every_language() -> None:
    for form, words in WORDS.items():
        assert set(words.terms["document"]) == NAMED_KINDS, form


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """The Chromium of this machine."""
    async with launch_chromium() as browser:
        yield browser


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("language", ["en", "bn", "hi"])
@pytest.mark.parametrize("font", ["sans-serif", "monospace"])
async def test_the_button_for_the_file_is_on_the_first_screen_with_any_font(
    browser: Browser, font: str, language: str, size: ViewportSize
) -> None:
    shown = DocumentView(build_sample("TWPOL", "holder", date(2026, 11, 21)), language)
    async with TestServer(run_pages(shown)) as server:
        context = await browser.new_context(viewport=size, java_script_enabled=True)
        page = await context.new_page()
        asked: list[str] = []
        wrong: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: wrong.append(message.text))
        address = str(server.make_url("/d/it"))
        await page.goto(address)
        await page.locator("button").click()
        # A wide font stands for any other: machines differ in their fonts, above all in Indian ones.
        await page.evaluate("font => { for (const one of document.all) one.style.fontFamily = font }", font)
        wide = await page.evaluate("document.documentElement.scrollWidth")
        offered = await page.locator("button").bounding_box()
        if folder := os.environ.get("EKDIAL_TEST_SCREENSHOTS"):
            await page.screenshot(path=f"{folder}/document-{language}-{size['width']}.png")
        await context.close()
    assert wide <= size["width"]
    assert offered
    assert offered["height"] >= 40, "a thumb can hit it"
    assert offered["y"] + offered["height"] <= size["height"], "it is seen at once"
    assert [url for url in asked if not url.endswith("/favicon.ico")] == [address, address]
    assert not [text for text in wrong if "favicon" not in text]
