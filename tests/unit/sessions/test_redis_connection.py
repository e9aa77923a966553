"""One connection to Redis, over a network that loses, delays and cuts off."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import pytest
import redis
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from structlog.testing import capture_logs

from core.crypto import Cipher
from core.rate_limit import DailyQuota, MissLimit, MissLimiter
from sessions.redis_store import OpenStore, open_session_store
from sessions.store import SessionStore, StoredSession, StoreUnavailableError
from tests.support.certificates import build_tls_context, create_certificate
from tests.support.fault_proxy import Fault, FaultProxy
from tests.support.servers import LocalRedis, RedisServer

CIPHER: Final = Cipher(bytes(range(32)))
A: Final = "+8801711000001"
LONG: Final = 10.0  # seconds: nothing here takes as long; a test that would wait for ever fails instead
AT_ONCE: Final = "failed a moment ago and is not asked again yet"


@pytest.fixture
async def proxy(redis_server: RedisServer) -> AsyncIterator[FaultProxy]:
    redis_server.empty()
    async with FaultProxy(int(redis_server.url.rsplit(":", 1)[1].split("/")[0])).listen() as listening:
        yield listening


@asynccontextmanager
async def opened(proxy: FaultProxy, deadline: float = LONG) -> AsyncIterator[OpenStore]:
    url = f"redis://127.0.0.1:{proxy.port}/0"
    async with open_session_store(url, CIPHER, deadline=deadline) as store, asyncio.timeout(LONG):
        yield store


async def wait_until_available(sessions: SessionStore) -> None:
    while True:
        with suppress(StoreUnavailableError):
            return await sessions.ping()
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("fault", ["cut off", "half an answer"])
async def test_a_save_that_may_have_run_is_not_sent_again(proxy, redis_server, fault: Fault):
    async with opened(proxy) as store, Redis.from_url(redis_server.url) as operator:
        assert await store.sessions.save(A, b"one", expected_version=0, ttl=300)
        await operator.config_resetstat()
        proxy.fault = fault
        with pytest.raises(StoreUnavailableError):
            await store.sessions.save(A, b"two", expected_version=1, ttl=300)
        assert (await operator.info("commandstats"))["cmdstat_evalsha"]["calls"] == 1
        proxy.fault = "none"
        await wait_until_available(store.sessions)
        assert await store.sessions.load(A) == StoredSession(2, b"two")


async def test_a_batch_after_a_lost_one_gets_its_own_answers(proxy):
    callers = [f"+88017110000{number:02}" for number in range(30)]
    async with opened(proxy) as store:
        for caller in callers:
            await store.sessions.save(caller, caller.encode(), expected_version=0, ttl=300)
        for fault in ("half an answer", "cut off", "half an answer"):
            proxy.fault = fault
            told = await asyncio.gather(*map(store.sessions.load, callers), return_exceptions=True)
            assert {type(one) for one in told} == {StoreUnavailableError}
            proxy.fault = "none"
            await wait_until_available(store.sessions)
            loaded = await asyncio.gather(*map(store.sessions.load, reversed(callers)))
            assert loaded == [StoredSession(1, caller.encode()) for caller in reversed(callers)]


async def test_a_server_that_hangs_costs_one_deadline_and_then_nobody_waits(proxy):
    async with opened(proxy, deadline=0.2) as store:
        await wait_until_available(store.sessions)
        proxy.fault = "hang"
        first = await asyncio.gather(*(store.sessions.load(A) for _ in range(5)), return_exceptions=True)
        assert {str(one) for one in first} == {"the session store failed: no answer in time"}
        for _ in range(200):
            with pytest.raises(StoreUnavailableError, match=AT_ONCE):
                await store.sessions.load(A)
        proxy.fault = "none"
        await wait_until_available(store.sessions)


async def test_the_client_for_limits_waits_once_for_a_server_that_hangs(proxy):
    async with opened(proxy, deadline=0.2) as store:
        quota = DailyQuota(store.client, 1, "calls")
        limiter = MissLimiter(store.client, lambda *_: "callers", MissLimit("callers", 1))
        assert await quota.try_consume()
        proxy.fault = "hang"
        assert await quota.try_consume()  # more than allowed, but not counted
        for _ in range(200):
            assert await quota.try_consume()
            assert not await limiter.is_over_limit("caller")
            with pytest.raises(RedisConnectionError, match=AT_ONCE):
                await store.client.get("code")
        proxy.fault = "none"
        while await quota.try_consume():  # noqa: ASYNC110 - until it is counted again
            await asyncio.sleep(0.02)


async def test_a_server_that_refuses_connections_is_tried_seldom(proxy):
    async with opened(proxy) as store:
        proxy.fault = "refuse"
        for _ in range(500):
            with pytest.raises(StoreUnavailableError):
                await store.sessions.load(A)
        assert proxy.connections < 10  # one, and one more for each pause
        proxy.fault = "none"
        await wait_until_available(store.sessions)


async def test_a_slow_server_gets_larger_batches_not_a_queue(proxy):
    async with opened(proxy) as store:
        await wait_until_available(store.sessions)
        proxy.delay, before = 0.1, proxy.answers
        loads = [asyncio.create_task(store.sessions.load(f"+8801{number}")) for number in range(100)]
        await asyncio.sleep(0)
        loads += [asyncio.create_task(store.sessions.load(f"+8802{number}")) for number in range(100)]
        assert await asyncio.gather(*loads) == [None] * 200
        assert proxy.answers - before <= 2


async def test_a_server_that_is_slow_at_the_start_is_connected_without_a_caller(proxy):
    async with opened(proxy) as earlier:
        await earlier.sessions.save(A, b"zero", expected_version=0, ttl=300)  # the server has the script
    async with opened(proxy, deadline=1.0) as store:
        proxy.delay = 0.6  # each answer in time, the handshake of several not
        with pytest.raises(StoreUnavailableError, match="no answer in time"):
            await store.sessions.load(A)
        await wait_until_available(store.sessions)
        assert await store.sessions.save(A, b"one", expected_version=1, ttl=300)


async def test_a_connection_that_is_reset_between_two_batches_is_opened_again(proxy):
    async with opened(proxy) as store:
        await store.sessions.save(A, b"one", expected_version=0, ttl=300)
        proxy.drop_connections()
        await asyncio.sleep(0.02)  # the loop hears of it
        await wait_until_available(store.sessions)
        assert await store.sessions.load(A) == StoredSession(1, b"one")


async def test_a_full_server_is_down_as_a_whole_and_logged_once(proxy, redis_server):
    async with opened(proxy) as store, Redis.from_url(redis_server.url) as operator:
        await store.sessions.save(A, b"one", expected_version=0, ttl=300)
        with capture_logs() as said:
            await operator.config_set("maxmemory", 1)
            try:
                with pytest.raises(StoreUnavailableError):
                    await store.sessions.save(A, b"two", expected_version=1, ttl=300)
                connections = proxy.connections
                while proxy.connections < connections + 2:  # noqa: ASYNC110 - until it was tried twice
                    await asyncio.sleep(0.02)
                with pytest.raises(StoreUnavailableError, match=AT_ONCE):
                    await store.sessions.load(A)  # an old session, which the caller has left behind
            finally:
                await operator.config_set("maxmemory", 0)
            await wait_until_available(store.sessions)
        assert await store.sessions.load(A) == StoredSession(1, b"one")
    assert [entry["event"] for entry in said] == ["session_store_down", "session_store_up"]


@pytest.mark.slow
async def test_every_node_of_a_cluster_gets_the_password_over_tls(tmp_path):
    certificate = create_certificate(tmp_path)
    with LocalRedis(cluster=True) as node:
        async with FaultProxy(node.port).listen(build_tls_context(certificate)) as proxy, asyncio.timeout(LONG):
            with redis.Redis(port=node.port) as operator:
                operator.config_set("cluster-announce-port", proxy.port)
                operator.config_set("requirepass", "opensesame")
            url = f"rediss://:opensesame@127.0.0.1:{proxy.port}?ssl_ca_certs={certificate}"
            async with open_session_store(url, CIPHER, cluster=True, deadline=LONG) as store:
                assert await store.sessions.save(A, b"one", expected_version=0, ttl=300)
                assert await store.client.set("code", "hashed")
            assert proxy.connections == 1
            async with open_session_store(url.replace("open", "shut"), CIPHER, cluster=True, deadline=LONG) as store:
                with pytest.raises(StoreUnavailableError):
                    await store.sessions.load(A)
