"""One-time codes: six digits, ten minutes, five checks, five sends an hour, one alive at a time, used once."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from redis.asyncio import Redis, RedisCluster
from redis.exceptions import RedisError

from db.tables import messages
from services.citizens.one_time_codes import OneTimeCodes
from tests.support.phone import UNREACHABLE_REDIS_URL
from tests.support.servers import LocalRedis
from tests.support.services import CIPHER, KARIM, RAHIMA, render_text

TEN_MINUTES = 600_000  # ms


@pytest.fixture
def codes(services, redis, clock):
    return OneTimeCodes(redis, services.messages, CIPHER, render_text, clock=clock)


async def send_code(services, codes, idempotency_key="s1:3", number=RAHIMA, purpose="register"):
    """Send a code and read it on the phone."""
    assert await codes.send(number, "bn", purpose, idempotency_key) == "sent"
    return next(facts["code"] for to, _, text, facts in await services.claim_sms() if (to, text) == (number, "code"))


def different_code(code):
    return f"{(int(code) + 1) % 10**6:06}"


pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # what is new here is in Redis


async def test_a_code_is_right_once(services, codes):
    code = await send_code(services, codes)
    assert len(code) == 6
    assert await codes.check(RAHIMA, "register", code) == "right"
    assert await codes.check(RAHIMA, "register", code) == "gone"


async def test_no_code_is_right_where_none_was_sent(codes):
    assert await codes.check(RAHIMA, "register", "000000") == "gone"


async def test_one_of_many_concurrent_checks_is_right(services, codes):
    code = await send_code(services, codes)
    checks = await asyncio.gather(*(codes.check(RAHIMA, "register", code) for _ in range(20)))
    assert sorted(checks) == ["gone"] * 19 + ["right"]


async def test_one_of_two_processes_that_check_concurrently_is_right(services, clock, redis_server):
    redis_server.empty()
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(Redis.from_url(redis_server.url)) for _ in range(2)]
        one, other = (OneTimeCodes(client, services.messages, CIPHER, render_text, clock=clock) for client in clients)
        for number in range(5):
            code = await send_code(services, one, f"s1:{number}")
            checks = await asyncio.gather(*(codes.check(RAHIMA, "register", code) for codes in (one, other)))
            assert sorted(checks) == ["gone", "right"]


@pytest.mark.slow
async def test_in_a_cluster_every_step_stays_in_its_slot(services, clock):
    with LocalRedis(cluster=True) as server:
        async with RedisCluster.from_url(server.url) as redis:
            codes = OneTimeCodes(redis, services.messages, CIPHER, render_text, clock=clock)
            code = await send_code(services, codes)
            assert await codes.check(RAHIMA, "register", code, "s1:10") == "right"
            assert await codes.check(RAHIMA, "register", code) == "gone"


async def test_without_redis_no_code_is_sent_and_none_is_right(services, clock):
    async with Redis.from_url(UNREACHABLE_REDIS_URL) as redis:
        codes = OneTimeCodes(redis, services.messages, CIPHER, render_text, clock=clock)
        with pytest.raises(RedisError):
            await codes.send(RAHIMA, "bn", "register", "s1:3")
        with pytest.raises(RedisError):
            await codes.check(RAHIMA, "register", "000000")
    assert await services.claim_sms() == []


async def test_a_number_with_an_account_gets_the_same_answers_as_one_without(services, codes):
    await services.register(RAHIMA)
    await services.claim_sms()
    for number, idempotency_key in ((RAHIMA, "s1"), (KARIM, "s2")):
        code = await send_code(services, codes, f"{idempotency_key}:3", number)
        answers = [await codes.check(number, "register", one) for one in (different_code(code), code, code)]
        assert answers == ["wrong", "right", "gone"]
        further = [await codes.send(number, "bn", "register", f"{idempotency_key}:{again}") for again in range(10, 15)]
        assert further == ["sent"] * 4 + ["too_many"]


async def test_five_wrong_checks_use_a_code_up(services, codes):
    code = await send_code(services, codes)
    wrong = [await codes.check(RAHIMA, "register", different_code(code)) for _ in range(5)]
    assert wrong == ["wrong"] * 5
    assert await codes.check(RAHIMA, "register", code) == "gone"


async def test_four_wrong_checks_do_not_use_a_code_up(services, codes):
    code = await send_code(services, codes)
    for _ in range(4):
        await codes.check(RAHIMA, "register", different_code(code))
    assert await codes.check(RAHIMA, "register", code) == "right"


async def test_a_new_code_replaces_the_old_one_and_has_its_own_five_checks(services, codes):
    old = await send_code(services, codes, "s1:3")
    for _ in range(4):
        await codes.check(RAHIMA, "register", different_code(old))
    new = await send_code(services, codes, "s1:5")
    assert new != old
    assert await codes.check(RAHIMA, "register", old) == "wrong"
    assert await codes.check(RAHIMA, "register", new) == "right"


async def test_a_code_is_for_one_purpose_and_one_number(services, codes):
    code = await send_code(services, codes, purpose="register")
    assert await codes.check(RAHIMA, "consent", code) == "gone"
    assert await codes.check(KARIM, "register", code) == "gone"
    assert await codes.check(RAHIMA, "register", code) == "right"


async def test_a_number_has_one_live_code_for_all_purposes(services, codes):
    first = await send_code(services, codes, "s1:3", purpose="register")
    second = await send_code(services, codes, "s1:5", purpose="consent")
    assert await codes.check(RAHIMA, "register", first) == "gone"
    assert await codes.check(RAHIMA, "consent", second) == "right"


async def test_a_number_gets_five_codes_an_hour(services, codes, clock):
    for number in range(5):
        await send_code(services, codes, f"s1:{number}")
        clock.advance(minutes=10)
    assert await codes.send(RAHIMA, "bn", "register", "s1:9") == "too_many"
    assert await services.claim_sms() == []
    await send_code(services, codes, "s2:0", number=KARIM)
    clock.advance(minutes=10)
    await send_code(services, codes, "s1:10")
    assert await codes.send(RAHIMA, "bn", "register", "s1:11") == "too_many"


async def test_concurrent_requests_do_not_exceed_the_limit(codes):
    sent = await asyncio.gather(*(codes.send(RAHIMA, "bn", "register", f"s1:{number}") for number in range(9)))
    assert sorted(sent) == ["sent"] * 5 + ["too_many"] * 4


async def test_a_repeated_key_sends_nothing_and_changes_nothing(services, codes):
    code = await send_code(services, codes, "s1:3")
    assert await asyncio.gather(*(codes.send(RAHIMA, "bn", "register", "s1:3") for _ in range(9))) == ["sent"] * 9
    assert await services.count_rows(messages) == 1
    assert await codes.check(RAHIMA, "register", code) == "right"
    await codes.send(RAHIMA, "bn", "register", "s1:3")
    assert await codes.check(RAHIMA, "register", code) == "gone"


async def test_a_repeated_older_send_does_not_revive_its_code(services, codes):
    await send_code(services, codes, "s1:3")
    newer = await send_code(services, codes, "s1:5")
    await codes.send(RAHIMA, "bn", "register", "s1:3")
    assert await codes.check(RAHIMA, "register", newer) == "right"


async def test_a_repeated_check_gets_the_first_outcome(services, codes):
    code = await send_code(services, codes)
    wrong = [await codes.check(RAHIMA, "register", different_code(code), "s1:10") for _ in range(9)]
    right = [await codes.check(RAHIMA, "register", code, "s1:17") for _ in range(3)]
    assert (wrong, right) == (["wrong"] * 9, ["right"] * 3)
    assert await codes.check(RAHIMA, "register", different_code(code), "s1:17") == "gone"
    assert await codes.check(RAHIMA, "register", code, "s2:17") == "gone"


async def test_a_replay_after_redis_lost_its_data_makes_the_same_code_valid(services, codes, redis):
    code = await send_code(services, codes, "s1:3")
    await redis.flushdb()
    assert await codes.send(RAHIMA, "bn", "register", "s1:3") == "sent"
    assert await services.claim_sms() == []
    assert await codes.check(RAHIMA, "register", code) == "right"


async def test_an_sms_that_could_not_be_written_is_written_when_the_send_is_tried_again(services, codes, clock, redis):
    unwritten = OneTimeCodes(redis, FailingMessages(), CIPHER, render_text, clock=clock)
    with pytest.raises(ConnectionResetError):
        await unwritten.send(RAHIMA, "bn", "register", "s1:3")
    code = await send_code(services, codes, "s1:3")
    assert await codes.check(RAHIMA, "register", code) == "right"


class FailingMessages:
    """A database that has just gone away."""

    async def send(self, message):
        raise ConnectionResetError


async def test_every_redis_key_expires_and_contains_no_number_and_no_code(services, codes, redis):
    code = await send_code(services, codes)
    await codes.check(RAHIMA, "register", different_code(code), "s1:10")
    keys = [key.decode() async for key in redis.scan_iter()]
    of_the_number = [key for key in keys if key.startswith("ekdial:code:")]
    of_areas = [key for key in keys if key.startswith("ekdial:codes:")]
    assert (len(of_the_number), len(of_areas), len(keys)) == (3, 3, 6)
    lives = {key: await redis.pttl(key) for key in keys}
    assert all(0 < lives[key] <= 3_600_000 for key in of_the_number)
    assert sorted(lives[key] // 600_000 for key in of_areas) == [6, 6, 155]  # windows of an hour and a day, and a slot
    [live] = [key for key in of_the_number if key.endswith("}")]
    assert TEN_MINUTES - 10_000 < lives[live] <= TEN_MINUTES
    assert all(key.startswith(live) for key in of_the_number)  # one hash tag, so one slot of a cluster
    counted = [await redis.hgetall(key) for key in of_areas]
    stored = str([keys, await redis.hgetall(live), await redis.zrange(f"{live}:sends", 0, -1), counted])
    assert not [secret for secret in (RAHIMA, RAHIMA[1:], RAHIMA[:-4], "BD", code) if secret in stored]


async def test_sends_and_outcomes_are_counted_once(services, codes):
    code = await send_code(services, codes)
    await codes.send(RAHIMA, "bn", "register", "s1:3")
    for given, idempotency_key in (
        (different_code(code), "s1:4"),
        (different_code(code), "s1:4"),
        (code, "s1:5"),
        (code, "s1:5"),
    ):
        await codes.check(RAHIMA, "register", given, idempotency_key)
    await codes.check(RAHIMA, "register", code, "s1:6")
    for number in range(10, 17):
        await codes.send(RAHIMA, "bn", "register", f"s1:{number}")
    assert codes.counts == {"sent": 5, "wrong": 1, "right": 1, "gone": 1}
    assert codes.rejections == {"number": 3}


async def test_codes_are_evenly_distributed(codes):
    drawn = {codes._derive_code(RAHIMA, "register", f"s{number}:3") for number in range(3000)}
    assert len(drawn) > 2980
    assert {code[0] for code in drawn} == set("0123456789")
