"""Every page behind a link in Chromium: axe-core finds nothing serious, nothing typed runs, and a KaiOS phone shows it whole."""

from collections.abc import Mapping
from datetime import UTC, date, datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, make_mocked_request

from menus.rendering.localization import load_locales
from services.citizens.models import Email
from services.documents.documents import DocumentView
from services.documents.models import Document, DocumentFacts, DocumentFile
from services.privacy.models import DataExport, DataItem, DataSubject, PinVerification, SectionContent
from tests.support.accessibility import find_violations
from tests.support.browser import launch_chromium
from tests.support.console_pages import HOSTILE
from web.links.document_page import DocumentPages
from web.links.email_page import EmailPages
from web.links.pages import LinkPages, LinkTexts
from web.links.privacy_page import PrivacyPages

pytestmark = pytest.mark.slow  # every test opens a browser

LOCALES = load_locales({kind: lambda code, _: code for kind in ("service", "sector", "office", "documents")})
PAGES = LinkPages({language: LinkTexts(*["কাজ করে না। Gone."] * 4) for language in ("en", "bn", "hi")}, "en", "*123#")
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
DOCUMENT = Document(
    "X", HOSTILE, DocumentFacts(HOSTILE, HOSTILE, HOSTILE, date(2015, 1, 12)), DocumentFile("image/png", b"")
)
NAMES = SectionContent("profile", [[DataItem("name", HOSTILE), DataItem({"en": HOSTILE}, "1", "text", "documents")]])


async def render_pages(request: web.Request) -> Mapping[str, web.StreamResponse]:
    """Each page, by a name for its address."""

    async def find_document(_: str) -> DocumentView:
        return DocumentView(DOCUMENT, "bn")

    async def find_email(subject: str) -> Email:
        return Email(HOSTILE, "hi", verified=subject == "verified")

    async def find_export(_: str) -> DataExport:
        return DataExport(DataSubject(1, "+8801712345678", HOSTILE), "en", NOW, [NAMES])

    async def refuse_pin(_subject: str, _pin: str) -> PinVerification:
        return PinVerification(is_right=False, msisdn="+8801712345678", tries_left=1)

    async def is_open(_: str) -> bool:
        return True

    documents = DocumentPages(find_document, LOCALES, PAGES.gone_page)
    emails = EmailPages(find_email, find_email, LOCALES, PAGES.gone_page)
    own_data = PrivacyPages(
        find_export, refuse_pin, is_open, LOCALES, lambda moment, _: moment, "*123#", PAGES.gone_page
    )
    wrong_pin = await own_data.check(request, "1 bn", {"pin": "2580"})
    assert wrong_pin is not None
    return {
        "gone": PAGES.gone_page(request),
        "later": PAGES.retry_later_page(request, 429, 60),
        "preview": PAGES.preview_page(),
        "document_ask": await documents.ask(request, ""),
        "document": await documents.open(request, "", {}),
        "email_ask": await emails.ask(request, ""),
        "email": await emails.open(request, "verified", {}),
        "own_data_ask": await own_data.ask(request, "1 hi"),
        "own_data_wrong": wrong_pin,
        "own_data": await own_data.open(request, "1 en", {}),
    }


async def test_every_page_behind_a_link():
    async def handle(request: web.Request) -> web.StreamResponse:
        return (await render_pages(request))[request.match_info["name"]]

    app = web.Application()
    app.add_routes([web.get("/{name}", handle)])
    findings = []
    async with TestServer(app) as server, launch_chromium() as browser:
        page = await (await browser.new_context(viewport={"width": 240, "height": 320})).new_page()
        for name in await render_pages(make_mocked_request("GET", "/")):
            await page.goto(str(server.make_url(f"/{name}")))
            assert await page.locator("h1").count() == 1, name
            assert await page.evaluate("typeof window.hacked") == "undefined", name
            assert await page.evaluate("document.documentElement.scrollWidth") == 240, name
            findings += await find_violations(page)
    assert not findings, "\n".join(findings)
