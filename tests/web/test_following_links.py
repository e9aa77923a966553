"""Following a link out of an SMS, over real connections: where it leads, what it costs, who is told to wait."""

import asyncio
import re
from contextlib import asynccontextmanager
from datetime import timedelta
from ipaddress import ip_address

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from structlog.testing import capture_logs

from sealing import Seal
from services.links import LENGTH, Links
from sessions.redis import open_sessions
from tests.desk import SEAL
from tests.migrated import sqlite_file
from tests.web.test_handset import BROWSERS
from web.guesses import MOST, Guesses
from web.link_pages import LinkTexts, Pages
from web.links import HEADERS, app_opener, routes
from web.opens import Opens

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
GUESS = "2" * LENGTH


class Site:
    """Links at an address, and a visitor of them."""

    def __init__(self, links, registry, address, http):
        self.links, self.registry, self.address, self.http = links, registry, address, http
        self.fails = False
        self.visitor = ip_address("192.0.2.1")

    async def made(self, purpose="app", subject="en", uses=3, effect="s1:9"):
        return await self.links.make(purpose, subject, timedelta(days=1), uses, effect)

    async def asks(self, token, method="GET", **headers):
        async with self.http.request(
            method, f"{self.address}/d/{token}", headers=headers or CHROME, allow_redirects=False
        ) as answer:
            return answer.status, answer.headers, await answer.text()

    async def status(self, token, method="GET", **headers):
        return (await self.asks(token, method, **headers))[0]

    def counted(self, name):
        """What is counted under this name, by labels; zeros left out."""
        found = re.findall(rf"^{name}_total(\S*) (\S+)", generate_latest(self.registry).decode(), re.MULTILINE)
        return {labels: int(float(value)) for labels, value in found if float(value)}

    async def document(self, request, subject):
        if self.fails:
            raise ConnectionResetError(subject)
        return web.Response(text=f"the document {subject}")

    async def busy(self, request, subject):
        return web.Response(status=503)


@asynccontextmanager
async def site(records, redis, clock):
    registry, links = CollectorRegistry(), Links(records, SEAL, "https://ekdial.example", clock=clock)
    pages = Pages(TEXTS, "en", "*123#")
    async with aiohttp.ClientSession() as http:
        one = Site(links, registry, "", http)
        openers = {"app": app_opener(STORES, pages), "document": one.document, "email": one.busy}
        guesses = Guesses(redis, SEAL.name, lambda _: one.visitor)
        app = web.Application()
        app.add_routes(routes(links, openers, pages=pages, guesses=guesses, opens=Opens(registry)))
        async with TestServer(app) as server:
            one.address = f"http://127.0.0.1:{server.port}"
            yield one


@pytest.fixture
def database_url(tmp_path):
    """SQLite is enough: what differs between databases is tested with the links themselves."""
    return sqlite_file(tmp_path / "ekdial.db")


@pytest.fixture
async def here(records, redis, clock):
    async with site(records, redis, clock) as one:
        yield one


@pytest.mark.parametrize(
    ("handset", "browser"),
    [(one, said) for one, _, said in BROWSERS if one != "apple"],
    ids=[row[1] for row in BROWSERS if row[0] != "apple"],
)
async def test_each_handset_is_sent_to_its_store(handset, browser, records, clock):
    async with open_sessions("memory://", SEAL) as opened, site(records, opened.client, clock) as here:
        status, headers, _ = await here.asks(await here.made(), **{"User-Agent": browser})
        assert (status, headers["Location"]) == (302, STORES[handset])
        assert here.counted("ekdial_links_opened") == {f'{{handset="{handset}",purpose="app"}}': 1}


async def test_a_mac_that_may_be_an_ipad_is_shown_both(here):
    safari = next(said for one, _, said in BROWSERS if one == "apple")
    status, headers, page = await here.asks(await here.made(subject="bn"), **{"User-Agent": safari})
    assert status == 200
    assert f'<a href="{STORES["ios"]}">আইফোন</a><a href="{STORES["other"]}">ম্যাক</a>' in page
    assert "script-src 'sha256-" in headers["Content-Security-Policy"]


async def test_every_answer_is_kept_by_nobody_and_found_by_no_engine(here):
    alive, spent = await here.made(), await here.made("document", uses=1, effect="s2")
    await here.asks(spent)
    here.fails = True
    failing = await here.made("document", effect="s3")
    for token in (alive, spent, failing, GUESS, "x"):
        _, headers, _ = await here.asks(token)
        assert {name: headers.get(name) for name in HEADERS} == dict(HEADERS)


async def test_a_link_is_used_up_by_people_alone(here):
    token = await here.made("document", "PAN", uses=2)
    for _ in range(5):
        assert await here.status(token, "HEAD") == 200
        assert await here.status(token, **ROBOT) == 200
        assert await here.status(token, **CHROME, **{"Sec-Purpose": "prefetch"}) == 200
    assert [await here.status(token) for _ in range(3)] == [200, 200, 410]
    assert await here.status(token, "HEAD") == await here.status(token, **ROBOT) == 410
    assert here.counted("ekdial_links_looked_at") == {"": 15}


async def test_a_robot_is_told_nothing(here):
    _, _, page = await here.asks(await here.made("document", "PAN"), **ROBOT)
    assert "PAN" not in page
    assert "store" not in page


async def test_of_many_at_once_no_more_are_let_in_than_there_are_uses(here):
    token = await here.made("document", uses=3)
    answers = await asyncio.gather(*(here.status(token) for _ in range(10)))
    assert sorted(answers) == [200] * 3 + [410] * 7


async def test_what_has_expired_says_so_in_every_language_that_of_the_browser_first(here, clock):
    token = await here.made()
    clock.moves(days=1)
    for accepts, first in (
        ("bn-BD,bn;q=0.9,en;q=0.5", "bn"),
        ("en-US", "en"),
        ("hi", "en"),
        ("", "en"),
        ("*;q=,", "en"),
    ):
        status, headers, page = await here.asks(token, **CHROME, **{"Accept-Language": accepts})
        assert (status, headers["Content-Type"]) == (410, "text/html; charset=utf-8")
        assert re.findall(r'<p lang="(..)">', page) == sorted(TEXTS, key=lambda one: one != first)
        assert '<a href="tel:%2A123%23">*123#</a>' in page
    assert here.counted("ekdial_links_refused") == {'{why="gone"}': 5}


@pytest.mark.parametrize("token", ["x", GUESS, "%00", "ক", "..%2f..%2fetc", "a" * 2000, "{token}", "%ff%fe"])
async def test_what_was_never_a_link_is_answered_alike(token, here):
    status, _, page = await here.asks(token)
    assert (status, "It no longer works" in page) == (410, True)


async def test_a_use_is_put_back_when_nothing_could_be_shown(here):
    token = await here.made("document", "PAN", uses=1)
    here.fails = True
    with capture_logs() as logs:
        status, headers, page = await here.asks(token)
    assert (status, headers["Retry-After"]) == (503, "600")
    assert "Not just now." in page
    assert [line["error"] for line in logs] == ["ConnectionResetError"]
    assert token not in str(logs)
    here.fails = False
    assert [await here.status(token) for _ in range(2)] == [200, 410]


async def test_so_it_is_when_the_opener_answers_with_a_failure(here):
    token = await here.made("email", uses=1)
    assert [await here.status(token) for _ in range(3)] == [503] * 3
    assert here.counted("ekdial_links_opened") == {}
    assert here.counted("ekdial_links_refused") == {'{why="failed"}': 3}


async def test_a_database_that_is_gone_is_a_page_too(here, monkeypatch):
    async def fails(_):
        raise ConnectionResetError

    token = await here.made()
    with monkeypatch.context() as gone:
        gone.setattr(here.links, "follow", fails)
        assert await here.status(token) == 503
    assert await here.status(token) == 302


# Guessing ------------------------------------------------------------------------------------------------------------


async def guesses(here, count):
    return [await here.status(f"{number:017}".replace("0", "2").replace("1", "z")) for number in range(count)]


async def test_who_guesses_is_told_to_wait_and_others_are_not(here):
    token = await here.made()
    assert set(await guesses(here, MOST)) == {410}
    assert [await here.status(GUESS), await here.status(token)] == [429, 429]
    here.visitor = ip_address("192.0.2.2")
    assert [await here.status(GUESS), await here.status(token)] == [410, 302]
    assert here.counted("ekdial_links_refused")['{why="guessing"}'] == 2


async def test_a_home_is_one_guesser_however_many_addresses_it_has(here):
    here.visitor = ip_address("2001:db8:1:2::1")
    await guesses(here, MOST)
    here.visitor = ip_address("2001:db8:1:2:ffff::7")
    assert await here.status(GUESS) == 429
    here.visitor = ip_address("2001:db8:1:3::1")
    assert await here.status(GUESS) == 410


async def test_links_that_were_cut_short_or_have_expired_are_no_guesses(here):
    spent = await here.made("document", uses=1)
    await here.asks(spent)
    for _ in range(MOST + 1):
        assert await here.status(spent) == await here.status(spent[:-1]) == 410
    assert await here.status(GUESS) == 410


async def test_guesses_are_forgotten_of_themselves_and_name_nobody(here, redis):
    await guesses(here, 3)
    (key,) = await redis.keys("*")
    assert key == f"ekdial:guesses:{SEAL.name('guesses', '192.0.2.1')}".encode()
    assert 0 < await redis.pttl(key) <= 600_000


async def test_who_comes_from_nowhere_is_not_counted_with_others(here):
    here.visitor = None
    assert set(await guesses(here, MOST + 1)) == {410}


class Gone:
    """A Redis that is not there."""

    async def scard(self, *_):
        raise ConnectionRefusedError

    eval = scard


async def test_without_redis_links_are_followed_all_the_same(records, clock):
    async with site(records, Gone(), clock) as here:
        token = await here.made()
        assert [await here.status(GUESS), await here.status(token)] == [410, 302]


def test_metrics_have_every_way_from_the_beginning_and_no_token():
    registry = CollectorRegistry()
    Opens(registry)
    shown = generate_latest(registry).decode()
    assert shown.count("ekdial_links_opened_total{") == 20
    assert shown.count("ekdial_links_refused_total{") == 4


async def test_another_gateways_link_is_none_of_ours(here, records, clock):
    stranger = Links(records, Seal(b"another secret of the tests, 32+"), "https://ekdial.example", clock=clock)
    token = await stranger.make("app", "en", timedelta(days=1), 1, "s1:9")
    assert await here.status(token) == 410
