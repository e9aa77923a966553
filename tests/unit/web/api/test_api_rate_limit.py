"""The rate limit of a key: counted over all processes, sent with every response, and never in the way when Redis is down."""

import pytest
from aiohttp import ClientSession
from redis.asyncio import Redis
from structlog.testing import capture_logs

from services.departments.api_keys import ApiKeys
from tests.support.department_api import OWN_DEPARTMENT, UNKNOWN_NUMBER, DepartmentClient, run_department_api
from tests.support.phone import UNREACHABLE_REDIS_URL
from tests.support.services import ServiceSet
from tests.support.staff import staff_act
from web.api.rate_limit import REDIS_RETRY_DELAY, RateLimiter


class ManualTimer:
    """A clock that a test moves."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


async def test_a_key_has_so_many_requests_in_a_minute_and_another_key_has_its_own(redis):
    limits = [RateLimiter(redis, 3) for _ in range(2)]  # two processes

    taken = [await limits[turn % 2].count_request("00000001") for turn in range(5)]

    assert [left.remaining for left in taken] == [2, 1, 0, -1, -2]
    assert all(1 <= left.reset_seconds <= 60 for left in taken)
    assert (await limits[0].count_request("00000002")).remaining == 2


async def test_a_minute_after_its_first_request_a_key_begins_anew(redis):
    limits = RateLimiter(redis, 1)
    assert [(await limits.count_request("k")).remaining for _ in range(2)] == [0, -1]

    (key,) = await redis.keys("ekdial:api:*")
    assert 0 < await redis.pttl(key) <= 60_000
    await redis.pexpire(key, 1)
    while await redis.exists(key):
        pass

    assert (await limits.count_request("k")).remaining == 0


async def test_while_redis_is_away_all_are_let_through_and_it_is_said_once():
    clock = ManualTimer()
    async with Redis.from_url(UNREACHABLE_REDIS_URL) as redis:
        limits = RateLimiter(redis, 1, clock=clock)

        with capture_logs() as logged:
            for _ in range(5):
                assert await limits.count_request("k") is None
                clock.now += REDIS_RETRY_DELAY

    assert [line["event"] for line in logged] == ["api_requests_not_counted"]


class CountingRedis:
    """A Redis that fails its first calls, and counts them."""

    def __init__(self, away):
        self.failures_left, self.calls = away, 0

    async def eval(self, *_):
        self.calls += 1
        if self.calls <= self.failures_left:
            raise TimeoutError
        return [1, 60_000]


async def test_a_redis_that_does_not_answer_is_not_waited_for_by_every_request():
    clock, redis = ManualTimer(), CountingRedis(away=2)
    limits = RateLimiter(redis, 5, clock=clock)

    with capture_logs() as logged:
        assert [await limits.count_request("k") for _ in range(10)] == [None] * 10
        assert redis.calls == 1
        clock.now += REDIS_RETRY_DELAY
        assert await limits.count_request("k") is None
        clock.now += REDIS_RETRY_DELAY
        assert (await limits.count_request("k")).remaining == 4
        redis.failures_left = 4
        assert await limits.count_request("k") is None

    assert len(logged) == 2  # once for each outage


@pytest.fixture
async def limited_client(database, clock, pins, redis):
    """A department whose key can send three requests a minute."""
    services = ServiceSet(database, clock, pins)
    async with run_department_api(services, redis, per_minute=3) as url, ClientSession() as http:
        yield DepartmentClient(http, url, await ApiKeys(database, clock=clock).create(OWN_DEPARTMENT, staff_act()))


async def test_one_request_too_many_is_429_and_told_for_how_long(limited_client):
    heard = [await limited_client.request("GET", "/api/v1/applications") for _ in range(4)]
    moved = await limited_client.post_event(UNKNOWN_NUMBER, {"status": "ready"})

    assert [status for status, *_ in heard] == [200, 200, 200, 429]
    assert [headers["RateLimit-Remaining"] for _, headers, _ in heard] == ["2", "1", "0", "0"]
    _, headers, problem = heard[-1]
    assert headers["RateLimit-Limit"] == "3"
    assert headers["Retry-After"] == headers["RateLimit-Reset"]
    assert 1 <= int(headers["Retry-After"]) <= 60
    assert problem["title"] == "Too many requests"
    assert moved[0] == 429


async def test_what_is_refused_counts_and_says_what_is_left(limited_client):
    _, headers, _ = await limited_client.request("GET", f"/api/v1/applications/{UNKNOWN_NUMBER}")
    assert headers["RateLimit-Remaining"] == "2"
    _, headers, _ = await limited_client.request("GET", "/api/v1/applications?limit=x")
    assert headers["RateLimit-Remaining"] == "1"


async def test_who_has_no_key_uses_up_nobodys_requests(limited_client):
    for _ in range(5):
        status, headers, _ = await limited_client.request("GET", "/api/v1/applications", {"Authorization": "Bearer x"})
        assert (status, "RateLimit-Limit" in headers) == (401, False)
    assert (await limited_client.get("/applications"))[0] == 200
