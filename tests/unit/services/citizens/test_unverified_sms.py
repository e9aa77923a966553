"""SMS that unverified callers cause: counted by number, prefix, country and day, over all processes, also without Redis."""

import asyncio

import pytest
from redis.exceptions import RedisError
from sqlalchemy import select
from structlog.testing import capture_logs

from core.verified_caller import is_caller_verified, unverified_caller
from db.tables import messages
from services.citizens.sms_pumping import SmsLimits
from services.citizens.unverified_sms import DEFAULT_LIMITS, UnverifiedSmsLimiter
from services.messaging.messages import LIMIT_REACHED, Messages, SmsLimitReachedError
from services.messaging.models import Message
from tests.support.services import CIPHER

HIGH = {"per_prefix_per_hour": 10**6, "per_country_per_hour": 10**6, "per_day": 10**6, "min_entry_rate": 0}
NEIGHBOURS = [f"+88017000{number:05}" for number in range(50)]
ONE = NEIGHBOURS[0]


class UnavailableRedis:
    """A Redis client whose server does not answer."""

    async def eval(self, *_):
        raise RedisError


@pytest.fixture
def build_limiter(redis, clock):
    """A limiter of one process, with the limits that a test names; the others are as high as nobody reaches."""

    def build(client=redis, **limits):
        return UnverifiedSmsLimiter(
            client, CIPHER, SmsLimits(**{**HIGH, "alarm_at_limit": True, **limits}), clock=clock
        )

    return build


async def count_allowed(limiter, numbers, kind="reply"):
    return sum([await limiter.try_take(number, kind) for number in numbers])


async def test_a_number_has_a_limit_of_the_hour_and_one_of_the_day(build_limiter, clock):
    limiter = build_limiter(per_number_per_hour=3, per_number_per_day=5)
    assert await count_allowed(limiter, [ONE] * 5) == 3
    assert await count_allowed(limiter, NEIGHBOURS[1:]) == 49, "nobody else's"
    clock.advance(minutes=66)
    assert await count_allowed(limiter, [ONE] * 5) == 2
    clock.advance(hours=27)
    assert await count_allowed(limiter, [ONE] * 5) == 3
    assert limiter.rejections == {"number": 7}
    assert limiter.alarms == {}, "one number is no alarm"


async def test_the_limit_holds_for_concurrent_sms_of_several_processes(build_limiter):
    processes = [build_limiter(per_prefix_per_hour=7) for _ in range(3)]
    taken = await asyncio.gather(*(processes[turn % 3].try_take(number) for turn, number in enumerate(NEIGHBOURS)))
    assert sum(taken) == 7
    assert sum(limiter.alarms["prefix"] for limiter in processes) == 1


@pytest.mark.parametrize("area", ["prefix", "country", "day"])
async def test_reaching_the_limit_of_an_area_is_one_alarm_without_the_number(build_limiter, area):
    name = "per_day" if area == "day" else f"per_{area}_per_hour"
    with capture_logs() as logs:
        limiter = build_limiter(**{name: 5})
        assert await count_allowed(limiter, NEIGHBOURS) == 5
    assert [(line["event"], line["area"], line["log_level"]) for line in logs] == [
        ("sms_limit_reached", area, "critical")
    ]
    assert limiter.alarms == {area: 1}
    assert limiter.rejections == {area: 45}
    assert not any(number in str(logs) for number in NEIGHBOURS)


async def test_a_reply_that_is_not_sent_is_given_back(build_limiter):
    limiter = build_limiter(per_number_per_hour=2)
    for _ in range(9):
        assert await limiter.try_take(ONE)
        await limiter.release(ONE)
    assert await count_allowed(limiter, [ONE] * 3) == 2


async def test_a_pin_is_counted_with_the_codes_too(redis, clock):
    limiter = UnverifiedSmsLimiter(
        redis, CIPHER, SmsLimits(**HIGH), code_limits=SmsLimits(**{**HIGH, "per_prefix_per_hour": 4}), clock=clock
    )
    assert await count_allowed(limiter, NEIGHBOURS, "pin") == 4
    assert await count_allowed(limiter, NEIGHBOURS) == 50


async def test_without_redis_each_process_counts_for_itself(build_limiter):
    limiter = build_limiter(UnavailableRedis(), per_number_per_hour=3)
    assert await count_allowed(limiter, [ONE] * 5) == 3
    await limiter.release(ONE)  # raises nothing
    assert await count_allowed(limiter, NEIGHBOURS[1:3]) == 2


def test_the_defaults_leave_a_citizen_three_forms_an_hour():
    assert DEFAULT_LIMITS.per_number_per_hour >= 3 * 20


async def test_a_message_beyond_the_limit_is_stored_as_failed_and_a_pin_is_refused(database, clock):
    async def may_send(_number, _kind):
        return False

    outbox = Messages(database, CIPHER, clock=clock, may_send=may_send)
    await outbox.send(Message(ONE, "from a call", "info", "1"))
    with unverified_caller():
        assert not is_caller_verified()
        await outbox.send(Message(ONE, "from an SMS", "info", "2"))
        await outbox.send(Message("a@example.org", "subject\n\nmail", "info", "3", "email"))
        await outbox.send(Message(ONE, "123456", "code", "4"))  # limited where it is made
        with pytest.raises(SmsLimitReachedError):
            await outbox.send(Message(ONE, "4826", "pin", "5"))
    assert is_caller_verified()
    rows = await database.fetch(select(messages.c.idempotency_key, messages.c.status, messages.c.error).order_by("id"))
    assert [tuple(row) for row in rows] == [
        ("1", "queued", None),
        ("2", "failed", LIMIT_REACHED),
        ("3", "queued", None),
        ("4", "queued", None),
    ]
