"""The way of a command through a cluster, on nodes that answer what a test says. `tests/failure` has real ones."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis.crc import key_slot
from redis.exceptions import AskError, ClusterDownError, MovedError, NoScriptError, ResponseError, TryAgainError
from structlog.testing import capture_logs

from sessions import redis_cluster
from sessions.redis_batching import CLAIM_SCRIPT, CLAIM_SHA, Command, claim_keys, get_values
from sessions.redis_cluster import ClusterExecutor
from sessions.redis_cluster_node import MAX_ATTEMPTS, Address
from sessions.store import StoreUnavailableError

A, B, C = ("a", 1), ("b", 1), ("c", 1)
KEY = "{x}"
SLOT = key_slot(KEY.encode())
DOWN = StoreUnavailableError("down")
Answer = Callable[[Command], Any]


class FakeConnection:
    """Stands for RedisConnection to one node."""

    def __init__(self, cluster: "FakeCluster", address: Address) -> None:
        self.cluster, self.address = cluster, address
        self.is_down = False
        self.is_closed = False

    async def execute_each(self, commands: Sequence[Command]) -> list[Any]:
        await asyncio.sleep(0)
        self.cluster.batches[self.address].append(list(commands))
        if self.address in self.cluster.hanging:
            await asyncio.Event().wait()
        self.is_down = self.address in self.cluster.down
        if self.is_down:
            raise DOWN
        return [self.cluster.answer(self.address, command) for command in commands]

    async def close(self) -> None:
        self.is_closed = True


class FakeCluster:
    """Nodes by address: what each thinks of the slots, and its answers to commands, which default to `[its name]`."""

    def __init__(self) -> None:
        self.maps: dict[Address, Any] = {A: [[0, 16383, [b"a", 1]]]}
        self.answers: dict[Address, Answer] = {}
        self.down: set[Address] = set()
        self.hanging: set[Address] = set()
        self.batches: defaultdict[Address, list[list[Command]]] = defaultdict(list)
        self.connections: dict[Address, FakeConnection] = {}

    def connect(self, address: Address, _: Callable[[], Command]) -> FakeConnection:
        self.connections[address] = FakeConnection(self, address)
        return self.connections[address]

    def answer(self, address: Address, command: Command) -> Any:
        if command == ("CLUSTER", "SLOTS"):
            return self.maps.get(address, [])
        if command[0] in {"CONFIG", "ASKING"}:
            return b"OK"
        return self.answers.get(address, lambda _: [address[0]])(command)

    def sent(self, address: Address, *, excluded: tuple[str, ...] = ("CLUSTER", "CONFIG")) -> list[Command]:
        return [one for batch in self.batches[address] for one in batch if one[0] not in excluded]

    @property
    def map_reads(self) -> int:
        return sum(("CLUSTER", "SLOTS") in batch for batches in self.batches.values() for batch in batches)


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MAP_PAUSE", "MAP_RETRY_PAUSE", "TRY_AGAIN_PAUSE"):
        monkeypatch.setattr(redis_cluster, name, 0.001)


@asynccontextmanager
async def opened(cluster: FakeCluster, seed: Address = A) -> AsyncIterator[ClusterExecutor]:
    async with ClusterExecutor(cluster.connect, seed) as executor, asyncio.timeout(10):
        yield executor


async def wait_until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - what is waited for sets no event
        await asyncio.sleep(0.001)


def raises_once(error: ResponseError, then: Any = None) -> Answer:
    """Answer the first command with the error, later ones with `then`."""
    answers = iter([error])
    return lambda _: next(answers, then)


def halves(low: str, high: str) -> list[Any]:
    return [[0, 8191, [low.encode(), 1]], [8192, 16383, [high.encode(), 1]]]


async def test_requests_of_one_iteration_go_to_each_node_in_one_batch(cluster):
    cluster.maps[A] = halves("a", "b")
    async with opened(cluster) as execute:
        await execute(get_values, KEY)
        cluster.batches.clear()
        keys = [f"{{{number}}}" for number in range(40)]
        replies = await asyncio.gather(*(execute(get_values, key) for key in keys))
    assert replies == ["ab"[key_slot(key.encode()) > 8191] for key in keys]
    assert {address: len(batches) for address, batches in cluster.batches.items()} == {A: 1, B: 1}


async def test_the_first_requests_wait_for_the_map(cluster):
    async with opened(cluster) as execute:
        assert await asyncio.gather(execute(get_values, KEY), execute(get_values, "{y}")) == ["a", "a"]


async def test_a_moved_slot_is_followed_and_the_map_is_read_again(cluster):
    async with opened(cluster) as execute:
        await execute(get_values, KEY)
        cluster.answers[A] = lambda _: MovedError(f"{SLOT} b:1")
        cluster.maps = {address: [[0, 16383, [b"b", 1]]] for address in (A, B)}
        assert await execute(get_values, KEY) == "b"
        await wait_until(lambda: execute._masters == {B})
        assert await execute(get_values, "{other}") == "b"
        assert len(cluster.sent(A)) == 2


async def test_moved_without_a_host_means_the_host_that_said_so(cluster):
    async with opened(cluster) as execute:
        cluster.answers[A] = raises_once(MovedError(f"{SLOT} :2"))
        cluster.answers["a", 2] = lambda _: ["a:2"]
        assert await execute(get_values, KEY) == "a:2"


async def test_a_slot_that_is_about_to_move_is_asked_of_its_next_node_alone(cluster):
    async with opened(cluster) as execute:
        await execute(get_values, KEY)
        cluster.answers[A] = raises_once(AskError(f"{SLOT} b:1"), [b"still here"])
        assert await execute(get_values, KEY) == "b"
        assert cluster.batches[B] == [[("ASKING",), ("MGET", KEY)]]
        assert await execute(get_values, KEY) == b"still here"


async def test_a_script_that_the_next_node_lacks_is_asked_again_with_its_body(cluster):
    async with opened(cluster) as execute:
        cluster.answers[A] = raises_once(AskError(f"{SLOT} b:1"))
        cluster.answers[B] = raises_once(NoScriptError("No matching script"), [0])
        assert await execute(claim_keys, KEY, "me", 60) == 0
    assert cluster.sent(B) == [
        ("ASKING",),
        ("EVALSHA", CLAIM_SHA, 1, KEY, "me", 60),
        ("ASKING",),
        ("EVAL", CLAIM_SCRIPT, 1, KEY, "me", 60),
    ]


async def test_keys_that_are_being_moved_are_tried_again(cluster):
    async with opened(cluster) as execute:
        cluster.answers[A] = raises_once(TryAgainError("Multiple keys request during rehashing of slot"), 7)
        assert await execute.send(KEY, ("EVAL", "script", 2, "{x}1", "{x}2")) == 7


@pytest.mark.parametrize(
    "error",
    [MovedError(f"{SLOT} a:1"), AskError(f"{SLOT} a:1"), TryAgainError("during rehashing")],
    ids=["moved", "ask", "try again"],
)
async def test_a_command_is_not_sent_about_for_ever(cluster, error):
    cluster.answers[A] = lambda _: error
    async with opened(cluster) as execute:
        with pytest.raises(StoreUnavailableError):
            await execute(get_values, KEY)
    assert len(cluster.sent(A, excluded=("CLUSTER", "CONFIG", "ASKING"))) == MAX_ATTEMPTS


async def test_a_command_that_may_have_run_is_not_sent_again(cluster):
    cluster.maps[A] = halves("a", "b")
    async with opened(cluster) as execute:
        await execute(get_values, "{first}")
        cluster.down = {A, B}
        with pytest.raises(StoreUnavailableError):
            await execute(claim_keys, KEY, "me", 60)
    claims = [one for address in (A, B) for one in cluster.sent(address) if one[0] == "EVALSHA"]
    assert len(claims) == 1


async def test_a_cluster_that_refuses_commands_is_logged_once_and_its_end(cluster, monkeypatch):
    async with opened(cluster) as execute:
        await execute(get_values, KEY)
        with capture_logs() as said:
            cluster.answers[A] = lambda _: ClusterDownError("The cluster is down")
            for _ in range(3):
                with pytest.raises(StoreUnavailableError, match="The cluster is down"):
                    await execute(get_values, KEY)
                await asyncio.sleep(0.003)
            del cluster.answers[A]
            assert await execute(get_values, KEY) == "a"
            monkeypatch.setattr(redis_cluster, "REFUSAL_MEMORY", 0)
            await wait_until(lambda: len(said) == 2)
    assert [entry["event"] for entry in said] == ["redis_cluster_down", "redis_cluster_up"]


async def test_an_error_of_a_command_is_that_commands_alone(cluster):
    cluster.answers[A] = lambda command: ResponseError("WRONGTYPE") if command[0] == "EVAL" else [b"fine"]
    async with opened(cluster) as execute:
        wrong, right = await asyncio.gather(
            execute.send(KEY, ("EVAL", "script", 1, KEY)), execute(get_values, KEY), return_exceptions=True
        )
    assert isinstance(wrong, ResponseError)
    assert right == b"fine"


# The map of slots


async def test_a_node_that_takes_over_is_found_while_its_master_is_down(cluster):
    cluster.maps = {address: [*halves("a", "b")] for address in (A, C)}
    for ranges in cluster.maps.values():
        ranges[1].append([b"c", 1])
    async with opened(cluster) as execute:
        await execute(get_values, KEY)
        high = next(key for key in map("{{{}}}".format, range(99)) if key_slot(key.encode()) > 8191)
        cluster.down = {B}
        with pytest.raises(StoreUnavailableError):
            await execute(get_values, high)
        cluster.maps = {address: halves("a", "c") for address in (A, C)}
        await wait_until(lambda: execute._masters == {A, C})
        assert await execute(get_values, high) == "c"
        assert cluster.connections[B].is_closed  # it is in no map any more


async def test_nodes_learnt_later_are_asked_when_the_first_is_gone(cluster):
    cluster.maps = {A: halves("b", "c"), B: halves("b", "c"), C: halves("b", "c")}
    async with opened(cluster) as execute:
        await execute(get_values, KEY)
        cluster.down = {A}
        cluster.maps[B] = cluster.maps[C] = [[0, 16383, [b"c", 1]]]
        cluster.answers[B] = lambda command: MovedError(f"{key_slot(str(command[1]).encode())} c:1")
        low = next(key for key in map("{{{}}}".format, range(99)) if key_slot(key.encode()) < 8192)
        assert await execute(get_values, low) == "c"
        await wait_until(lambda: execute._masters == {C})


async def test_a_hanging_node_does_not_delay_the_map(cluster):
    cluster.maps = {address: halves("a", "b") for address in (A, B)}
    async with opened(cluster) as execute:
        await execute(get_values, KEY)
        cluster.hanging, reads = {B}, cluster.map_reads
        for _ in range(5):
            execute._is_map_old.set()
            await wait_until(lambda: cluster.map_reads > reads)  # noqa: B023 - called in this round
            reads = cluster.map_reads
        low = next(key for key in map("{{{}}}".format, range(99)) if key_slot(key.encode()) < 8192)
        assert await execute(get_values, low) == "a"


async def test_many_failures_read_the_map_once_a_pause(cluster, monkeypatch):
    async with opened(cluster) as execute:
        await execute(get_values, KEY)
        monkeypatch.setattr(redis_cluster, "MAP_PAUSE", 60)
        cluster.answers[A] = lambda _: ClusterDownError("The cluster is down")
        for _ in range(50):
            with pytest.raises(StoreUnavailableError):
                await execute(get_values, KEY)
            await asyncio.sleep(0)
    assert cluster.map_reads <= 3


async def test_requests_for_a_node_that_is_down_do_not_read_the_map(cluster, monkeypatch):
    cluster.maps = {address: halves("a", "b") for address in (A, B)}
    async with opened(cluster) as execute:
        await execute(get_values, KEY)
        monkeypatch.setattr(redis_cluster, "MAP_RETRY_PAUSE", 60)
        cluster.down = {A}
        low = next(key for key in map("{{{}}}".format, range(99)) if key_slot(key.encode()) < 8192)
        reads = cluster.map_reads
        with pytest.raises(StoreUnavailableError):
            await execute(get_values, low)
        await wait_until(lambda: cluster.map_reads == reads + 2)  # of both nodes
        for _ in range(20):
            with pytest.raises(StoreUnavailableError):
                await execute(get_values, low)
            assert not execute._is_map_old.is_set()


async def test_the_last_map_stays_in_use_while_no_node_has_one(cluster):
    async with opened(cluster) as execute:
        await execute(get_values, KEY)
        cluster.maps, reads = {}, cluster.map_reads
        execute._is_map_old.set()
        await wait_until(lambda: cluster.map_reads > reads)
        assert await execute(get_values, KEY) == "a"


async def test_a_cluster_may_be_down_when_the_store_opens(cluster):
    cluster.down = {A}
    async with opened(cluster) as execute:
        for _ in range(2):
            with pytest.raises(StoreUnavailableError, match="no node"):
                await execute(get_values, KEY)
        with pytest.raises(StoreUnavailableError, match="no master"):
            await execute.ping()
        cluster.down = set()
        await wait_until(lambda: execute._masters == {A})
        assert await execute(get_values, KEY) == "a"


async def test_ping_returns_while_one_master_answers(cluster):
    cluster.maps[A] = halves("a", "b")
    async with opened(cluster) as execute:
        await execute(get_values, KEY)
        cluster.down = {B}
        await execute.ping()
        cluster.down = {A, B}
        with pytest.raises(StoreUnavailableError, match="no master"):
            await execute.ping()


async def test_a_cluster_that_stops_as_a_whole_for_one_node_is_reported(cluster):
    class Strict(FakeCluster):
        def answer(self, address: Address, command: Command) -> Any:
            if command[0] == "CONFIG":
                return [b"cluster-require-full-coverage", b"yes"]
            return super().answer(address, command)

    with capture_logs() as said:
        async with opened(Strict()) as execute:
            await execute(get_values, KEY)
            await asyncio.sleep(0.01)
    assert "redis_cluster_requires_full_coverage" in {entry["event"] for entry in said}
