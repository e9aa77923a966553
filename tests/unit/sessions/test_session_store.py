import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

import pytest
from redis.asyncio import Redis, RedisCluster
from redis.exceptions import DataError, ResponseError
from structlog.testing import capture_logs

from core.crypto import Cipher
from sessions.redis_store import OpenStore, open_session_store
from sessions.store import BeginResult, SessionStore, StoredSession, StoreUnavailableError
from tests.support.redis_cluster import LocalCluster
from tests.support.servers import LocalRedis, RedisServer

SEAL = Cipher(bytes(range(32)))
A, B = "+8801711000001", "+8801711000002"
SESSION = "ATUid_3f2a9c"
LONG = 10.0  # seconds: nothing here takes as long; a test that would wait for ever fails instead


@pytest.fixture(scope="session")
def cluster_server() -> Iterator[LocalCluster]:
    with LocalCluster(masters=3) as server:
        yield server


@pytest.fixture(params=["fakeredis", "valkey", "cluster"])
def store_url(request: pytest.FixtureRequest) -> dict[str, Any]:
    """How to open each store that keeps the contract, empty."""
    if request.param == "fakeredis":
        return {"url": "memory://"}
    clustered = request.param == "cluster"
    server: RedisServer | LocalCluster = request.getfixturevalue("cluster_server" if clustered else "redis_server")
    server.empty()
    return {"url": server.url, "cluster": clustered}


@pytest.fixture
async def open_store(store_url: dict[str, Any]) -> AsyncIterator[OpenStore]:
    async with open_session_store(**store_url, cipher=SEAL, deadline=LONG) as opened:
        yield opened


@pytest.fixture
def sessions(open_store: OpenStore) -> SessionStore:
    return open_store.sessions


@pytest.fixture
def killable_redis() -> Iterator[LocalRedis]:
    with LocalRedis() as server:
        yield server


@pytest.fixture
async def killable_sessions(killable_redis: LocalRedis) -> AsyncIterator[SessionStore]:
    async with open_session_store(killable_redis.url, SEAL, deadline=LONG) as opened:
        yield opened.sessions


async def all_keys(opened: OpenStore) -> list[bytes]:
    everywhere = {"target_nodes": RedisCluster.PRIMARIES} if isinstance(opened.client, RedisCluster) else {}
    return await opened.client.keys("*", **everywhere)


async def all_keys_and_values(opened: OpenStore) -> dict[bytes, bytes]:
    return {key: await opened.client.get(key) for key in await all_keys(opened)}


async def times_to_live(opened: OpenStore) -> dict[bytes, int]:
    return {key: await opened.client.pttl(key) for key in await all_keys(opened)}


async def other_clients(operator: Redis) -> set[str]:
    """The connections of everybody else."""
    return {client["id"] for client in await operator.client_list()} - {str(await operator.client_id())}


async def wait_until_available(sessions: SessionStore) -> None:
    async with asyncio.timeout(LONG):
        while True:
            with suppress(StoreUnavailableError):
                return await sessions.ping()
            await asyncio.sleep(0.02)


# What is remembered


async def test_a_new_caller_has_no_session(sessions):
    assert await sessions.load(A) is None


async def test_a_saved_session_is_loaded(sessions):
    assert await sessions.save(A, b"at the main menu", expected_version=0, ttl=300)
    assert await sessions.load(A) == StoredSession(1, b"at the main menu")


async def test_each_save_increments_the_version(sessions):
    for read in range(3):
        assert await sessions.save(A, b"hop %d" % read, expected_version=read, ttl=300)
    assert await sessions.load(A) == StoredSession(3, b"hop 2")


@pytest.mark.parametrize("data", [b"", b"\0", bytes(range(256)) * 40], ids=["empty", "one octet", "10 KB"])
async def test_any_bytes_are_loaded_as_they_were_saved(sessions, data):
    await sessions.save(A, data, expected_version=0, ttl=300)
    assert await sessions.load(A) == StoredSession(1, data)


async def test_callers_do_not_see_each_other(sessions):
    await asyncio.gather(
        sessions.save(A, b"of A", expected_version=0, ttl=300), sessions.save(B, b"of B", expected_version=0, ttl=300)
    )
    assert await asyncio.gather(sessions.load(A), sessions.load(B)) == [
        StoredSession(1, b"of A"),
        StoredSession(1, b"of B"),
    ]


async def test_hundreds_of_concurrent_callers_each_load_their_own_session(sessions):
    callers = [f"+88017110{number:05}" for number in range(700)]  # more than go together
    saved = await asyncio.gather(
        *(sessions.save(caller, caller.encode(), expected_version=0, ttl=300) for caller in callers)
    )
    loaded = await asyncio.gather(*(sessions.load(caller) for caller in callers))
    assert all(saved)
    assert loaded == [StoredSession(1, caller.encode()) for caller in callers]


async def test_a_deleted_session_starts_again_at_version_one(sessions):
    await sessions.save(A, b"before", expected_version=0, ttl=300)
    await sessions.forget(A)
    assert await sessions.load(A) is None
    assert await sessions.save(A, b"after", expected_version=0, ttl=300)
    assert await sessions.load(A) == StoredSession(1, b"after")


async def test_deleting_one_session_keeps_the_others(sessions):
    await sessions.save(A, b"of A", expected_version=0, ttl=300)
    await sessions.save(B, b"of B", expected_version=0, ttl=300)
    await sessions.forget(A)
    assert await sessions.load(B) == StoredSession(1, b"of B")


# Who was faster


async def test_one_of_two_concurrent_saves_wins(sessions):
    await sessions.save(A, b"before", expected_version=0, ttl=300)
    won = await asyncio.gather(
        sessions.save(A, b"first", expected_version=1, ttl=300),
        sessions.save(A, b"second", expected_version=1, ttl=300),
    )
    assert sorted(won) == [False, True]
    assert await sessions.load(A) == StoredSession(2, (b"first", b"second")[won.index(True)])


async def test_one_of_two_first_saves_wins(sessions):
    won = [await sessions.save(A, data, expected_version=0, ttl=300) for data in (b"first", b"second")]
    assert won == [True, False]
    assert await sessions.load(A) == StoredSession(1, b"first")


async def test_one_of_two_processes_wins(redis_server):
    redis_server.empty()
    async with open_session_store(redis_server.url, SEAL) as one, open_session_store(redis_server.url, SEAL) as other:
        stores = [one.sessions, other.sessions] * 8
        for read in range(5):
            won = await asyncio.gather(*(store.save(A, b"hop", expected_version=read, ttl=300) for store in stores))
            assert won.count(True) == 1
        assert await one.sessions.load(A) == StoredSession(5, b"hop")


@pytest.mark.parametrize("read", [1, 7, 2**32 - 2])
async def test_a_save_with_another_version_is_rejected(sessions, read):
    assert not await sessions.save(A, b"late", expected_version=read, ttl=300)
    assert await sessions.load(A) is None


# Whose session id it is


async def test_a_session_id_is_new_once_and_then_ours(sessions):
    assert await sessions.begin(A, SESSION, 300) == BeginResult(None, "new")
    assert await sessions.begin(A, SESSION, 300) == BeginResult(None, "ours")


async def test_begin_loads_the_session(sessions):
    await sessions.save(A, b"left here", expected_version=0, ttl=300)
    assert await sessions.begin(A, SESSION, 300) == BeginResult(StoredSession(1, b"left here"), "new")


async def test_a_claimed_session_id_without_a_session_is_a_lost_session(sessions):
    await sessions.begin(A, SESSION, 300)
    await sessions.save(A, b"running", expected_version=0, ttl=300)
    await sessions.forget(A)
    assert await sessions.begin(A, SESSION, 300) == BeginResult(None, "ours")


async def test_another_number_cannot_claim_a_claimed_session_id(sessions):
    await sessions.begin(A, SESSION, 300)
    assert (await sessions.begin(B, SESSION, 300)).claim == "another"
    assert (await sessions.begin(B, SESSION, 300)).claim == "another"
    assert (await sessions.begin(A, SESSION, 300)).claim == "ours"


async def test_one_of_two_concurrent_numbers_gets_the_session_id(sessions):
    begun = await asyncio.gather(sessions.begin(A, SESSION, 300), sessions.begin(B, SESSION, 300))
    assert sorted(one.claim for one in begun) == ["another", "new"]


async def test_one_number_claims_many_session_ids(sessions):
    claims = [(await sessions.begin(A, session, 300)).claim for session in ("one", "two", "one")]
    assert claims == ["new", "new", "ours"]


async def test_a_claim_copied_to_another_session_id_is_invalid(open_store):
    await open_store.sessions.begin(A, "one", 300)
    (of_one,) = await all_keys_and_values(open_store)
    await open_store.sessions.begin(B, "two", 300)
    (of_two,) = (await all_keys_and_values(open_store)).keys() - {of_one}
    await open_store.client.set(of_two, await open_store.client.get(of_one), ex=300)
    assert (await open_store.sessions.begin(A, "two", 300)).claim == "another"


# What is kept, and for how long


async def test_every_key_has_a_time_to_live_after_every_operation(open_store):
    sessions = open_store.sessions
    for operation, keys in (
        (sessions.begin(A, SESSION, 300), 1),
        (sessions.begin(B, SESSION, 300), 1),
        (sessions.save(A, b"one", expected_version=0, ttl=300), 2),
        (sessions.save(A, b"two", expected_version=1, ttl=300), 2),
        (sessions.save(A, b"too late", expected_version=1, ttl=300), 2),
        (sessions.begin(A, SESSION, 300), 2),
        (sessions.load(A), 2),
        (sessions.save(B, b"one", expected_version=0, ttl=300), 3),
        (sessions.forget(A), 2),
    ):
        await operation
        left = await times_to_live(open_store)
        assert len(left) == keys
        assert all(0 < milliseconds <= 300_000 for milliseconds in left.values())


async def test_each_save_and_each_claim_renews_the_time_to_live(open_store):
    for ttl in (100, 1000):
        begun = await open_store.sessions.begin(A, SESSION, ttl)
        await open_store.sessions.save(A, b"hop", expected_version=begun.stored.version if begun.stored else 0, ttl=ttl)
    assert min((await times_to_live(open_store)).values()) > 100_000


async def test_a_rejected_claim_does_not_renew_the_time_to_live(open_store):
    await open_store.sessions.begin(A, SESSION, 100)
    await open_store.sessions.begin(B, SESSION, 1000)
    assert max((await times_to_live(open_store)).values()) <= 100_000


async def test_the_store_contains_no_number_and_no_text(open_store):
    await open_store.sessions.begin(A, SESSION, 300)
    await open_store.sessions.save(A, b"1*2*4821 Rahima", expected_version=0, ttl=300)
    kept = await all_keys_and_values(open_store)
    dump = b"\n".join(kept) + b"\n" + b"\n".join(kept.values())
    assert len(kept) == 2
    for personal in (A.encode(), A[1:].encode(), A[4:].encode(), SESSION.encode(), b"4821", b"Rahima"):
        assert personal not in dump


async def test_a_caller_has_one_key_with_a_hash_tag(open_store):
    for read in range(3):
        await open_store.sessions.save(A, b"hop", expected_version=read, ttl=300)
    assert list(await all_keys_and_values(open_store)) == [f"ek:s:{{{SEAL.keyed_hash('session', A)}}}".encode()]


async def test_another_secret_finds_no_session(redis_server):
    redis_server.empty()
    async with open_session_store(redis_server.url, SEAL) as one:
        await one.sessions.save(A, b"of A", expected_version=0, ttl=300)
        async with open_session_store(redis_server.url, Cipher(bytes(32))) as other:
            assert await other.sessions.load(A) is None
        assert await one.sessions.load(A) == StoredSession(1, b"of A")


# What cannot be read


@pytest.mark.parametrize("what", ["moved", "damaged", "of another version", "cut off", "not ours"])
async def test_an_undecryptable_session_is_deleted_and_logged_once(open_store, what):
    await open_store.sessions.save(B, b"of B", expected_version=0, ttl=300)
    ((_, value),) = (await all_keys_and_values(open_store)).items()
    broken = {
        "moved": value,
        "damaged": value[:-1] + bytes([value[-1] ^ 1]),
        "of another version": b"\0\0\0\2" + value[4:],
        "cut off": value[:9],
        "not ours": b"x",
    }[what]
    whose = A if what == "moved" else B
    await open_store.client.set(f"ek:s:{{{SEAL.keyed_hash('session', whose)}}}", broken, ex=300)
    with capture_logs() as said:
        assert await open_store.sessions.load(whose) is None
        assert await open_store.sessions.begin(whose, SESSION, 300) == BeginResult(None, "new")
    assert [entry["event"] for entry in said] == ["session_unreadable"]
    assert await open_store.sessions.save(whose, b"anew", expected_version=0, ttl=300)
    assert await open_store.sessions.load(whose) == StoredSession(1, b"anew")


# One hop among many


async def test_a_cancelled_load_does_not_affect_concurrent_callers(sessions):
    saves = [asyncio.create_task(sessions.save(f"+88017{n}", b"hop", expected_version=0, ttl=300)) for n in range(9)]
    await asyncio.sleep(0)
    saves[4].cancel()
    won = await asyncio.gather(*saves, return_exceptions=True)
    assert isinstance(won.pop(4), asyncio.CancelledError)
    assert won == [True] * 8
    assert await sessions.save(A, b"next", expected_version=0, ttl=300)


async def test_scripts_are_sent_again_to_a_server_that_lost_them(open_store):
    await open_store.sessions.begin(A, SESSION, 300)
    await open_store.sessions.save(A, b"one", expected_version=0, ttl=300)
    await open_store.client.script_flush()
    begun, won = await asyncio.gather(
        open_store.sessions.begin(A, SESSION, 300), open_store.sessions.save(A, b"two", expected_version=1, ttl=300)
    )
    assert (begun.claim, won) == ("ours", True)
    assert await open_store.sessions.load(A) == StoredSession(2, b"two")


async def test_ping_returns(sessions):
    assert await sessions.ping() is None


async def test_the_redis_client_uses_the_same_server(open_store):
    await open_store.client.set("codes:1", "hashed", ex=600)
    assert await open_store.client.get("codes:1") == b"hashed"


async def test_a_wrong_command_of_the_redis_client_fails_alone(open_store):
    await open_store.client.set("codes:1", "hashed")
    wrong, nothing, right = await asyncio.gather(
        open_store.client.scard("codes:1"),
        open_store.client.set("codes:1", None),
        open_store.client.get("codes:1"),
        return_exceptions=True,
    )
    assert isinstance(wrong, ResponseError)
    assert isinstance(nothing, DataError)
    assert right == b"hashed"


async def test_two_stores_in_memory_share_nothing():
    async with open_session_store("memory://", SEAL) as one, open_session_store("memory://", SEAL) as other:
        await one.sessions.save(A, b"of A", expected_version=0, ttl=300)
        assert await other.sessions.load(A) is None


async def test_the_store_connects_to_a_unix_socket(killable_redis):
    async with open_session_store(killable_redis.socket_url, SEAL) as opened:
        assert await opened.sessions.save(A, b"hop", expected_version=0, ttl=300)


async def test_an_unknown_url_scheme_is_rejected_at_once():
    with pytest.raises(ValueError, match="redis://"):
        async with open_session_store("http://127.0.0.1", SEAL):
            """Never opened."""


# When the store is down


async def test_a_store_works_again_after_the_server_restarts(killable_redis, killable_sessions):
    await killable_sessions.save(A, b"hop", expected_version=0, ttl=300)
    killable_redis.kill()
    async with asyncio.timeout(LONG):
        for _ in range(3):
            with pytest.raises(StoreUnavailableError, match="session store failed"):
                await killable_sessions.load(A)
    killable_redis.start()
    await wait_until_available(killable_sessions)
    assert await killable_sessions.load(A) is None
    assert await killable_sessions.save(A, b"anew", expected_version=0, ttl=300)


async def test_a_server_crash_raises_in_each_concurrent_request(killable_redis, killable_sessions):
    await killable_sessions.ping()
    killable_redis.pause()
    asked = [asyncio.create_task(killable_sessions.load(f"+88017{n}")) for n in range(20)]
    await asyncio.sleep(0.01)
    asked += [asyncio.create_task(killable_sessions.load(f"+88018{n}")) for n in range(20)]
    await asyncio.sleep(0.01)
    killable_redis.kill()
    async with asyncio.timeout(LONG):
        told = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(error) for error in told} == {StoreUnavailableError}


async def test_a_server_restart_between_two_requests_is_not_noticed(killable_redis, killable_sessions):
    await killable_sessions.save(A, b"hop", expected_version=0, ttl=300)
    killable_redis.kill()
    killable_redis.start()
    await asyncio.sleep(0.05)  # the loop hears that the server hung up
    assert await killable_sessions.load(A) is None
    assert await killable_sessions.save(A, b"hop", expected_version=0, ttl=300)


async def test_a_store_opens_before_its_server_starts(killable_redis):
    killable_redis.stop()
    async with open_session_store(killable_redis.url, SEAL, deadline=LONG) as opened:
        with pytest.raises(StoreUnavailableError):
            await opened.sessions.begin(A, SESSION, 300)
        killable_redis.start()
        await wait_until_available(opened.sessions)
        assert await opened.sessions.begin(A, SESSION, 300) == BeginResult(None, "new")


async def test_a_hanging_server_raises_at_the_deadline(killable_redis):
    async with open_session_store(killable_redis.url, SEAL, deadline=0.1) as opened:
        await wait_until_available(opened.sessions)
        await opened.sessions.save(B, b"of B", expected_version=0, ttl=300)
        killable_redis.pause()
        async with asyncio.timeout(LONG):
            with pytest.raises(StoreUnavailableError, match="no answer in time"):
                await opened.sessions.save(A, b"of A", expected_version=0, ttl=300)
        killable_redis.resume()
        await wait_until_available(opened.sessions)
        assert await opened.sessions.load(B) == StoredSession(1, b"of B")  # and not the late answer to A


async def test_requests_fail_without_connecting_while_the_server_is_down():
    tried = []

    async def close_connection(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tried.append(writer)
        writer.close()

    async with await asyncio.start_server(close_connection, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with open_session_store(f"redis://127.0.0.1:{port}", SEAL, deadline=LONG) as opened:
            for _ in range(20):
                with pytest.raises(StoreUnavailableError):
                    await opened.sessions.load(A)
    assert len(tried) == 1


@pytest.mark.parametrize(
    ("ill", "well"),
    [
        (("CONFIG SET", "maxmemory", "1"), ("CONFIG SET", "maxmemory", "0")),
        (("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE")),
    ],
    ids=["full", "read only"],
)
async def test_a_server_that_rejects_writes_is_reconnected(killable_redis, killable_sessions, ill, well):
    await killable_sessions.ping()
    async with Redis.from_url(killable_redis.url, single_connection_client=True) as operator:
        before = await other_clients(operator)
        await operator.execute_command(*ill)
        with pytest.raises(StoreUnavailableError):
            await killable_sessions.save(A, b"hop", expected_version=0, ttl=300)
        await operator.execute_command(*well)
        await wait_until_available(killable_sessions)
        assert await killable_sessions.save(A, b"hop", expected_version=0, ttl=300)
        assert before.isdisjoint(await other_clients(operator))  # another server may have taken over at this address


async def test_the_password_in_the_url_is_used(killable_redis):
    async with Redis.from_url(killable_redis.url) as operator:
        await operator.config_set("requirepass", "opensesame")
    address = f"127.0.0.1:{killable_redis.port}/0"
    async with open_session_store(f"redis://:opensesame@{address}", SEAL) as opened:
        await opened.sessions.ping()
    async with open_session_store(f"redis://:wrong@{address}", SEAL) as opened:
        with pytest.raises(StoreUnavailableError, match="password") as down:
            await opened.sessions.ping()
        assert "wrong" not in str(down.value)


async def test_an_outage_and_its_end_are_each_logged_once(killable_redis, killable_sessions):
    killable_redis.stop()
    with capture_logs() as said:
        for _ in range(5):
            with pytest.raises(StoreUnavailableError):
                await killable_sessions.ping()
        killable_redis.start()
        await wait_until_available(killable_sessions)
        await killable_sessions.ping()
    assert [entry["event"] for entry in said] == ["session_store_down", "session_store_up"]


@pytest.mark.slow
async def test_a_cluster_works_again_after_its_nodes_restart():
    with LocalRedis(cluster=True) as server:
        async with open_session_store(server.url, SEAL, cluster=True, deadline=2.0) as opened:
            await opened.sessions.save(A, b"hop", expected_version=0, ttl=300)
            server.kill()
            async with asyncio.timeout(LONG):
                with pytest.raises(StoreUnavailableError):
                    await opened.sessions.begin(A, SESSION, 300)
            server.start()
            await wait_until_available(opened.sessions)
            assert await opened.sessions.begin(A, SESSION, 300) == BeginResult(None, "new")


async def test_closing_the_store_ends_commands_in_work(killable_redis):
    async with open_session_store(killable_redis.url, SEAL, deadline=LONG) as opened:
        await opened.sessions.ping()
        killable_redis.pause()
        out = asyncio.create_task(opened.sessions.load(A))
        await asyncio.sleep(0.01)
    async with asyncio.timeout(LONG):
        with pytest.raises(StoreUnavailableError):
            await out
