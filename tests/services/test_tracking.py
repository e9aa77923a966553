"""What has a number, and who is told to wait: unknown numbers are counted by caller and by prefix, right ones cost nothing."""

import asyncio
import re

import pytest
from redis.exceptions import RedisError

from services.guesses import Guesses, Limit
from services.numbers import tracking_number
from services.tracking import Tracking
from tests.desk import KARIM, RAHIMA, SEAL, birth_certificate
from tests.grievances import House, opinion

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # what is new here is in Redis
WHO = "+8801755000001"


class Down:
    """A Redis that is not there."""

    async def eval(self, *_):
        raise RedisError

    async def scard(self, *_):
        raise RedisError


class Counted:
    """A Redis whose trips are counted."""

    def __init__(self, redis) -> None:
        self.redis, self.trips = redis, 0

    def eval(self, *asked):
        self.trips += 1
        return self.redis.eval(*asked)

    def scard(self, *asked):
        self.trips += 1
        return self.redis.scard(*asked)


class Watch:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def house(desk) -> House:
    return House(desk)


@pytest.fixture
def process(house, redis):
    """One process of the gateway, as many as a test makes."""

    def made(redis=redis, *, most=3, prefix=1000, seconds=Watch()):  # noqa: B008 - one clock for all
        callers = Guesses(redis, SEAL.name, Limit("callers", most), seconds=seconds)
        prefixes = Guesses(redis, SEAL.name, Limit("prefixes", prefix), seconds=seconds)
        return Tracking(house.desk.glances(), house.following, callers, prefixes)

    return made


async def applied(house) -> str:
    submission = birth_certificate(await house.desk.registers())
    return (await house.desk.applications.submit(submission, "s:1")).tracking_number


async def kinds(tracking, *numbers, who=WHO):
    return [(await tracking.find(number, who)).kind for number in numbers]


async def test_a_number_says_what_it_is_the_number_of(house, process):
    tracking = process()
    application, complaint = await applied(house), await house.complains("s2:1")
    feedback = await house.complaints.suggest(opinion(), "s3:1")
    numbers = (application, complaint, feedback, tracking_number())
    assert await kinds(tracking, *numbers) == ["application", "complaint", "feedback", "unknown"]
    assert tracking.asked == {"application": 1, "complaint": 1, "feedback": 1, "unknown": 1}


async def test_whoever_asks_for_too_many_unknown_numbers_waits_also_for_a_right_one(house, process):
    tracking, right = process(), await applied(house)
    assert await kinds(tracking, *(tracking_number() for _ in range(4))) == ["unknown"] * 3 + ["held"]
    assert await kinds(tracking, right) == ["held"]
    assert await kinds(tracking, right, who=KARIM) == ["application"], "and nobody else does"
    assert (await tracking.find(right, WHO, own=True)).kind == "application", "one's own list is no guess"


async def test_ten_minutes_later_they_may_ask_again(house, process, redis):
    clock = Watch()
    tracking, right = process(seconds=clock), await applied(house)
    await kinds(tracking, *(tracking_number() for _ in range(4)))
    clock.now += 601
    await redis.flushall()
    assert await kinds(tracking, right, tracking_number()) == ["application", "unknown"]


async def test_a_window_ends_by_itself(house, process, redis):
    await kinds(process(), tracking_number())
    keys = [key async for key in redis.scan_iter(match="ekdial:guesses:*")]
    assert len(keys) == 2
    assert all([0 < await redis.pttl(key) <= 600_000 for key in keys])


async def test_the_same_wrong_number_is_one_guess_however_often_it_is_asked_for(house, process):
    tracking, wrong = process(), tracking_number()
    assert await kinds(tracking, *[wrong] * 9) == ["unknown"] * 9


async def test_another_process_holds_them_back_at_the_next_miss(house, process):
    one, other = process(), process()
    await kinds(one, *(tracking_number() for _ in range(4)))
    assert await kinds(other, tracking_number(), tracking_number()) == ["held", "held"]


async def test_a_sweep_through_a_prefix_by_many_is_stopped_and_touches_no_other_prefix(house, process):
    tracking, right = process(prefix=5), await applied(house)
    swept = [f"55555{place:07}" for place in range(8)]
    found = [(await tracking.find(number, f"+88017000{place:05}")).kind for place, number in enumerate(swept)]
    assert found == ["unknown"] * 5 + ["held"] * 3
    assert await kinds(tracking, right) == ["application"]


async def test_a_right_number_makes_no_trip_to_redis_and_who_waits_makes_none(house, process, redis):
    counted = Counted(redis)
    tracking, right = process(counted), await applied(house)
    assert await kinds(tracking, *[right] * 5) == ["application"] * 5
    assert counted.trips == 0
    await kinds(tracking, *(tracking_number() for _ in range(3)))
    before = counted.trips
    assert await kinds(tracking, right, tracking_number()) == ["held", "held"]
    assert counted.trips == before


async def test_without_redis_nobody_is_held_back(house, process):
    tracking, right = process(Down()), await applied(house)
    assert await kinds(tracking, *(tracking_number() for _ in range(9)), right) == ["unknown"] * 9 + ["application"]


async def test_guesses_at_once_get_no_more_than_one_by_one(house, process):
    tracking = process()
    found = await asyncio.gather(*(tracking.find(tracking_number(), WHO) for _ in range(20)))
    assert [one.kind for one in found].count("unknown") == 3


async def test_nothing_in_redis_names_a_caller_or_a_number(house, process, redis):
    wrong = tracking_number()
    await process().find(wrong, RAHIMA)
    kept = b""
    async for key in redis.scan_iter(match="*"):
        kept += key + b" ".join(await redis.smembers(key))
    for one in (wrong, wrong[:5], RAHIMA, RAHIMA[4:]):
        assert not re.search(rf"(?<![0-9a-f]){re.escape(one)}(?![0-9a-f])".encode(), kept), (
            "but within a digest, by chance"
        )
