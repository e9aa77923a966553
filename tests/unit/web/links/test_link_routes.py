"""Links over real connections: what they open, how uses are counted, and who must wait."""

import asyncio
import re
from contextlib import asynccontextmanager
from datetime import timedelta
from ipaddress import ip_address
from itertools import product

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from structlog.testing import capture_logs

from core.crypto import Cipher
from services.messaging.links import TOKEN_LENGTH, Links
from sessions.redis_store import open_session_store
from tests.support.databases import migrated_sqlite_url
from tests.support.services import CIPHER
from tests.support.user_agents import BROWSERS
from web.links.metrics import LinkMetrics
from web.links.miss_limiter import MAX_MISSES, AddressMissLimiter
from web.links.pages import LinkPages, LinkTexts
from web.links.routes import LINK_HEADERS, AppOpener, build_routes

STORES = {
    "kaios": "https://store.example/kaios",
    "android": "https://store.example/details?id=a&hl=en",
    "ios": "https://store.example/ios",
    "other": "https://www.example/#/",
}
TEXTS = {
    "en": LinkTexts("It no longer works. Dial *123#.", "Not just now.", "iPhone", "Mac"),
    "bn": LinkTexts("আর কাজ করে না।", "এখন নয়।", "আইফোন", "ম্যাক"),
}
CHROME = {"User-Agent": next(said for _, name, said in BROWSERS if name == "Chrome, reduced")}
ROBOT = {"User-Agent": "WhatsApp/2.23.20.0 A"}
GUESS = "2" * TOKEN_LENGTH


class LinkSite:
    """A server with links, and a visitor."""

    def __init__(self, links, registry, address, http):
        self.links, self.registry, self.address, self.http = links, registry, address, http
        self.fails = False
        self.visitor = ip_address("192.0.2.1")

    async def create_link(self, purpose="app", subject="en", uses=3, idempotency_key="s1:9"):
        return await self.links.create(purpose, subject, timedelta(days=1), uses, idempotency_key)

    async def request(self, token, method="GET", form=None, **headers):
        url = f"{self.address}/d/{token}"
        async with self.http.request(
            method, url, headers=headers or CHROME, allow_redirects=False, data=form
        ) as answer:
            return answer.status, answer.headers, await answer.text()

    async def status(self, token, method="GET", form=None, **headers):
        return (await self.request(token, method, form, **headers))[0]

    def metric_value(self, name):
        """The values of a metric by labels, without zeros."""
        found = re.findall(rf"^{name}_total(\S*) (\S+)", generate_latest(self.registry).decode(), re.MULTILINE)
        return {labels: int(float(value)) for labels, value in found if float(value)}


class FakeOpener:
    """Opens after a POST with the word "open"; fails while its site says so."""

    def __init__(self, site, status=200):
        self.site, self.status = site, status

    async def ask(self, request, subject):
        return web.Response(text="press the button")

    async def check(self, request, subject, fields):
        return None if fields.get("word", "open") == "open" else web.Response(status=403)

    async def open(self, request, subject, fields):
        if self.site.fails:
            raise ConnectionResetError(subject)
        return web.Response(text=f"the document {subject}", status=self.status)


@asynccontextmanager
async def run_site(database, redis, clock):
    registry, links = CollectorRegistry(), Links(database, CIPHER, "https://ekdial.example", clock=clock)
    pages = LinkPages(TEXTS, "en", "*123#")
    async with aiohttp.ClientSession() as http:
        one = LinkSite(links, registry, "", http)
        openers = {"app": AppOpener(STORES, pages), "document": FakeOpener(one), "email": FakeOpener(one, 503)}
        guesses = AddressMissLimiter(redis, CIPHER.keyed_hash, lambda _: one.visitor)
        app = web.Application()
        app.add_routes(build_routes(links, openers, pages=pages, miss_limiter=guesses, metrics=LinkMetrics(registry)))
        async with TestServer(app) as server:
            one.address = f"http://127.0.0.1:{server.port}"
            yield one


@pytest.fixture
def database_url(tmp_path):
    """SQLite alone: the links themselves are tested on both databases."""
    return migrated_sqlite_url(tmp_path / "ekdial.db")


@pytest.fixture
async def link_site(database, redis, clock):
    async with run_site(database, redis, clock) as one:
        yield one


@pytest.mark.parametrize(
    ("handset", "browser"),
    [(one, said) for one, _, said in BROWSERS if one != "apple"],
    ids=[row[1] for row in BROWSERS if row[0] != "apple"],
)
async def test_each_handset_is_sent_to_its_store(handset, browser, database, clock):
    async with open_session_store("memory://", CIPHER) as opened, run_site(database, opened.client, clock) as here:
        status, headers, _ = await here.request(await here.create_link(), **{"User-Agent": browser})
        assert (status, headers["Location"]) == (302, STORES[handset])
        assert here.metric_value("ekdial_links_opened") == {f'{{handset="{handset}",purpose="app"}}': 1}


async def test_a_mac_that_may_be_an_ipad_is_shown_both(link_site):
    safari = next(said for one, _, said in BROWSERS if one == "apple")
    status, headers, page = await link_site.request(await link_site.create_link(subject="bn"), **{"User-Agent": safari})
    assert status == 200
    assert f'<a href="{STORES["ios"]}">আইফোন</a><a href="{STORES["other"]}">ম্যাক</a>' in page
    assert "script-src 'sha256-" in headers["Content-Security-Policy"]


async def test_every_answer_is_kept_by_nobody_and_found_by_no_engine(link_site):
    alive, spent = await link_site.create_link(), await link_site.create_link("document", uses=1, idempotency_key="s2")
    await link_site.request(spent, "POST")
    link_site.fails = True
    failing = await link_site.create_link("document", idempotency_key="s3")
    for token, method in product((alive, spent, failing, GUESS, "x"), ("GET", "POST")):
        _, headers, _ = await link_site.request(token, method)
        assert {name: headers.get(name) for name in LINK_HEADERS} == dict(LINK_HEADERS)


async def test_a_link_is_used_up_by_people_alone(link_site):
    token = await link_site.create_link("document", "PAN", uses=2)
    for _ in range(5):
        assert await link_site.status(token, "HEAD") == 200
        assert await link_site.status(token, **ROBOT) == 200
        assert await link_site.status(token, **CHROME, **{"Sec-Purpose": "prefetch"}) == 200
        assert (await link_site.request(token))[2] == "press the button"
        assert await link_site.status(token, "POST", {"word": "wrong"}) == 403
    assert [await link_site.status(token, "POST") for _ in range(3)] == [200, 200, 410]
    assert await link_site.status(token, "HEAD") == await link_site.status(token, **ROBOT) == 410
    assert link_site.metric_value("ekdial_links_looked_at") == {"": 15}


async def test_a_robot_is_told_nothing(link_site):
    _, _, page = await link_site.request(await link_site.create_link("document", "PAN"), **ROBOT)
    assert "PAN" not in page
    assert "store" not in page


async def test_of_many_at_once_no_more_are_let_in_than_there_are_uses(link_site):
    token = await link_site.create_link("document", uses=3)
    answers = await asyncio.gather(*(link_site.status(token, "POST") for _ in range(10)))
    assert sorted(answers) == [200] * 3 + [410] * 7


async def test_what_has_expired_says_so_in_every_language_that_of_the_browser_first(link_site, clock):
    token = await link_site.create_link()
    clock.advance(days=1)
    for accepts, first in (
        ("bn-BD,bn;q=0.9,en;q=0.5", "bn"),
        ("en-US", "en"),
        ("hi", "en"),
        ("", "en"),
        ("*;q=,", "en"),
    ):
        status, headers, page = await link_site.request(token, **CHROME, **{"Accept-Language": accepts})
        assert (status, headers["Content-Type"]) == (410, "text/html; charset=utf-8")
        assert re.findall(r'<p lang="(..)">', page) == sorted(TEXTS, key=lambda one: one != first)
        assert '<a href="tel:%2A123%23">*123#</a>' in page
    assert link_site.metric_value("ekdial_links_refused") == {'{reason="gone"}': 5}


@pytest.mark.parametrize("token", ["x", GUESS, "%00", "ক", "..%2f..%2fetc", "a" * 2000, "{token}", "%ff%fe"])
async def test_what_was_never_a_link_is_answered_alike(token, link_site):
    status, _, page = await link_site.request(token)
    assert (status, "It no longer works" in page) == (410, True)


BEHIND = (
    *".,:;!?)]}>\"'|*_~-",
    "।",
    "॥",
    "…",
    "’",
    "”",
    "》",
    "%20",
    "%0A",
    "%E2%80%8B",
    "?",
    "?fbclid=x",
    ").",
    "%20and",
    ".Thanks",
    "এ",
)
BEFORE = ("(", "<", "%22", "%E2%80%8B")


@pytest.mark.parametrize("purpose", ["app", "document", "email"])
async def test_the_marks_of_a_sentence_around_a_link_are_no_part_of_it(link_site, purpose):
    """Generated: each purpose of links, each mark behind it and before it, and pairs of them."""
    token = await link_site.create_link(purpose, uses=1000)  # GET opens the link to the app
    expected = await link_site.request(token)
    assert expected[0] in (200, 302)
    marks = [(before, behind) for before in ("", *BEFORE) for behind in BEHIND]
    marks += [("", one + other) for one, other in product(BEHIND[:13], repeat=2)]
    for before, behind in marks:
        text = f"{before}{token}{behind}"
        status, _, page = await link_site.request(text)
        assert (status, page) == (expected[0], expected[2]), text


async def test_a_link_with_a_mark_behind_it_is_opened_once(link_site):
    token = await link_site.create_link("document", "PAN", uses=1)
    assert [(await link_site.request(f"{token}।", "POST"))[0] for _ in range(2)] == [200, 410]
    assert await link_site.status(token) == 410


async def test_no_mark_makes_a_guess_free(link_site):
    for number in range(MAX_MISSES):
        assert await link_site.status(f"{number:017}.".replace("0", "2").replace("1", "z")) == 410
    assert await link_site.status(f"{GUESS}.") == 429


async def test_a_use_is_put_back_when_nothing_could_be_shown(link_site):
    token = await link_site.create_link("document", "PAN", uses=1)
    link_site.fails = True
    with capture_logs() as logs:
        status, headers, page = await link_site.request(token, "POST")
    assert (status, headers["Retry-After"]) == (503, "600")
    assert "Not just now." in page
    assert [line["error"] for line in logs] == ["ConnectionResetError"]
    assert token not in str(logs)
    link_site.fails = False
    assert [await link_site.status(token, "POST") for _ in range(2)] == [200, 410]


async def test_so_it_is_when_the_opener_answers_with_a_failure(link_site):
    token = await link_site.create_link("email", uses=1)
    assert [await link_site.status(token, "POST") for _ in range(3)] == [503] * 3
    assert link_site.metric_value("ekdial_links_opened") == {}
    assert link_site.metric_value("ekdial_links_refused") == {'{reason="failed"}': 3}


async def test_a_database_that_is_gone_is_a_page_too(link_site, monkeypatch):
    async def fails(_):
        raise ConnectionResetError

    token = await link_site.create_link()
    with monkeypatch.context() as gone:
        gone.setattr(link_site.links, "resolve", fails)
        assert await link_site.status(token) == 503
    assert await link_site.status(token) == 302


# Guessing ------------------------------------------------------------------------------------------------------------


async def miss_links(here, count):
    return [await here.status(f"{number:017}".replace("0", "2").replace("1", "z")) for number in range(count)]


async def test_who_guesses_is_told_to_wait_and_others_are_not(link_site):
    token = await link_site.create_link()
    assert set(await miss_links(link_site, MAX_MISSES)) == {410}
    assert [await link_site.status(GUESS), await link_site.status(GUESS, "POST")] == [429, 429]
    assert await link_site.status(token) == 302, "a link that exists is opened"
    link_site.visitor = ip_address("192.0.2.2")
    assert [await link_site.status(GUESS), await link_site.status(token)] == [410, 302]
    assert link_site.metric_value("ekdial_links_refused")['{reason="guessing"}'] == 2


async def test_a_home_is_one_guesser_however_many_addresses_it_has(link_site):
    link_site.visitor = ip_address("2001:db8:1:2::1")
    await miss_links(link_site, MAX_MISSES)
    link_site.visitor = ip_address("2001:db8:1:2:ffff::7")
    assert await link_site.status(GUESS) == 429
    link_site.visitor = ip_address("2001:db8:1:3::1")
    assert await link_site.status(GUESS) == 410


async def test_links_that_were_cut_short_or_have_expired_are_no_guesses(link_site):
    spent = await link_site.create_link("document", uses=1)
    await link_site.request(spent, "POST")
    for _ in range(MAX_MISSES + 1):
        assert await link_site.status(spent) == await link_site.status(spent[:-1]) == 410
    assert await link_site.status(GUESS) == 410


async def test_guesses_are_forgotten_of_themselves_and_name_nobody(link_site, redis):
    await miss_links(link_site, 3)
    (key,) = await redis.keys("*")
    assert key == f"ekdial:misses:{CIPHER.keyed_hash('guesses', '192.0.2.1')}".encode()
    assert 0 < await redis.pttl(key) <= 600_000


async def test_who_comes_from_nowhere_is_not_counted_with_others(link_site):
    link_site.visitor = None
    assert set(await miss_links(link_site, MAX_MISSES + 1)) == {410}


class UnavailableRedis:
    """A Redis that cannot be reached."""

    async def scard(self, *_):
        raise ConnectionRefusedError

    eval = scard


async def test_without_redis_links_are_followed_all_the_same(database, clock):
    async with run_site(database, UnavailableRedis(), clock) as here:
        token = await here.create_link()
        assert [await here.status(GUESS), await here.status(token)] == [410, 302]


def test_metrics_have_every_way_from_the_beginning_and_no_token():
    registry = CollectorRegistry()
    LinkMetrics(registry)
    shown = generate_latest(registry).decode()
    assert shown.count("ekdial_links_opened_total{") == 20
    assert shown.count("ekdial_links_refused_total{") == 4


async def test_another_gateways_link_is_none_of_ours(link_site, database, clock):
    stranger = Links(database, Cipher(b"another secret of the tests, 32+"), "https://ekdial.example", clock=clock)
    token = await stranger.create("app", "en", timedelta(days=1), 1, "s1:9")
    assert await link_site.status(token) == 410
