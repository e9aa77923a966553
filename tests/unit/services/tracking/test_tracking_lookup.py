"""Lookup of numbers: misses are counted by caller and by prefix, known numbers cost nothing."""

import asyncio
import re

import pytest
from redis.exceptions import RedisError

from core.rate_limit import MissLimit, MissLimiter
from core.reference_numbers import generate_tracking_number
from services.tracking.lookup import TrackingLookup
from tests.support.complaints import ComplaintServiceSet, build_feedback
from tests.support.services import CIPHER, KARIM, RAHIMA, birth_certificate_submission

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # what is new here is in Redis
WHO = "+8801755000001"


class UnavailableRedis:
    """A Redis client without a server."""

    async def eval(self, *_):
        raise RedisError

    async def scard(self, *_):
        raise RedisError


class CountingRedis:
    """A Redis client that counts its requests."""

    def __init__(self, redis) -> None:
        self.redis, self.trips = redis, 0

    def eval(self, *request):
        self.trips += 1
        return self.redis.eval(*request)

    def scard(self, *request):
        self.trips += 1
        return self.redis.scard(*request)


class ManualTimer:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def complaint_services(services) -> ComplaintServiceSet:
    return ComplaintServiceSet(services)


@pytest.fixture
def tracking_lookup(complaint_services, redis):
    """A factory of lookups; each stands for one process of the gateway."""

    def made(redis=redis, *, limit=3, prefix=1000, seconds=ManualTimer()):  # noqa: B008 - one clock for all
        callers = MissLimiter(redis, CIPHER.keyed_hash, MissLimit("callers", limit), monotonic=seconds)
        prefixes = MissLimiter(redis, CIPHER.keyed_hash, MissLimit("prefixes", prefix), monotonic=seconds)
        return TrackingLookup(
            complaint_services.services.tracking_summaries(), complaint_services.status_reader, callers, prefixes
        )

    return made


async def submit_application(complaint_services) -> str:
    submission = birth_certificate_submission(await complaint_services.services.register())
    return (await complaint_services.services.applications.submit(submission, "s:1")).tracking_number


async def kinds(tracking, *numbers, who=WHO):
    return [(await tracking.find(number, who)).kind for number in numbers]


async def test_a_lookup_finds_the_kind_of_a_number(complaint_services, tracking_lookup):
    tracking = tracking_lookup()
    application, complaint = (
        await submit_application(complaint_services),
        await complaint_services.submit_complaint("s2:1"),
    )
    feedback = await complaint_services.complaints.submit_feedback(build_feedback(), "s3:1")
    numbers = (application, complaint, feedback, generate_tracking_number())
    assert await kinds(tracking, *numbers) == ["application", "complaint", "feedback", "unknown"]
    assert tracking.lookups == {"application": 1, "complaint": 1, "feedback": 1, "unknown": 1}


async def test_a_caller_with_too_many_misses_is_held_also_for_a_known_number(complaint_services, tracking_lookup):
    tracking, right = tracking_lookup(), await submit_application(complaint_services)
    assert await kinds(tracking, *(generate_tracking_number() for _ in range(4))) == ["unknown"] * 3 + ["held"]
    assert await kinds(tracking, right) == ["held"]
    assert await kinds(tracking, right, who=KARIM) == ["application"], "and nobody else does"
    assert (await tracking.find(right, WHO, own=True)).kind == "application", "one's own list is no guess"


async def test_a_held_caller_may_ask_again_after_ten_minutes(complaint_services, tracking_lookup, redis):
    clock = ManualTimer()
    tracking, right = tracking_lookup(seconds=clock), await submit_application(complaint_services)
    await kinds(tracking, *(generate_tracking_number() for _ in range(4)))
    clock.now += 601
    await redis.flushall()
    assert await kinds(tracking, right, generate_tracking_number()) == ["application", "unknown"]


async def test_a_window_of_misses_expires(complaint_services, tracking_lookup, redis):
    await kinds(tracking_lookup(), generate_tracking_number())
    keys = [key async for key in redis.scan_iter(match="ekdial:misses:*")]
    assert len(keys) == 2
    assert all([0 < await redis.pttl(key) <= 600_000 for key in keys])


async def test_a_repeated_unknown_number_is_one_miss(complaint_services, tracking_lookup):
    tracking, wrong = tracking_lookup(), generate_tracking_number()
    assert await kinds(tracking, *[wrong] * 9) == ["unknown"] * 9


async def test_another_process_holds_the_caller_at_once(complaint_services, tracking_lookup):
    one, other = tracking_lookup(), tracking_lookup()
    right = await submit_application(complaint_services)
    await kinds(one, *(generate_tracking_number() for _ in range(4)))
    assert await kinds(other, right, generate_tracking_number()) == ["held", "held"]


async def test_a_sweep_of_a_prefix_by_many_callers_is_held_and_other_prefixes_are_not(
    complaint_services, tracking_lookup
):
    tracking, right = tracking_lookup(prefix=5), await submit_application(complaint_services)
    swept = [f"55555{place:07}" for place in range(8)]
    found = [(await tracking.find(number, f"+88017000{place:05}")).kind for place, number in enumerate(swept)]
    assert found == ["unknown"] * 5 + ["held"] * 3
    assert await kinds(tracking, right) == ["application"]


async def test_ones_own_number_and_a_held_caller_make_no_request_to_redis(complaint_services, tracking_lookup, redis):
    counted = CountingRedis(redis)
    tracking, right = tracking_lookup(counted), await submit_application(complaint_services)
    assert await kinds(tracking, *[right] * 5, who=RAHIMA) == ["application"] * 5
    assert counted.trips == 0
    await kinds(tracking, *(generate_tracking_number() for _ in range(3)))
    before = counted.trips
    assert await kinds(tracking, right, generate_tracking_number()) == ["held", "held"]
    assert counted.trips == before


async def test_without_redis_no_caller_is_held(complaint_services, tracking_lookup):
    tracking, right = tracking_lookup(UnavailableRedis()), await submit_application(complaint_services)
    assert await kinds(tracking, *(generate_tracking_number() for _ in range(9)), right) == ["unknown"] * 9 + [
        "application"
    ]


async def test_concurrent_misses_do_not_exceed_the_limit(complaint_services, tracking_lookup):
    tracking = tracking_lookup()
    found = await asyncio.gather(*(tracking.find(generate_tracking_number(), WHO) for _ in range(20)))
    assert [one.kind for one in found].count("unknown") == 3


async def test_nothing_in_redis_names_a_caller_or_a_number(complaint_services, tracking_lookup, redis):
    wrong = generate_tracking_number()
    await tracking_lookup().find(wrong, RAHIMA)
    stored = b""
    async for key in redis.scan_iter(match="*"):
        stored += key + b" ".join(await redis.smembers(key))
    for one in (wrong, wrong[:5], RAHIMA, RAHIMA[4:]):
        assert not re.search(rf"(?<![0-9a-f]){re.escape(one)}(?![0-9a-f])".encode(), stored), (
            "but within a digest, by chance"
        )
