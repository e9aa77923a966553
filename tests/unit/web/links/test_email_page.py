"""The page that verifies an e-mail address: what it shows, and an address that is no longer the account's."""

from contextlib import asynccontextmanager
from functools import cache

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from menus.rendering.localization import load_locales, parse_template
from services.citizens.models import Email
from web.links.email_page import EmailPages

ADDRESS = '<b>"amina"@example.org'


@cache
def words():
    return load_locales(dict.fromkeys(("service", "sector", "office", "documents"), lambda code, _form: code))


def gone_page(request):
    return web.Response(status=410)


async def verify_ok(subject):
    assert subject == "1 digest"
    return Email(ADDRESS, "en", verified=True)


async def verify_unknown(subject):
    return None


@asynccontextmanager
async def run_pages(verify=verify_ok):
    pages = EmailPages(verify, verify, words(), gone_page)

    async def ask(request):
        return await pages.ask(request, "1 digest")

    async def confirm(request):
        return await pages.check(request, "1 digest", {}) or await pages.open(request, "1 digest", {})

    app = web.Application()
    app.add_routes([web.get("/", ask), web.post("/", confirm)])
    async with TestClient(TestServer(app)) as http:
        yield http


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_address_is_shown_as_text_and_never_as_markup(method):
    async with run_pages() as http, http.request(method, "/") as answer:
        page = await answer.text()
        assert answer.status == 200
    assert "&lt;b&gt;&#34;amina&#34;@example.org" in page
    assert "<b>" not in page


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_address_that_was_taken_back_is_gone(method):
    async with run_pages(verify_unknown) as http, http.request(method, "/") as answer:
        assert answer.status == 410


@pytest.mark.parametrize("form", ["en", "bn", "hi"])
def test_every_language_says_which_address_it_is(form):
    for name in ("email_ask", "email_done"):
        assert {fact for fact, _ in parse_template(words()[form].common[name]).placeholders} == {"address"}
