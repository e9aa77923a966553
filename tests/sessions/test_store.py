import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from sealing import Seal
from sessions.redis import Opened, open_sessions
from sessions.store import Begun, Kept, Sessions, StoreDown
from tests.servers import OwnRedis, RedisServer

SEAL = Seal(bytes(range(32)))
A, B = "+8801711000001", "+8801711000002"
SESSION = "ATUid_3f2a9c"
LONG = 10.0  # seconds: nothing here takes as long; a test that would wait for ever fails instead


@pytest.fixture(scope="session")
def cluster_server() -> Iterator[OwnRedis]:
    with OwnRedis(cluster=True) as server:
        yield server


@pytest.fixture(params=["fakeredis", "valkey", "cluster"])
def place(request: pytest.FixtureRequest) -> dict[str, Any]:
    """How to open each store that keeps the contract, empty."""
    if request.param == "fakeredis":
        return {"url": "memory://"}
    clustered = request.param == "cluster"
    server: RedisServer = request.getfixturevalue("cluster_server" if clustered else "redis_server")
    server.empty()
    return {"url": server.url, "cluster": clustered}


@pytest.fixture
async def opened(place: dict[str, Any]) -> AsyncIterator[Opened]:
    async with open_sessions(**place, seal=SEAL, deadline=LONG) as opened:
        yield opened


@pytest.fixture
def sessions(opened: Opened) -> Sessions:
    return opened.sessions


@pytest.fixture
def mortal() -> Iterator[OwnRedis]:
    with OwnRedis() as server:
        yield server


@pytest.fixture
async def mortal_sessions(mortal: OwnRedis) -> AsyncIterator[Sessions]:
    async with open_sessions(mortal.url, SEAL, deadline=LONG) as opened:
        yield opened.sessions


async def everything(opened: Opened) -> dict[bytes, bytes]:
    return {key: await opened.client.get(key) for key in await opened.client.keys("*")}


async def times_to_live(opened: Opened) -> dict[bytes, int]:
    return {key: await opened.client.pttl(key) for key in await opened.client.keys("*")}


async def others(operator: Redis) -> set[str]:
    """The connections of everybody else."""
    return {client["id"] for client in await operator.client_list()} - {str(await operator.client_id())}


async def answers_again(sessions: Sessions) -> None:
    async with asyncio.timeout(LONG):
        while True:
            with suppress(StoreDown):
                return await sessions.ping()
            await asyncio.sleep(0.02)


# What is remembered


async def test_of_a_new_caller_nothing_is_remembered(sessions):
    assert await sessions.load(A) is None


async def test_what_was_saved_is_loaded(sessions):
    assert await sessions.save(A, b"at the main menu", read=0, ttl=300)
    assert await sessions.load(A) == Kept(1, b"at the main menu")


async def test_each_save_counts_one_version_on(sessions):
    for read in range(3):
        assert await sessions.save(A, b"hop %d" % read, read=read, ttl=300)
    assert await sessions.load(A) == Kept(3, b"hop 2")


@pytest.mark.parametrize("data", [b"", b"\0", bytes(range(256)) * 40], ids=["empty", "one octet", "10 KB"])
async def test_any_octets_come_back_as_they_went(sessions, data):
    await sessions.save(A, data, read=0, ttl=300)
    assert await sessions.load(A) == Kept(1, data)


async def test_callers_do_not_see_each_other(sessions):
    await asyncio.gather(sessions.save(A, b"of A", read=0, ttl=300), sessions.save(B, b"of B", read=0, ttl=300))
    assert await asyncio.gather(sessions.load(A), sessions.load(B)) == [Kept(1, b"of A"), Kept(1, b"of B")]


async def test_hundreds_who_ask_at_once_each_get_their_own(sessions):
    callers = [f"+88017110{number:05}" for number in range(700)]  # more than go together
    saved = await asyncio.gather(*(sessions.save(caller, caller.encode(), read=0, ttl=300) for caller in callers))
    loaded = await asyncio.gather(*(sessions.load(caller) for caller in callers))
    assert all(saved)
    assert loaded == [Kept(1, caller.encode()) for caller in callers]


async def test_a_forgotten_caller_starts_again(sessions):
    await sessions.save(A, b"before", read=0, ttl=300)
    await sessions.forget(A)
    assert await sessions.load(A) is None
    assert await sessions.save(A, b"after", read=0, ttl=300)
    assert await sessions.load(A) == Kept(1, b"after")


async def test_forgetting_one_caller_leaves_the_others(sessions):
    await sessions.save(A, b"of A", read=0, ttl=300)
    await sessions.save(B, b"of B", read=0, ttl=300)
    await sessions.forget(A)
    assert await sessions.load(B) == Kept(1, b"of B")


# Who was faster


async def test_of_two_saves_in_one_turn_one_wins(sessions):
    await sessions.save(A, b"before", read=0, ttl=300)
    won = await asyncio.gather(
        sessions.save(A, b"first", read=1, ttl=300), sessions.save(A, b"second", read=1, ttl=300)
    )
    assert sorted(won) == [False, True]
    assert await sessions.load(A) == Kept(2, (b"first", b"second")[won.index(True)])


async def test_of_two_first_saves_one_wins(sessions):
    won = [await sessions.save(A, data, read=0, ttl=300) for data in (b"first", b"second")]
    assert won == [True, False]
    assert await sessions.load(A) == Kept(1, b"first")


async def test_of_two_processes_one_wins(redis_server):
    redis_server.empty()
    async with open_sessions(redis_server.url, SEAL) as one, open_sessions(redis_server.url, SEAL) as other:
        stores = [one.sessions, other.sessions] * 8
        for read in range(5):
            won = await asyncio.gather(*(store.save(A, b"hop", read=read, ttl=300) for store in stores))
            assert won.count(True) == 1
        assert await one.sessions.load(A) == Kept(5, b"hop")


@pytest.mark.parametrize("read", [1, 7, 2**32 - 2])
async def test_a_version_that_is_not_stored_is_never_written_over(sessions, read):
    assert not await sessions.save(A, b"late", read=read, ttl=300)
    assert await sessions.load(A) is None


# Whose session id it is


async def test_a_session_id_is_new_once_and_then_ours(sessions):
    assert await sessions.begin(A, SESSION, 300) == Begun(None, "new")
    assert await sessions.begin(A, SESSION, 300) == Begun(None, "ours")


async def test_begin_brings_what_is_remembered(sessions):
    await sessions.save(A, b"left here", read=0, ttl=300)
    assert await sessions.begin(A, SESSION, 300) == Begun(Kept(1, b"left here"), "new")


async def test_a_session_id_with_no_session_is_one_that_the_store_forgot(sessions):
    await sessions.begin(A, SESSION, 300)
    await sessions.save(A, b"running", read=0, ttl=300)
    await sessions.forget(A)
    assert await sessions.begin(A, SESSION, 300) == Begun(None, "ours")


async def test_another_number_cannot_have_a_known_session_id(sessions):
    await sessions.begin(A, SESSION, 300)
    assert (await sessions.begin(B, SESSION, 300)).claim == "another"
    assert (await sessions.begin(B, SESSION, 300)).claim == "another"
    assert (await sessions.begin(A, SESSION, 300)).claim == "ours"


async def test_of_two_numbers_in_one_turn_one_gets_the_session_id(sessions):
    begun = await asyncio.gather(sessions.begin(A, SESSION, 300), sessions.begin(B, SESSION, 300))
    assert sorted(one.claim for one in begun) == ["another", "new"]


async def test_one_number_has_many_session_ids(sessions):
    claims = [(await sessions.begin(A, session, 300)).claim for session in ("one", "two", "one")]
    assert claims == ["new", "new", "ours"]


async def test_a_claim_copied_to_another_session_id_is_worth_nothing(opened):
    await opened.sessions.begin(A, "one", 300)
    (of_one,) = await everything(opened)
    await opened.sessions.begin(B, "two", 300)
    (of_two,) = (await everything(opened)).keys() - {of_one}
    await opened.client.set(of_two, await opened.client.get(of_one), ex=300)
    assert (await opened.sessions.begin(A, "two", 300)).claim == "another"


# What is kept, and for how long


async def test_every_key_has_a_time_to_live_after_every_operation(opened):
    sessions = opened.sessions
    for operation, keys in (
        (sessions.begin(A, SESSION, 300), 1),
        (sessions.begin(B, SESSION, 300), 1),
        (sessions.save(A, b"one", read=0, ttl=300), 2),
        (sessions.save(A, b"two", read=1, ttl=300), 2),
        (sessions.save(A, b"too late", read=1, ttl=300), 2),
        (sessions.begin(A, SESSION, 300), 2),
        (sessions.load(A), 2),
        (sessions.save(B, b"one", read=0, ttl=300), 3),
        (sessions.forget(A), 2),
    ):
        await operation
        left = await times_to_live(opened)
        assert len(left) == keys
        assert all(0 < milliseconds <= 300_000 for milliseconds in left.values())


async def test_each_save_and_each_claim_gives_a_new_time_to_live(opened):
    for ttl in (100, 1000):
        begun = await opened.sessions.begin(A, SESSION, ttl)
        await opened.sessions.save(A, b"hop", read=begun.kept.version if begun.kept else 0, ttl=ttl)
    assert min((await times_to_live(opened)).values()) > 100_000


async def test_a_refused_claim_gives_no_new_time_to_live(opened):
    await opened.sessions.begin(A, SESSION, 100)
    await opened.sessions.begin(B, SESSION, 1000)
    assert max((await times_to_live(opened)).values()) <= 100_000


async def test_nothing_in_the_store_tells_who_said_what(opened):
    await opened.sessions.begin(A, SESSION, 300)
    await opened.sessions.save(A, b"1*2*4821 Rahima", read=0, ttl=300)
    kept = await everything(opened)
    dump = b"\n".join(kept) + b"\n" + b"\n".join(kept.values())
    assert len(kept) == 2
    for personal in (A.encode(), A[1:].encode(), A[4:].encode(), SESSION.encode(), b"4821", b"Rahima"):
        assert personal not in dump


async def test_a_caller_has_one_key_tagged_for_a_cluster(opened):
    for read in range(3):
        await opened.sessions.save(A, b"hop", read=read, ttl=300)
    assert list(await everything(opened)) == [f"ek:s:{{{SEAL.name('session', A)}}}".encode()]


async def test_another_secret_finds_nothing(redis_server):
    redis_server.empty()
    async with open_sessions(redis_server.url, SEAL) as one:
        await one.sessions.save(A, b"of A", read=0, ttl=300)
        async with open_sessions(redis_server.url, Seal(bytes(32))) as other:
            assert await other.sessions.load(A) is None
        assert await one.sessions.load(A) == Kept(1, b"of A")


# What cannot be read


@pytest.mark.parametrize("what", ["moved", "damaged", "of another version", "cut off", "not ours"])
async def test_what_cannot_be_read_is_forgotten_and_said_once(opened, what):
    await opened.sessions.save(B, b"of B", read=0, ttl=300)
    ((_, value),) = (await everything(opened)).items()
    broken = {
        "moved": value,
        "damaged": value[:-1] + bytes([value[-1] ^ 1]),
        "of another version": b"\0\0\0\2" + value[4:],
        "cut off": value[:9],
        "not ours": b"x",
    }[what]
    whose = A if what == "moved" else B
    await opened.client.set(f"ek:s:{{{SEAL.name('session', whose)}}}", broken, ex=300)
    with capture_logs() as said:
        assert await opened.sessions.load(whose) is None
        assert await opened.sessions.begin(whose, SESSION, 300) == Begun(None, "new")
    assert [entry["event"] for entry in said] == ["session unreadable, forgotten"]
    assert await opened.sessions.save(whose, b"anew", read=0, ttl=300)
    assert await opened.sessions.load(whose) == Kept(1, b"anew")


# One hop among many


async def test_a_caller_who_hangs_up_harms_nobody_in_the_same_turn(sessions):
    saves = [asyncio.create_task(sessions.save(f"+88017{n}", b"hop", read=0, ttl=300)) for n in range(9)]
    await asyncio.sleep(0)
    saves[4].cancel()
    won = await asyncio.gather(*saves, return_exceptions=True)
    assert isinstance(won.pop(4), asyncio.CancelledError)
    assert won == [True] * 8
    assert await sessions.save(A, b"next", read=0, ttl=300)


async def test_a_server_that_has_forgotten_the_scripts_is_told_again(opened):
    await opened.sessions.begin(A, SESSION, 300)
    await opened.sessions.save(A, b"one", read=0, ttl=300)
    await opened.client.script_flush()
    begun, won = await asyncio.gather(
        opened.sessions.begin(A, SESSION, 300), opened.sessions.save(A, b"two", read=1, ttl=300)
    )
    assert (begun.claim, won) == ("ours", True)
    assert await opened.sessions.load(A) == Kept(2, b"two")


async def test_the_store_answers_a_ping(sessions):
    assert await sessions.ping() is None


async def test_others_use_the_same_server_through_a_plain_client(opened):
    await opened.client.set("codes:1", "hashed", ex=600)
    assert await opened.client.get("codes:1") == b"hashed"


async def test_two_stores_in_memory_share_nothing():
    async with open_sessions("memory://", SEAL) as one, open_sessions("memory://", SEAL) as other:
        await one.sessions.save(A, b"of A", read=0, ttl=300)
        assert await other.sessions.load(A) is None


async def test_a_server_is_reached_by_its_unix_socket(mortal):
    async with open_sessions(mortal.socket_url, SEAL) as opened:
        assert await opened.sessions.save(A, b"hop", read=0, ttl=300)


async def test_an_address_of_no_known_kind_is_refused_at_once():
    with pytest.raises(ValueError, match="redis://"):
        async with open_sessions("http://127.0.0.1", SEAL):
            """Never opened."""


# When the store is down


async def test_a_store_that_dies_is_down_and_one_that_is_back_is_used_again(mortal, mortal_sessions):
    await mortal_sessions.save(A, b"hop", read=0, ttl=300)
    mortal.kill()
    async with asyncio.timeout(LONG):
        for _ in range(3):
            with pytest.raises(StoreDown, match="session store failed"):
                await mortal_sessions.load(A)
    mortal.start()
    await answers_again(mortal_sessions)
    assert await mortal_sessions.load(A) is None
    assert await mortal_sessions.save(A, b"anew", read=0, ttl=300)


async def test_a_store_that_dies_under_many_is_down_for_each_of_them(mortal, mortal_sessions):
    await mortal_sessions.ping()
    mortal.hang()
    asked = [asyncio.create_task(mortal_sessions.load(f"+88017{n}")) for n in range(20)]
    await asyncio.sleep(0.01)
    asked += [asyncio.create_task(mortal_sessions.load(f"+88018{n}")) for n in range(20)]
    await asyncio.sleep(0.01)
    mortal.kill()
    async with asyncio.timeout(LONG):
        told = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(error) for error in told} == {StoreDown}


async def test_a_store_restarted_between_two_hops_is_used_at_once(mortal, mortal_sessions):
    await mortal_sessions.save(A, b"hop", read=0, ttl=300)
    mortal.kill()
    mortal.start()
    await asyncio.sleep(0.05)  # the loop hears that the server hung up
    assert await mortal_sessions.load(A) is None
    assert await mortal_sessions.save(A, b"hop", read=0, ttl=300)


async def test_a_store_that_is_not_there_yet_is_used_when_it_comes(mortal):
    mortal.stop()
    async with open_sessions(mortal.url, SEAL, deadline=LONG) as opened:
        with pytest.raises(StoreDown):
            await opened.sessions.begin(A, SESSION, 300)
        mortal.start()
        await answers_again(opened.sessions)
        assert await opened.sessions.begin(A, SESSION, 300) == Begun(None, "new")


async def test_a_store_that_hangs_is_down_when_the_deadline_is_over(mortal):
    async with open_sessions(mortal.url, SEAL, deadline=0.1) as opened:
        await answers_again(opened.sessions)
        await opened.sessions.save(B, b"of B", read=0, ttl=300)
        mortal.hang()
        async with asyncio.timeout(LONG):
            with pytest.raises(StoreDown, match="no answer in time"):
                await opened.sessions.save(A, b"of A", read=0, ttl=300)
        mortal.go_on()
        await answers_again(opened.sessions)
        assert await opened.sessions.load(B) == Kept(1, b"of B")  # and not the late answer to A


async def test_while_it_is_down_hops_do_not_each_try_again():
    tried = []

    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tried.append(writer)
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with open_sessions(f"redis://127.0.0.1:{port}", SEAL, deadline=LONG) as opened:
            for _ in range(20):
                with pytest.raises(StoreDown):
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
async def test_a_store_that_refuses_to_write_is_down_and_called_anew(mortal, mortal_sessions, ill, well):
    await mortal_sessions.ping()
    async with Redis.from_url(mortal.url, single_connection_client=True) as operator:
        before = await others(operator)
        await operator.execute_command(*ill)
        with pytest.raises(StoreDown):
            await mortal_sessions.save(A, b"hop", read=0, ttl=300)
        await operator.execute_command(*well)
        await answers_again(mortal_sessions)
        assert await mortal_sessions.save(A, b"hop", read=0, ttl=300)
        assert before.isdisjoint(await others(operator))  # another server may have taken over at this address


async def test_the_password_of_the_address_is_used(mortal):
    async with Redis.from_url(mortal.url) as operator:
        await operator.config_set("requirepass", "opensesame")
    address = f"127.0.0.1:{mortal.port}/0"
    async with open_sessions(f"redis://:opensesame@{address}", SEAL) as opened:
        await opened.sessions.ping()
    async with open_sessions(f"redis://:wrong@{address}", SEAL) as opened:
        with pytest.raises(StoreDown, match="password") as down:
            await opened.sessions.ping()
        assert "wrong" not in str(down.value)


async def test_a_store_down_is_said_once_and_so_is_its_return(mortal, mortal_sessions):
    mortal.stop()
    with capture_logs() as said:
        for _ in range(5):
            with pytest.raises(StoreDown):
                await mortal_sessions.ping()
        mortal.start()
        await answers_again(mortal_sessions)
        await mortal_sessions.ping()
    assert [entry["event"] for entry in said] == ["session store down", "session store answers again"]


async def test_a_cluster_that_dies_is_down_and_one_that_is_back_is_used_again():
    with OwnRedis(cluster=True) as server:
        async with open_sessions(server.url, SEAL, cluster=True, deadline=2.0) as opened:
            await opened.sessions.save(A, b"hop", read=0, ttl=300)
            server.kill()
            async with asyncio.timeout(LONG):
                with pytest.raises(StoreDown):
                    await opened.sessions.begin(A, SESSION, 300)
            server.start()
            await answers_again(opened.sessions)
            assert await opened.sessions.begin(A, SESSION, 300) == Begun(None, "new")


async def test_closing_ends_what_is_still_out(mortal):
    async with open_sessions(mortal.url, SEAL, deadline=LONG) as opened:
        await opened.sessions.ping()
        mortal.hang()
        out = asyncio.create_task(opened.sessions.load(A))
        await asyncio.sleep(0.01)
    async with asyncio.timeout(LONG):
        with pytest.raises(StoreDown):
            await out
