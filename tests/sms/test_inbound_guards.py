"""When answering has become a loop: counted on either Redis, and in the process while there is none."""

import pytest
import structlog
from redis.asyncio import Redis

from sealing import Seal
from sessions.redis import open_sessions
from sms.guards import MOST, SAME, WINDOW, EitherCounters, Guards, OwnCounters, RedisCounters

SEAL = Seal(bytes(32))
NUMBER, OTHER = "+8801700000001", "+8801700000002"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def guards(redis: Redis) -> Guards:
    return Guards(RedisCounters(redis), SEAL.name)


async def test_so_many_answers_and_no_more(guards: Guards) -> None:
    assert [await guards.loop(NUMBER, "1") for _ in range(MOST + 1)] == [None] * MOST + ["too_many"]
    assert await guards.loop(OTHER, "1") is None


async def test_our_own_words_are_not_answered(guards: Guards) -> None:
    assert not await guards.told_too_often(NUMBER, "Did you mean STATUS?")
    assert await guards.loop(NUMBER, "Did you  mean STATUS?\n") == "echo"
    assert await guards.loop(OTHER, "Did you mean STATUS?") is None


async def test_the_same_words_are_not_said_for_ever(guards: Guards) -> None:
    assert [await guards.told_too_often(NUMBER, "HELP") for _ in range(SAME + 1)] == [False] * SAME + [True]


async def test_a_refusal_is_said_once_a_day(guards: Guards) -> None:
    assert [await guards.first_today(NUMBER) for _ in range(3)] == [True, False, False]


async def test_counters_lapse_and_tell_nobody_whose_they_are(guards: Guards, redis: Redis) -> None:
    await guards.loop(NUMBER, "1")
    await guards.told_too_often(NUMBER, "HELP")
    await guards.first_today(NUMBER)
    keys = [key.decode() async for key in redis.scan_iter()]
    assert len(keys) == 3
    for key in keys:
        assert NUMBER[1:] not in key
        assert 0 < await redis.ttl(key) <= 86_400


async def test_without_redis_this_process_counts(redis_server) -> None:
    async with open_sessions("redis://127.0.0.1:1", SEAL, deadline=0.2) as opened:
        guards = Guards(EitherCounters(RedisCounters(opened.client), OwnCounters()), SEAL.name)
        with structlog.testing.capture_logs() as said:
            answers = [await guards.first_today(NUMBER) for _ in range(2)]
    assert answers == [True, False]
    assert {line["event"] for line in said} == {"answers are counted in this process alone"}


async def test_this_process_counts_anew_after_a_while_and_remembers_only_so_many() -> None:
    clock = Clock()
    counters = OwnCounters(clock, most=3)
    assert [await counters.more("a", WINDOW) for _ in range(2)] == [1, 2]
    clock.now = WINDOW - 1
    assert await counters.so_far("a") == 2
    clock.now = WINDOW
    assert await counters.so_far("a") == 0
    assert await counters.more("a", WINDOW) == 1
    for name in "bcd":
        await counters.more(name, WINDOW)
    assert await counters.so_far("a") == 0
    assert await counters.so_far("d") == 1
