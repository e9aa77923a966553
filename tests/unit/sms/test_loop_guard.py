"""The loop guard counts on each kind of Redis, and in the process while Redis is down."""

from datetime import timedelta

import pytest
import structlog
from redis.asyncio import Redis

from core.crypto import Cipher
from core.rate_limit import FallbackWindowCounter, LocalWindowCounter, RedisWindowCounter
from sessions.redis_store import open_session_store
from sms.loop_guard import MAX_ALL_ANSWERS, MAX_ANSWERS, MAX_SAME_TEXT, LoopGuard

CIPHER = Cipher(bytes(32))
NUMBER, OTHER = "+8801700000001", "+8801700000002"


@pytest.fixture
def guards(redis: Redis) -> LoopGuard:
    return LoopGuard(RedisWindowCounter(redis), CIPHER.keyed_hash)


async def test_replies_to_one_number_are_limited(guards: LoopGuard) -> None:
    assert [await guards.detect_loop(NUMBER, "1") for _ in range(MAX_ANSWERS + 1)] == [None] * MAX_ANSWERS + [
        "too_many"
    ]
    assert await guards.detect_loop(OTHER, "1") is None


async def test_each_pause_of_a_day_is_longer_and_announced_once(guards: LoopGuard, redis: Redis) -> None:
    """2.6: a machine that writes on and on is told ever less often, and two machines do not go on without end."""
    announced = []
    for _ in range(4):
        for _ in range(MAX_ANSWERS):
            assert await guards.detect_loop(NUMBER, "1") is None
        assert await guards.detect_loop(NUMBER, "1") == "too_many"
        announced.append(await guards.begin_pause(NUMBER))
        assert await guards.begin_pause(NUMBER) is None
        assert [await guards.detect_loop(NUMBER, "1") for _ in range(3)] == ["paused"] * 3
        for key in [key async for key in redis.scan_iter()]:
            if await redis.pttl(key) <= announced[-1].total_seconds() * 1000:
                await redis.delete(key)
    assert announced == [timedelta(minutes=minutes) for minutes in (10, 20, 40, 80)]


async def test_answers_that_a_question_took_are_not_those_of_a_machine(guards: LoopGuard) -> None:
    """2.6: up to a limit of their own."""
    for _ in range(MAX_ALL_ANSWERS):
        assert await guards.detect_loop(NUMBER, "Amina") is None
        await guards.record_taken_answer(NUMBER)
    assert await guards.detect_loop(NUMBER, "Amina") == "too_many"


async def test_an_echo_of_our_text_is_detected(guards: LoopGuard) -> None:
    assert not await guards.is_repeated_too_often(NUMBER, "Did you mean STATUS?")
    assert await guards.detect_loop(NUMBER, "Did you  mean STATUS?\n") == "echo"
    assert await guards.detect_loop(OTHER, "Did you mean STATUS?") is None


async def test_the_same_text_is_sent_a_limited_number_of_times(guards: LoopGuard) -> None:
    assert [await guards.is_repeated_too_often(NUMBER, "HELP") for _ in range(MAX_SAME_TEXT + 1)] == [
        False
    ] * MAX_SAME_TEXT + [True]


async def test_only_the_first_call_in_a_day_is_first(guards: LoopGuard) -> None:
    assert [await guards.is_first_today(NUMBER) for _ in range(3)] == [True, False, False]


async def test_counters_expire_and_contain_no_number(guards: LoopGuard, redis: Redis) -> None:
    await guards.detect_loop(NUMBER, "1")
    await guards.is_repeated_too_often(NUMBER, "HELP")
    await guards.is_first_today(NUMBER)
    keys = [key.decode() async for key in redis.scan_iter()]
    assert len(keys) == 3
    for key in keys:
        assert NUMBER[1:] not in key
        assert 0 < await redis.ttl(key) <= 86_400


async def test_the_process_counts_while_redis_is_down(redis_server) -> None:
    async with open_session_store("redis://127.0.0.1:1", CIPHER, deadline=0.2) as opened:
        guards = LoopGuard(
            FallbackWindowCounter(RedisWindowCounter(opened.client), LocalWindowCounter()), CIPHER.keyed_hash
        )
        with structlog.testing.capture_logs() as said:
            answers = [await guards.is_first_today(NUMBER) for _ in range(2)]
    assert answers == [True, False]
    assert {line["event"] for line in said} == {"session_store_down", "window_counted_in_this_process_only"}
