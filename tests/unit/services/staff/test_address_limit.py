"""Failures are counted by address over all processes, and by each process alone while Redis is down."""

import pytest

from core.rate_limit import FallbackWindowCounter, LocalWindowCounter, RedisWindowCounter
from services.staff.address_limit import MAX_FAILURES, AddressLimit
from sessions.redis_store import open_session_store
from tests.support.phone import UNREACHABLE_REDIS_URL
from tests.support.services import CIPHER

ADDRESS, OTHER = "203.0.113.7", "2001:db8::/64"


def build_limit(client):
    """The limit of one process."""
    counter = FallbackWindowCounter(RedisWindowCounter(client), LocalWindowCounter())
    return AddressLimit(counter, CIPHER.keyed_hash)


async def fail(limit, address, times):
    for _ in range(times):
        await limit.add_failure(address)


async def test_all_processes_count_as_one_and_each_address_alone(redis):
    processes = [build_limit(redis) for _ in range(2)]
    for process in processes:
        await fail(process, ADDRESS, MAX_FAILURES // 2)
    assert [await process.is_reached(ADDRESS) for process in processes] == [True, True]
    assert not await processes[0].is_reached(OTHER)


async def test_no_address_is_in_redis(redis):
    await fail(build_limit(redis), ADDRESS, 1)
    (key,) = [key async for key in redis.scan_iter("*console*")]
    assert b"203.0.113" not in (key if isinstance(key, bytes) else key.encode())
    assert await redis.pttl(key) > 0


@pytest.mark.parametrize("url", [UNREACHABLE_REDIS_URL])
async def test_a_process_counts_for_itself_while_redis_is_down(url):
    async with open_session_store(url, CIPHER) as store:
        limit, other_process = build_limit(store.client), build_limit(store.client)
        await fail(limit, ADDRESS, MAX_FAILURES)
        assert await limit.is_reached(ADDRESS)
        assert not await other_process.is_reached(ADDRESS)
