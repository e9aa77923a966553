"""A real Redis Cluster that loses a master, fails over, hangs and moves slots, under a session store that stays open."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

import pytest

from core.crypto import Cipher
from core.rate_limit import DailyQuota, MissLimit, MissLimiter
from sessions.redis_client import StoreClusterClient
from sessions.redis_store import open_session_store
from sessions.store import SessionStore, StoredSession, StoreUnavailableError
from tests.support.redis_cluster import ClusterServer, LocalCluster

CIPHER: Final = Cipher(bytes(range(32)))
LONG: Final = 20.0  # seconds: nothing here takes as long; a test that would wait for ever fails instead
CALLERS: Final = [f"+88017110000{number:02}" for number in range(60)]


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """Three masters; the first has a replica."""
    with LocalCluster(masters=3, replicas=1) as running:
        yield running


def session_key(caller: str) -> str:
    return f"ek:s:{{{CIPHER.keyed_hash('session', caller)}}}"


def split_callers(cluster: LocalCluster, node: ClusterServer) -> tuple[list[str], list[str]]:
    """The callers whose sessions are on the node, and the others."""
    owners = cluster.find_owners([session_key(caller) for caller in CALLERS])
    of_node = [caller for caller, owner in zip(CALLERS, owners, strict=True) if owner is node]
    return of_node, [caller for caller in CALLERS if caller not in of_node]


async def save_all(sessions: SessionStore, callers: list[str], version: int) -> list[object]:
    saves = (sessions.save(caller, caller.encode(), expected_version=version, ttl=300) for caller in callers)
    return await asyncio.gather(*saves, return_exceptions=True)


async def wait_until_loaded(sessions: SessionStore, caller: str) -> StoredSession | None:
    async with asyncio.timeout(LONG):
        while True:
            with suppress(StoreUnavailableError):
                return await sessions.load(caller)
            await asyncio.sleep(0.02)


def result_types(results: list[object]) -> set[type]:
    return {type(one) for one in results}


async def test_callers_of_other_masters_notice_nothing_of_a_dead_one(cluster):
    cluster.empty()
    node = cluster.masters[2]  # that the store knows first
    of_node, others = split_callers(cluster, node)
    async with open_session_store(cluster.url, CIPHER, cluster=True, deadline=LONG) as opened, asyncio.timeout(LONG):
        assert set(await save_all(opened.sessions, CALLERS, 0)) == {True}
        await opened.sessions.ping()
        node.kill()
        for version in range(1, 6):
            failed, saved = await asyncio.gather(
                save_all(opened.sessions, of_node, version), save_all(opened.sessions, others, version)
            )
            assert result_types(failed) == {StoreUnavailableError}
            assert set(saved) == {True}
        await opened.sessions.ping()
        await check_limits_while_down(opened.client, session_key(of_node[0]))
        await asyncio.to_thread(node.start)
        assert await wait_until_loaded(opened.sessions, of_node[0]) is None  # it came back empty
        set_beginnings(cluster, 1)
        node.run("FLUSHALL")
        assert await opened.sessions.was_emptied_within(3600, of_node[0])
        assert not await opened.sessions.was_emptied_within(3600, others[0])
        assert set(await save_all(opened.sessions, of_node, 0)) == {True}
        assert set(await save_all(opened.sessions, others, 6)) == {True}


def set_beginnings(cluster: LocalCluster, seconds: int) -> None:
    """Let every master have been in use since this moment after 1970."""
    for master in cluster.masters:
        for key in master.run("KEYS", "ek:since*"):
            master.run("SET", key, seconds)


async def check_limits_while_down(client: StoreClusterClient, key: str) -> None:
    """What may be lost is allowed at once."""
    assert await DailyQuota(client, 1, key).try_consume()
    limiter = MissLimiter(client, lambda *_: key, MissLimit("callers", 1))
    assert not await limiter.is_over_limit("caller")
    assert not await limiter.record_miss("caller", "value")


async def test_a_replica_that_takes_over_has_the_sessions(cluster):
    cluster.empty()
    pair = (cluster.masters[0], cluster.replicas[0])
    node = next(one for one in pair if "master" in str(one.run("ROLE")))
    of_node, others = split_callers(cluster, node)
    key = session_key(of_node[0])
    async with open_session_store(node.url, CIPHER, cluster=True, deadline=LONG) as opened, asyncio.timeout(LONG):
        assert set(await save_all(opened.sessions, CALLERS, 0)) == {True}
        cluster.wait_until_replicated(key)
        node.kill()
        assert result_types(await save_all(opened.sessions, of_node, 1)) == {StoreUnavailableError}
        assert set(await save_all(opened.sessions, others, 1)) == {True}
        await asyncio.to_thread(cluster.wait_until_owned_by_another, key, node)
        assert await wait_until_loaded(opened.sessions, of_node[0]) == StoredSession(1, of_node[0].encode())
        assert set(await save_all(opened.sessions, of_node, 1)) == {True}
        assert set(await save_all(opened.sessions, others, 2)) == {True}
    node.start()
    cluster.wait_until_replicated(key)


async def test_no_session_is_lost_while_its_slot_moves(cluster):
    cluster.empty()
    target = cluster.masters[1]
    _, callers = split_callers(cluster, target)
    caller = callers[0]
    async with open_session_store(cluster.url, CIPHER, cluster=True, deadline=LONG) as opened, asyncio.timeout(LONG):
        sessions = opened.sessions
        assert await sessions.save(caller, b"before", expected_version=0, ttl=300)
        with cluster.migrate(session_key(caller), target):
            assert await sessions.load(caller) == StoredSession(1, b"before")
            assert await sessions.save(caller, b"meanwhile", expected_version=1, ttl=300)
            assert not await sessions.save(caller, b"late", expected_version=1, ttl=300)
            await opened.client.script_flush()
            assert await sessions.save(caller, b"with its script", expected_version=2, ttl=300)
        assert await sessions.load(caller) == StoredSession(3, b"with its script")
        assert await sessions.save(caller, b"after", expected_version=3, ttl=300)
        assert await sessions.load(caller) == StoredSession(4, b"after")
    assert cluster.find_owner(session_key(caller)) is target


async def test_a_script_with_two_keys_waits_until_both_have_moved(cluster):
    cluster.empty()
    target = cluster.masters[1]
    tag = next(tag for tag in map("{{code {}}}".format, range(99)) if cluster.find_owner(tag) is not target)
    one, two = f"{tag}:1", f"{tag}:2"
    async with open_session_store(cluster.url, CIPHER, cluster=True, deadline=LONG) as opened, asyncio.timeout(LONG):
        await asyncio.gather(opened.client.set(one, "1"), opened.client.set(two, "2"))
        with cluster.migrate(one, target, keys=[one]):
            both = asyncio.create_task(opened.client.eval("return redis.call('MGET', unpack(KEYS))", 2, one, two))
            await asyncio.sleep(0.1)
            assert not both.done()
        assert await both == [b"1", b"2"]
        assert await opened.client.delete(one, two) == 2


async def test_a_full_master_is_down_for_its_callers_alone(cluster):
    cluster.empty()
    node = cluster.masters[1]
    of_node, others = split_callers(cluster, node)
    async with open_session_store(cluster.url, CIPHER, cluster=True, deadline=LONG) as opened, asyncio.timeout(LONG):
        assert set(await save_all(opened.sessions, CALLERS, 0)) == {True}
        node.run("CONFIG SET", "maxmemory", 1)
        for version in (1, 2):
            assert result_types(await save_all(opened.sessions, of_node, version)) == {StoreUnavailableError}
            assert set(await save_all(opened.sessions, others, version)) == {True}
        with pytest.raises(StoreUnavailableError):
            await opened.sessions.load(of_node[0])  # an old session, which the caller has left behind
        node.run("CONFIG SET", "maxmemory", 0)
        assert await wait_until_loaded(opened.sessions, of_node[0]) == StoredSession(1, of_node[0].encode())
        assert set(await save_all(opened.sessions, of_node, 1)) == {True}


async def test_a_master_that_hangs_costs_its_callers_one_deadline(cluster):
    cluster.empty()
    node = cluster.masters[1]
    of_node, others = split_callers(cluster, node)
    async with open_session_store(cluster.url, CIPHER, cluster=True, deadline=0.3) as opened, asyncio.timeout(LONG):
        assert set(await save_all(opened.sessions, CALLERS, 0)) == {True}
        node.pause()
        failed, saved = await asyncio.gather(
            save_all(opened.sessions, of_node, 1), save_all(opened.sessions, others, 1)
        )
        assert {str(one) for one in failed} == {"the session store failed: no answer in time"}
        assert set(saved) == {True}
        failed, saved = await asyncio.gather(
            save_all(opened.sessions, of_node, 1), save_all(opened.sessions, others, 2)
        )
        assert {str(one) for one in failed} == {"the session store failed a moment ago and is not asked again yet"}
        assert set(saved) == {True}
        node.resume()
        found = await wait_until_loaded(opened.sessions, of_node[0])
        assert found is not None
        assert found.data == of_node[0].encode()
