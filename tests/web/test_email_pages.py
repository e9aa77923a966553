"""The page that verifies an e-mail address, where something is wrong: the database, the link, whoever asks."""

from contextlib import asynccontextmanager
from functools import cache

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from structlog.testing import capture_logs

from menus.words import load_all, template
from services.emails import Email
from services.links import Followed
from web.email import EmailPages

ADDRESS = '<b>"amina"@example.org'
TOKEN = "a" * 17
TO_VERIFY = Followed("email", "1 digest")


@cache
def words():
    return load_all(dict.fromkeys(("service", "sector", "office", "documents"), lambda code, _form: code))


class Links:
    """Links that all lead to one thing, or nowhere."""

    def __init__(self, followed):
        self.followed = followed

    async def follow(self, token):
        assert token == TOKEN
        return self.followed


class Guesses:
    """Counts, and says when it was too much."""

    def __init__(self, *, many=False):
        self.many, self.counted = many, 0

    async def too_many(self, request):
        return self.many

    async def count(self, request):
        self.counted += 1


class Refusals:
    def gone(self, request):
        return web.Response(status=410)

    def later(self, request, status, seconds):
        return web.Response(status=status, headers={"Retry-After": str(seconds)})


async def verified(subject):
    assert subject == "1 digest"
    return Email(ADDRESS, "en", verified=True)


async def nobodys(subject):
    return None


async def raises(subject):
    raise ConnectionResetError(subject)


@asynccontextmanager
async def pages(*, followed=TO_VERIFY, verify=verified, guesses=None):
    app = web.Application()
    page = EmailPages(Links(followed), verify, verify, words(), Refusals(), guesses or Guesses())
    app.add_routes(page.routes())
    async with TestClient(TestServer(app)) as http:
        yield http


async def test_an_address_is_shown_as_text_and_never_as_markup():
    async with pages() as http, http.post(f"/d/{TOKEN}") as answer:
        page = await answer.text()
        assert answer.status == 200
    assert "&lt;b&gt;&quot;amina&quot;@example.org" in page
    assert "<b>" not in page


@pytest.mark.parametrize(
    ("followed", "verify"),
    [(None, verified), (Followed("app", "en"), verified), (TO_VERIFY, nobodys)],
    ids=["no link", "a link for something else", "an address that was taken back"],
)
async def test_where_nothing_is_verified_the_link_is_gone_and_the_guess_counted(followed, verify):
    guesses = Guesses()
    async with pages(followed=followed, verify=verify, guesses=guesses) as http, http.post(f"/d/{TOKEN}") as answer:
        assert answer.status == 410
    assert guesses.counted == 1


async def test_who_guesses_too_often_is_asked_to_come_back_later():
    async with pages(guesses=Guesses(many=True)) as http, http.post(f"/d/{TOKEN}") as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (429, "600")


async def test_a_failure_of_ours_is_said_and_logged_without_what_it_was_about():
    with capture_logs() as logs:
        async with pages(verify=raises) as http, http.post(f"/d/{TOKEN}") as answer:
            assert (answer.status, answer.headers["Cache-Control"]) == (503, "no-store")
    [line] = [line for line in logs if line["log_level"] == "error"]
    assert line["error"] == "ConnectionResetError"
    assert "digest" not in str(line)


@pytest.mark.parametrize("form", ["en", "bn", "hi"])
def test_every_language_says_which_address_it_is(form):
    for name in ("email_ask", "email_done"):
        assert {fact for fact, _ in template(words()[form].common[name]).placeholders} == {"address"}
