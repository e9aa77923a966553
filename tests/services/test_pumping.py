"""Codes counted by prefix, by country and by day; and what happens where they are sent and nobody enters them."""

import asyncio

import pytest
from structlog.testing import capture_logs

from services.codes import Codes, Limits
from tests.desk import SEAL, say

BANGLADESH, ELSEWHERE_THERE, INDIA = "+88017000{:05}", "+88018000{:05}", "+9198100{:05}"

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # what is new here is in Redis


@pytest.fixture
def limited(desk, redis, clock):
    """Codes under limits that a test names; the others are as high as nobody reaches."""

    def made(**limits):
        high = {"prefix": 10**6, "country": 10**6, "daily": 10**6, "watched": 10**6}
        return Codes(redis, desk.messages, SEAL, say, limits=Limits(**{**high, **limits}), clock=clock)

    return made


async def sends(codes, numbers, form=BANGLADESH):
    """A code to each of these numbers; how often it was sent."""
    answers = [await codes.send(form.format(one), "en", "register", f"s{form}{one}:3") for one in numbers]
    return answers.count("sent")


async def enters(desk, codes):
    """Everybody who got a code types it; how many were right."""
    sent = {to: facts["code"] for to, _, text, facts in await desk.sent(1000) if text == "code"}
    answers = [await codes.check(number, "register", code) for number, code in sent.items()]
    return answers.count("right")


async def test_neighbours_have_a_limit_together_and_others_are_not_touched(limited, clock):
    codes = limited(prefix=7)
    assert await sends(codes, range(10)) == 7
    assert await sends(codes, range(10_000, 10_010)) == 7, "numbers that differ before the last four digits"
    assert codes.refused == {"prefix": 6}
    clock.moves(minutes=66)
    assert await sends(codes, range(10, 20)) == 7, "an hour and a slot later"


async def test_the_limit_holds_for_those_who_ask_at_once(limited):
    codes = limited(prefix=7)
    answers = await asyncio.gather(
        *(codes.send(BANGLADESH.format(one), "en", "register", f"s{one}:3") for one in range(40))
    )
    assert answers.count("sent") == 7


async def test_a_country_has_a_limit_and_may_have_one_of_its_own(limited):
    codes = limited(country=3, countries={"IN": 5})
    assert await sends(codes, range(0, 100_000, 10_000)) == 3
    assert await sends(codes, range(0, 100_000, 10_000), ELSEWHERE_THERE) == 0
    assert await sends(codes, range(0, 100_000, 10_000), INDIA) == 5
    assert codes.refused == {"country": 7 + 10 + 5}


async def test_a_number_of_no_country_is_counted_too(limited):
    codes = limited(country=1)
    assert await sends(codes, range(3), "+999000{:04}") == 1
    assert await sends(codes, range(1), "{:04}") == 0, "what is no number at all"


async def test_a_day_has_a_budget_and_its_end_is_told_once(limited, clock):
    codes = limited(daily=4)
    with capture_logs() as logs:
        assert await sends(codes, range(3)) + await sends(codes, range(3), INDIA) == 4
        assert await sends(codes, range(100, 105), INDIA) == 0
    told = [line for line in logs if line["log_level"] == "critical"]
    assert [(line["event"], line["area"], line["most"], line["hours"]) for line in told] == [
        ("no more codes are sent", "day", 4, 24)
    ]
    clock.moves(hours=26)
    assert await sends(codes, range(200, 210), INDIA) == 4


async def test_what_one_area_refuses_is_counted_in_no_other(limited):
    codes = limited(prefix=2, country=4)
    assert await sends(codes, range(10)) == 2
    assert await sends(codes, range(10_000, 10_010)) == 2, "the eight that were refused took nothing of the country's"


async def test_a_repeat_is_counted_nowhere(limited):
    codes = limited(prefix=2)
    number = BANGLADESH.format(1)
    await asyncio.gather(*(codes.send(number, "en", "register", "s1:3") for _ in range(8)))
    assert await sends(codes, [2, 3]) == 1


async def test_codes_that_nobody_enters_close_their_prefix_and_raise_the_alarm_once(limited, clock, desk):
    codes = limited(watched=10, entered=30)
    assert await sends(codes, range(15)) == 15
    clock.moves(minutes=10)
    with capture_logs() as logs:
        assert await sends(codes, range(100, 110)) == 0
        assert await sends(codes, range(20_000, 20_001)) == 1, "the country is told of, and not closed"
    alarms = [(line["area"], line["closed"], line["to"]) for line in logs if line["log_level"] == "critical"]
    assert alarms == [("prefix", True, "+880170000xxxx"), ("country", False, "BD")]
    assert codes.refused == {"pumping": 10}
    assert codes.alarms == {"prefix": 1, "country": 1}


async def test_a_closed_prefix_opens_again_after_a_window(limited, clock):
    codes = limited(watched=10, entered=30)
    await sends(codes, range(15))
    clock.moves(minutes=10)
    assert await sends(codes, [100]) == 0
    clock.moves(minutes=59)
    assert await sends(codes, [101]) == 0, "what closed it is an hour and more ago, but it was closed for an hour"
    clock.moves(minutes=2)
    assert await sends(codes, [102]) == 1


async def test_codes_that_are_entered_close_nothing(limited, clock, desk):
    codes = limited(watched=10, entered=30)
    for hour in range(3):
        assert await sends(codes, range(hour * 20, hour * 20 + 20)) == 20
        assert await enters(desk, codes) == 20
        clock.moves(minutes=12)
    assert codes.alarms == {}


async def test_a_share_is_judged_by_codes_that_had_time_to_be_entered(limited, clock, desk):
    codes = limited(watched=10, entered=50)
    assert await sends(codes, range(40)) == 40, "forty within one moment: none can have been entered yet"
    clock.moves(minutes=3)
    assert await enters(desk, codes) == 40, "counted where they were sent, not where they were entered"
    clock.moves(minutes=9)
    assert await sends(codes, range(100, 140)) == 40
    assert codes.alarms == {}


@pytest.mark.parametrize(("entered", "alarms"), [(2, 1), (3, 0)])
async def test_the_share_is_exact(limited, clock, desk, entered, alarms):
    codes = limited(watched=10, entered=30)
    await sends(codes, range(10))
    sent = {to: facts["code"] for to, _, _, facts in await desk.sent()}
    for number, code in [*sent.items()][:entered]:
        assert await codes.check(number, "register", code) == "right"
    clock.moves(minutes=10)
    await sends(codes, [50])
    assert codes.alarms["prefix"] == alarms


async def test_what_is_kept_of_an_area_does_not_grow(limited, clock, redis):
    codes = limited()
    for slot in range(60):
        await sends(codes, [slot])
        clock.moves(minutes=5)
    sizes = [await redis.hlen(key) async for key in redis.scan_iter(match="ekdial:codes:*")]
    assert len(sizes) == 3
    assert max(sizes) <= 14


async def test_a_code_whose_areas_redis_has_forgotten_is_right_all_the_same(limited, desk, redis):
    codes = limited()
    await sends(codes, [1])
    areas = [key async for key in redis.scan_iter(match="ekdial:codes:*")]
    await redis.delete(*areas)
    assert await enters(desk, codes) == 1
    assert not [key async for key in redis.scan_iter(match="ekdial:codes:*")], "nothing that would never be dropped"


async def test_of_two_processes_one_raises_the_alarm(limited, clock):
    one, other = limited(watched=10, entered=30), limited(watched=10, entered=30)
    await sends(one, range(15))
    clock.moves(minutes=10)
    assert await asyncio.gather(sends(one, [100]), sends(other, [101])) == [0, 0]
    assert one.alarms["prefix"] + other.alarms["prefix"] == 1


class Dies:
    """A Redis on whose client the power goes out before its `nth` trip of a send."""

    def __init__(self, redis, nth):
        self.redis, self.left = redis, nth

    async def eval(self, *asked):
        self.left -= 1
        if self.left < 1:
            raise ConnectionResetError
        return await self.redis.eval(*asked)


@pytest.mark.parametrize(("trip", "left_of_three"), [(1, 3), (2, 3), (3, 2), (4, 2), (5, 2)])
async def test_a_process_that_dies_in_between_leaves_one_code_too_few_and_none_too_many(
    limited, desk, redis, clock, *, trip, left_of_three
):
    limits = Limits(prefix=3, country=10**6, daily=10**6)
    dying = Codes(Dies(redis, trip), desk.messages, SEAL, say, limits=limits, clock=clock)
    with pytest.raises(ConnectionResetError):
        await sends(dying, [1])
    assert await desk.sent() == []
    assert await sends(limited(prefix=3), range(10)) == left_of_three
