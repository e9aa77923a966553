"""How often a key may ask: counted for all processes, told with every answer, and never in the way when Redis is."""

import pytest
from aiohttp import ClientSession
from redis.asyncio import Redis
from structlog.testing import capture_logs

from services.keys import Keys
from tests.desk import Desk
from tests.phone import NOBODY_LISTENS_HERE
from tests.web.office import NOBODYS, OURS, Office, doors_open
from web.api.limits import AWAY, Limits


class Monotonic:
    """Seconds that pass when they are told to."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


async def test_a_key_has_so_many_requests_in_a_minute_and_another_key_has_its_own(redis):
    limits = [Limits(redis, 3) for _ in range(2)]  # two processes

    taken = [await limits[turn % 2].take("00000001") for turn in range(5)]

    assert [left.requests for left in taken] == [2, 1, 0, -1, -2]
    assert all(1 <= left.seconds <= 60 for left in taken)
    assert (await limits[0].take("00000002")).requests == 2


async def test_a_minute_after_its_first_request_a_key_begins_anew(redis):
    limits = Limits(redis, 1)
    assert [(await limits.take("k")).requests for _ in range(2)] == [0, -1]

    (key,) = await redis.keys("ekdial:api:*")
    assert 0 < await redis.pttl(key) <= 60_000
    await redis.pexpire(key, 1)
    while await redis.exists(key):
        pass

    assert (await limits.take("k")).requests == 0


async def test_while_redis_is_away_all_are_let_through_and_it_is_said_once():
    clock = Monotonic()
    async with Redis.from_url(NOBODY_LISTENS_HERE) as redis:
        limits = Limits(redis, 1, clock=clock)

        with capture_logs() as logged:
            for _ in range(5):
                assert await limits.take("k") is None
                clock.now += AWAY

    assert [line["event"] for line in logged] == ["requests of departments are not counted"]


class Counting:
    """A Redis that is away for its first calls, and counts them."""

    def __init__(self, away):
        self.away, self.calls = away, 0

    async def eval(self, *_):
        self.calls += 1
        if self.calls <= self.away:
            raise TimeoutError
        return [1, 60_000]


async def test_a_redis_that_does_not_answer_is_not_waited_for_by_every_request():
    clock, redis = Monotonic(), Counting(away=2)
    limits = Limits(redis, 5, clock=clock)

    with capture_logs() as logged:
        assert [await limits.take("k") for _ in range(10)] == [None] * 10
        assert redis.calls == 1
        clock.now += AWAY
        assert await limits.take("k") is None
        clock.now += AWAY
        assert (await limits.take("k")).requests == 4
        redis.away = 4
        assert await limits.take("k") is None

    assert len(logged) == 2  # once for each time that it went away


@pytest.fixture
async def limited(records, clock, pins, redis):
    """An office whose key may ask three times a minute."""
    desk = Desk(records, clock, pins)
    async with doors_open(desk, redis, per_minute=3) as url, ClientSession() as http:
        yield Office(http, url, await Keys(records, clock=clock).add(OURS))


async def test_one_request_too_many_is_429_and_told_for_how_long(limited):
    heard = [await limited.hears("GET", "/api/v1/applications") for _ in range(4)]
    moved = await limited.reports(NOBODYS, {"status": "ready"})

    assert [status for status, *_ in heard] == [200, 200, 200, 429]
    assert [headers["RateLimit-Remaining"] for _, headers, _ in heard] == ["2", "1", "0", "0"]
    _, headers, problem = heard[-1]
    assert headers["RateLimit-Limit"] == "3"
    assert headers["Retry-After"] == headers["RateLimit-Reset"]
    assert 1 <= int(headers["Retry-After"]) <= 60
    assert problem["title"] == "Too many requests"
    assert moved[0] == 429


async def test_what_is_refused_counts_and_says_what_is_left(limited):
    _, headers, _ = await limited.hears("GET", f"/api/v1/applications/{NOBODYS}")
    assert headers["RateLimit-Remaining"] == "2"
    _, headers, _ = await limited.hears("GET", "/api/v1/applications?limit=x")
    assert headers["RateLimit-Remaining"] == "1"


async def test_who_has_no_key_uses_up_nobodys_requests(limited):
    for _ in range(5):
        status, headers, _ = await limited.hears("GET", "/api/v1/applications", {"Authorization": "Bearer x"})
        assert (status, "RateLimit-Limit" in headers) == (401, False)
    assert (await limited.asks("/applications"))[0] == 200
