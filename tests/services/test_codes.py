"""One-time codes: six digits, ten minutes, five checks, five sends an hour, one alive at a time, used once."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from redis.asyncio import Redis, RedisCluster
from redis.exceptions import RedisError

from services.codes import Codes
from services.records.tables import messages
from tests.desk import KARIM, RAHIMA, SEAL, say
from tests.phone import NOBODY_LISTENS_HERE
from tests.servers import OwnRedis

TEN_MINUTES = 600_000  # ms


@pytest.fixture
def codes(desk, redis, clock):
    return Codes(redis, desk.messages, SEAL, say, clock=clock)


async def sends(desk, codes, effect="s1:3", number=RAHIMA, purpose="register"):
    """Send a code and read it on the phone."""
    assert await codes.send(number, "bn", purpose, effect) == "sent"
    return next(facts["code"] for to, _, text, facts in await desk.sent() if (to, text) == (number, "code"))


def other_than(code):
    return f"{(int(code) + 1) % 10**6:06}"


pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # what is new here is in Redis


async def test_the_code_on_the_phone_is_right_once(desk, codes):
    code = await sends(desk, codes)
    assert len(code) == 6
    assert await codes.check(RAHIMA, "register", code) == "right"
    assert await codes.check(RAHIMA, "register", code) == "gone"


async def test_nothing_is_right_where_nothing_was_sent(codes):
    assert await codes.check(RAHIMA, "register", "000000") == "gone"


async def test_of_many_checks_at_once_one_is_right(desk, codes):
    code = await sends(desk, codes)
    checks = await asyncio.gather(*(codes.check(RAHIMA, "register", code) for _ in range(20)))
    assert sorted(checks) == ["gone"] * 19 + ["right"]


async def test_of_two_processes_that_check_at_once_one_is_right(desk, clock, redis_server):
    redis_server.empty()
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(Redis.from_url(redis_server.url)) for _ in range(2)]
        one, other = (Codes(client, desk.messages, SEAL, say, clock=clock) for client in clients)
        for number in range(5):
            code = await sends(desk, one, f"s1:{number}")
            checks = await asyncio.gather(*(codes.check(RAHIMA, "register", code) for codes in (one, other)))
            assert sorted(checks) == ["gone", "right"]


async def test_in_a_cluster_every_step_stays_in_its_slot(desk, clock):
    with OwnRedis(cluster=True) as server:
        async with RedisCluster.from_url(server.url) as redis:
            codes = Codes(redis, desk.messages, SEAL, say, clock=clock)
            code = await sends(desk, codes)
            assert await codes.check(RAHIMA, "register", code, "s1:10") == "right"
            assert await codes.check(RAHIMA, "register", code) == "gone"


async def test_while_redis_is_away_no_code_is_sent_and_none_is_right(desk, clock):
    async with Redis.from_url(NOBODY_LISTENS_HERE) as redis:
        codes = Codes(redis, desk.messages, SEAL, say, clock=clock)
        with pytest.raises(RedisError):
            await codes.send(RAHIMA, "bn", "register", "s1:3")
        with pytest.raises(RedisError):
            await codes.check(RAHIMA, "register", "000000")
    assert await desk.sent() == []


async def test_a_number_with_an_account_is_answered_as_one_without(desk, codes):
    await desk.registers(RAHIMA)
    await desk.sent()
    for number, effect in ((RAHIMA, "s1"), (KARIM, "s2")):
        code = await sends(desk, codes, f"{effect}:3", number)
        answers = [await codes.check(number, "register", one) for one in (other_than(code), code, code)]
        assert answers == ["wrong", "right", "gone"]
        further = [await codes.send(number, "bn", "register", f"{effect}:{again}") for again in range(10, 15)]
        assert further == ["sent"] * 4 + ["too_many"]


async def test_five_wrong_checks_use_a_code_up(desk, codes):
    code = await sends(desk, codes)
    wrong = [await codes.check(RAHIMA, "register", other_than(code)) for _ in range(5)]
    assert wrong == ["wrong"] * 5
    assert await codes.check(RAHIMA, "register", code) == "gone"


async def test_four_wrong_checks_do_not(desk, codes):
    code = await sends(desk, codes)
    for _ in range(4):
        await codes.check(RAHIMA, "register", other_than(code))
    assert await codes.check(RAHIMA, "register", code) == "right"


async def test_a_new_code_replaces_the_old_one_and_has_its_own_five_checks(desk, codes):
    old = await sends(desk, codes, "s1:3")
    for _ in range(4):
        await codes.check(RAHIMA, "register", other_than(old))
    new = await sends(desk, codes, "s1:5")
    assert new != old
    assert await codes.check(RAHIMA, "register", old) == "wrong"
    assert await codes.check(RAHIMA, "register", new) == "right"


async def test_a_code_is_for_one_purpose_and_one_number(desk, codes):
    code = await sends(desk, codes, purpose="register")
    assert await codes.check(RAHIMA, "consent", code) == "gone"
    assert await codes.check(KARIM, "register", code) == "gone"
    assert await codes.check(RAHIMA, "register", code) == "right"


async def test_one_code_is_alive_at_a_time_whatever_it_is_for(desk, codes):
    first = await sends(desk, codes, "s1:3", purpose="register")
    second = await sends(desk, codes, "s1:5", purpose="consent")
    assert await codes.check(RAHIMA, "register", first) == "gone"
    assert await codes.check(RAHIMA, "consent", second) == "right"


async def test_five_codes_an_hour_and_then_no_more(desk, codes, clock):
    for number in range(5):
        await sends(desk, codes, f"s1:{number}")
        clock.moves(minutes=10)
    assert await codes.send(RAHIMA, "bn", "register", "s1:9") == "too_many"
    assert await desk.sent() == []
    await sends(desk, codes, "s2:0", number=KARIM)
    clock.moves(minutes=10)
    await sends(desk, codes, "s1:10")
    assert await codes.send(RAHIMA, "bn", "register", "s1:11") == "too_many"


async def test_five_at_once_are_five(codes):
    sent = await asyncio.gather(*(codes.send(RAHIMA, "bn", "register", f"s1:{number}") for number in range(9)))
    assert sorted(sent) == ["sent"] * 5 + ["too_many"] * 4


async def test_the_same_effect_again_sends_nothing_and_changes_nothing(desk, codes):
    code = await sends(desk, codes, "s1:3")
    assert await asyncio.gather(*(codes.send(RAHIMA, "bn", "register", "s1:3") for _ in range(9))) == ["sent"] * 9
    assert await desk.count(messages) == 1
    assert await codes.check(RAHIMA, "register", code) == "right"
    await codes.send(RAHIMA, "bn", "register", "s1:3")
    assert await codes.check(RAHIMA, "register", code) == "gone"


async def test_an_older_send_heard_again_does_not_bring_its_code_back(desk, codes):
    await sends(desk, codes, "s1:3")
    newer = await sends(desk, codes, "s1:5")
    await codes.send(RAHIMA, "bn", "register", "s1:3")
    assert await codes.check(RAHIMA, "register", newer) == "right"


async def test_a_check_heard_again_is_answered_as_before(desk, codes):
    code = await sends(desk, codes)
    wrong = [await codes.check(RAHIMA, "register", other_than(code), "s1:10") for _ in range(9)]
    right = [await codes.check(RAHIMA, "register", code, "s1:17") for _ in range(3)]
    assert (wrong, right) == (["wrong"] * 9, ["right"] * 3)
    assert await codes.check(RAHIMA, "register", other_than(code), "s1:17") == "gone"
    assert await codes.check(RAHIMA, "register", code, "s2:17") == "gone"


async def test_when_redis_has_lost_everything_a_replay_makes_the_code_on_the_phone_good_again(desk, codes, redis):
    code = await sends(desk, codes, "s1:3")
    await redis.flushdb()
    assert await codes.send(RAHIMA, "bn", "register", "s1:3") == "sent"
    assert await desk.sent() == []
    assert await codes.check(RAHIMA, "register", code) == "right"


async def test_an_sms_that_could_not_be_written_is_written_when_the_send_is_tried_again(desk, codes, clock, redis):
    unwritten = Codes(redis, NoOutbox(), SEAL, say, clock=clock)
    with pytest.raises(ConnectionResetError):
        await unwritten.send(RAHIMA, "bn", "register", "s1:3")
    code = await sends(desk, codes, "s1:3")
    assert await codes.check(RAHIMA, "register", code) == "right"


class NoOutbox:
    """A database that has just gone away."""

    async def send(self, message):
        raise ConnectionResetError


async def test_every_key_dies_by_itself_and_tells_no_number_and_no_code(desk, codes, redis):
    code = await sends(desk, codes)
    await codes.check(RAHIMA, "register", other_than(code), "s1:10")
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
    kept = str([keys, await redis.hgetall(live), await redis.zrange(f"{live}:sends", 0, -1), counted])
    assert not [told for told in (RAHIMA, RAHIMA[1:], RAHIMA[:-4], "BD", code) if told in kept]


async def test_what_was_sent_and_what_became_of_it_is_counted_once(desk, codes):
    code = await sends(desk, codes)
    await codes.send(RAHIMA, "bn", "register", "s1:3")
    for given, effect in ((other_than(code), "s1:4"), (other_than(code), "s1:4"), (code, "s1:5"), (code, "s1:5")):
        await codes.check(RAHIMA, "register", given, effect)
    await codes.check(RAHIMA, "register", code, "s1:6")
    for number in range(10, 17):
        await codes.send(RAHIMA, "bn", "register", f"s1:{number}")
    assert codes.handled == {"sent": 5, "wrong": 1, "right": 1, "gone": 1}
    assert codes.refused == {"number": 3}


async def test_codes_are_spread_over_all_there_are(codes):
    drawn = {codes._code(RAHIMA, "register", f"s{number}:3") for number in range(3000)}
    assert len(drawn) > 2980
    assert {code[0] for code in drawn} == set("0123456789")
