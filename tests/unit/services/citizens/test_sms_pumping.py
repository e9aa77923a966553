"""Codes counted by prefix, by country and by day; and what happens where they are sent and nobody enters them."""

import asyncio

import pytest
from structlog.testing import capture_logs

from services.citizens.one_time_codes import OneTimeCodes, SmsLimits
from tests.support.services import CIPHER, render_text

BANGLADESH, ELSEWHERE_THERE, INDIA = "+88017000{:05}", "+88018000{:05}", "+9198100{:05}"

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # what is new here is in Redis


@pytest.fixture
def limited_codes(services, redis, clock):
    """Codes under limits that a test names; the others are as high as nobody reaches."""

    def made(**limits):
        high = {"per_prefix_per_hour": 10**6, "per_country_per_hour": 10**6, "per_day": 10**6, "min_sample": 10**6}
        return OneTimeCodes(
            redis, services.messages, CIPHER, render_text, limits=SmsLimits(**{**high, **limits}), clock=clock
        )

    return made


async def send_codes(codes, numbers, form=BANGLADESH):
    """A code to each of these numbers; how often it was sent."""
    answers = [await codes.send(form.format(one), "en", "register", f"s{form}{one}:3") for one in numbers]
    return answers.count("sent")


async def enter_codes(services, codes):
    """Everybody who got a code types it; how many were right."""
    sent = {to: facts["code"] for to, _, text, facts in await services.claim_sms(1000) if text == "code"}
    answers = [await codes.check(number, "register", code) for number, code in sent.items()]
    return answers.count("right")


async def test_numbers_of_one_prefix_share_a_limit_and_others_do_not(limited_codes, clock):
    codes = limited_codes(per_prefix_per_hour=7)
    assert await send_codes(codes, range(10)) == 7
    assert await send_codes(codes, range(10_000, 10_010)) == 7, "numbers that differ before the last four digits"
    assert codes.rejections == {"prefix": 6}
    clock.advance(minutes=66)
    assert await send_codes(codes, range(10, 20)) == 7, "an hour and a slot later"


async def test_the_limit_holds_for_concurrent_requests(limited_codes):
    codes = limited_codes(per_prefix_per_hour=7)
    answers = await asyncio.gather(
        *(codes.send(BANGLADESH.format(one), "en", "register", f"s{one}:3") for one in range(40))
    )
    assert answers.count("sent") == 7


async def test_a_country_has_the_default_limit_or_its_own(limited_codes):
    codes = limited_codes(per_country_per_hour=3, country_overrides={"IN": 5})
    assert await send_codes(codes, range(0, 100_000, 10_000)) == 3
    assert await send_codes(codes, range(0, 100_000, 10_000), ELSEWHERE_THERE) == 0
    assert await send_codes(codes, range(0, 100_000, 10_000), INDIA) == 5
    assert codes.rejections == {"country": 7 + 10 + 5}


async def test_a_number_without_a_country_is_counted(limited_codes):
    codes = limited_codes(per_country_per_hour=1)
    assert await send_codes(codes, range(3), "+999000{:04}") == 1
    assert await send_codes(codes, range(1), "{:04}") == 0, "what is no number at all"


async def test_the_limit_of_a_day_is_logged_once(limited_codes, clock):
    codes = limited_codes(per_day=4)
    with capture_logs() as logs:
        assert await send_codes(codes, range(3)) + await send_codes(codes, range(3), INDIA) == 4
        assert await send_codes(codes, range(100, 105), INDIA) == 0
    critical = [line for line in logs if line["log_level"] == "critical"]
    assert [(line["event"], line["area"], line["limit"], line["hours"]) for line in critical] == [
        ("sms_limit_reached", "day", 4, 24)
    ]
    clock.advance(hours=26)
    assert await send_codes(codes, range(200, 210), INDIA) == 4


async def test_a_code_refused_in_one_area_is_counted_in_no_other(limited_codes):
    codes = limited_codes(per_prefix_per_hour=2, per_country_per_hour=4)
    assert await send_codes(codes, range(10)) == 2
    assert await send_codes(codes, range(10_000, 10_010)) == 2, (
        "the eight that were refused took nothing of the country's"
    )


async def test_a_repeated_send_is_not_counted(limited_codes):
    codes = limited_codes(per_prefix_per_hour=2)
    number = BANGLADESH.format(1)
    await asyncio.gather(*(codes.send(number, "en", "register", "s1:3") for _ in range(8)))
    assert await send_codes(codes, [2, 3]) == 1


async def test_codes_that_are_not_entered_block_their_prefix_and_raise_one_alarm(limited_codes, clock, services):
    codes = limited_codes(min_sample=10, min_entry_rate=30)
    assert await send_codes(codes, range(15)) == 15
    clock.advance(minutes=10)
    with capture_logs() as logs:
        assert await send_codes(codes, range(100, 110)) == 0
        assert await send_codes(codes, range(20_000, 20_001)) == 1, "the country is logged, and not blocked"
    alarms = [(line["area"], line["blocked"], line["to"]) for line in logs if line["log_level"] == "critical"]
    assert alarms == [("prefix", True, "+880170000xxxx"), ("country", False, "BD")]
    assert codes.rejections == {"pumping": 10}
    assert codes.alarms == {"prefix": 1, "country": 1}


async def test_a_blocked_prefix_opens_after_a_window(limited_codes, clock):
    codes = limited_codes(min_sample=10, min_entry_rate=30)
    await send_codes(codes, range(15))
    clock.advance(minutes=10)
    assert await send_codes(codes, [100]) == 0
    clock.advance(minutes=59)
    assert await send_codes(codes, [101]) == 0, "what closed it is an hour and more ago, but it was closed for an hour"
    clock.advance(minutes=2)
    assert await send_codes(codes, [102]) == 1


async def test_codes_that_are_entered_block_nothing(limited_codes, clock, services):
    codes = limited_codes(min_sample=10, min_entry_rate=30)
    for hour in range(3):
        assert await send_codes(codes, range(hour * 20, hour * 20 + 20)) == 20
        assert await enter_codes(services, codes) == 20
        clock.advance(minutes=12)
    assert codes.alarms == {}


async def test_the_entry_rate_counts_only_codes_that_are_old_enough(limited_codes, clock, services):
    codes = limited_codes(min_sample=10, min_entry_rate=50)
    assert await send_codes(codes, range(40)) == 40, "forty within one moment: none can have been entered yet"
    clock.advance(minutes=3)
    assert await enter_codes(services, codes) == 40, "counted where they were sent, not where they were entered"
    clock.advance(minutes=9)
    assert await send_codes(codes, range(100, 140)) == 40
    assert codes.alarms == {}


@pytest.mark.parametrize(("entered", "alarms"), [(2, 1), (3, 0)])
async def test_the_entry_rate_is_exact(limited_codes, clock, services, entered, alarms):
    codes = limited_codes(min_sample=10, min_entry_rate=30)
    await send_codes(codes, range(10))
    sent = {to: facts["code"] for to, _, _, facts in await services.claim_sms()}
    for number, code in [*sent.items()][:entered]:
        assert await codes.check(number, "register", code) == "right"
    clock.advance(minutes=10)
    await send_codes(codes, [50])
    assert codes.alarms["prefix"] == alarms


async def test_the_counts_of_an_area_do_not_grow(limited_codes, clock, redis):
    codes = limited_codes()
    for slot in range(60):
        await send_codes(codes, [slot])
        clock.advance(minutes=5)
    sizes = [await redis.hlen(key) async for key in redis.scan_iter(match="ekdial:codes:*")]
    assert len(sizes) == 3
    assert max(sizes) <= 14


async def test_a_code_is_right_after_redis_lost_its_areas(limited_codes, services, redis):
    codes = limited_codes()
    await send_codes(codes, [1])
    areas = [key async for key in redis.scan_iter(match="ekdial:codes:*")]
    await redis.delete(*areas)
    assert await enter_codes(services, codes) == 1
    assert not [key async for key in redis.scan_iter(match="ekdial:codes:*")], "nothing that would never be dropped"


async def test_one_of_two_processes_raises_the_alarm(limited_codes, clock):
    one, other = limited_codes(min_sample=10, min_entry_rate=30), limited_codes(min_sample=10, min_entry_rate=30)
    await send_codes(one, range(15))
    clock.advance(minutes=10)
    assert await asyncio.gather(send_codes(one, [100]), send_codes(other, [101])) == [0, 0]
    assert one.alarms["prefix"] + other.alarms["prefix"] == 1


class CrashingRedis:
    """A Redis client that fails at the `nth` request of a send, as in a crash."""

    def __init__(self, redis, nth):
        self.redis, self.calls_left = redis, nth

    async def eval(self, *arguments):
        self.calls_left -= 1
        if self.calls_left < 1:
            raise ConnectionResetError
        return await self.redis.eval(*arguments)


@pytest.mark.parametrize(("nth_request", "left_of_three"), [(1, 3), (2, 3), (3, 2), (4, 2), (5, 2)])
async def test_a_crash_between_count_and_send_never_exceeds_the_limit(
    limited_codes, services, redis, clock, *, nth_request, left_of_three
):
    limits = SmsLimits(per_prefix_per_hour=3, per_country_per_hour=10**6, per_day=10**6)
    dying = OneTimeCodes(
        CrashingRedis(redis, nth_request), services.messages, CIPHER, render_text, limits=limits, clock=clock
    )
    with pytest.raises(ConnectionResetError):
        await send_codes(dying, [1])
    assert await services.claim_sms() == []
    assert await send_codes(limited_codes(per_prefix_per_hour=3), range(10)) == left_of_three
