"""What callers notice when a Redis or a Redis Cluster fails under steady load. `python -m bench.store_faults --help`."""

import argparse
import asyncio
import os
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

import redis
import uvloop
from redis.crc import key_slot

from core.crypto import Cipher
from sessions.redis_store import open_session_store
from sessions.store import SessionStore, StoreUnavailableError
from tests.support.fault_proxy import FaultProxy
from tests.support.redis_cluster import ClusterServer, LocalCluster
from tests.support.servers import LocalRedis

SESSION_BYTES: Final = os.urandom(220)  # size of a session three screens deep
TTL: Final = 300
CIPHER: Final = Cipher(os.urandom(32))
CALLERS: Final = [f"+88017{number:08}" for number in range(600)]
WARM_SECONDS: Final = 2.0  # of load before the event
OUTAGE_SECONDS: Final = 6.0  # until the node returns, where no replica takes over
CALM_SECONDS: Final = 6.0  # of load after the end of the event
MOVED_CALLERS: Final = 60  # whose slots move


class Attempt(NamedTuple):
    """One load and save: when it began, how long it took, and whether the store answered."""

    began: float
    seconds: float
    answered: bool


@dataclass(slots=True)
class CallerGroup:
    """The attempts of the callers whose keys lie on the nodes of one kind."""

    attempts: list[Attempt] = field(default_factory=list)
    lost: int = 0  # sessions that were not found, or at an older version than the one confirmed

    def describe(self, since: float) -> str:
        """Cells of a table: attempts, failures, the latencies in ms, the last failure in s after `since`, lost sessions."""
        after = [one for one in self.attempts if one.began >= since]
        failures = [one for one in after if not one.answered]
        answered = sorted(one.seconds * 1000 for one in after if one.answered)
        last = f"{max(one.began + one.seconds for one in failures) - since:.1f}" if failures else "–"
        slowest_failure = f"{max(one.seconds for one in failures) * 1000:.0f}" if failures else "–"
        failure_median = f"{statistics.median(one.seconds for one in failures) * 1000:.1f}" if failures else "–"
        p99 = f"{answered[len(answered) * 99 // 100]:.0f} / {answered[-1]:.0f}" if answered else "–"
        return f"{len(after)} | {len(failures)} | {p99} | {failure_median} / {slowest_failure} | {last} | {self.lost}"


class SteadyLoad:
    """Loads and saves the sessions of callers at a fixed rate, each caller one pair at a time."""

    def __init__(self, sessions: SessionStore, pairs_per_second: float, group_of: Callable[[str], CallerGroup]) -> None:
        self._sessions = sessions
        self._pause = 1 / pairs_per_second
        self._group_of = group_of
        self._confirmed: dict[str, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy: set[str] = set()

    async def run(self, callers: list[str], until: asyncio.Event) -> None:
        """Ask until the event is set, then wait for what is under way."""
        began, number = time.monotonic(), 0
        while not until.is_set():
            caller = callers[number % len(callers)]
            if caller not in self._busy:
                self._busy.add(caller)
                task = asyncio.create_task(self._load_and_save(caller))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            number += 1
            await asyncio.sleep(max(0.0, began + number * self._pause - time.monotonic()))
        await asyncio.gather(*self._tasks)

    async def _load_and_save(self, caller: str) -> None:
        group, began, answered = self._group_of(caller), time.monotonic(), True
        try:
            stored = await self._sessions.load(caller)
            version = stored.version if stored else 0
            group.lost += version < self._confirmed.get(caller, 0)
            self._confirmed[caller] = version
            if await self._sessions.save(caller, SESSION_BYTES, expected_version=version, ttl=TTL):
                self._confirmed[caller] = version + 1
            else:
                group.lost += 1  # nobody else saves this session
        except StoreUnavailableError:
            answered = False
        group.attempts.append(Attempt(began, time.monotonic() - began, answered))
        self._busy.discard(caller)


Seconds: TypeAlias = float
"""On the monotonic clock."""


# A single server


async def restart(server: LocalRedis, _: FaultProxy) -> Seconds:
    """SIGKILL, and start again at once, empty."""
    server.kill()
    await asyncio.to_thread(server.start)
    return time.monotonic()


async def kill_for_a_while(server: LocalRedis, _: FaultProxy) -> Seconds:
    """SIGKILL, and start again later, empty."""
    server.kill()
    await asyncio.sleep(OUTAGE_SECONDS)
    await asyncio.to_thread(server.start)
    return time.monotonic()


async def pause(server: LocalRedis, _: FaultProxy) -> Seconds:
    """SIGSTOP, and SIGCONT later."""
    server.pause()
    await asyncio.sleep(OUTAGE_SECONDS)
    server.resume()
    return time.monotonic()


async def slow_down(_: LocalRedis, proxy: FaultProxy) -> Seconds:
    """Every answer takes half a second."""
    proxy.delay = 0.5
    await asyncio.sleep(OUTAGE_SECONDS)
    proxy.delay = 0.0
    return time.monotonic()


async def fill(server: LocalRedis, _: FaultProxy) -> Seconds:
    """Every write is refused."""
    with redis.Redis(port=server.port) as operator:
        operator.config_set("maxmemory", 1)
        await asyncio.sleep(OUTAGE_SECONDS)
        operator.config_set("maxmemory", 0)
    return time.monotonic()


# A cluster: events of the node that has the keys


async def kill_and_start(_: LocalCluster, node: ClusterServer, __: list[str]) -> Seconds:
    """SIGKILL a master without a replica; start it again later, empty."""
    node.kill()
    await asyncio.sleep(OUTAGE_SECONDS)
    await asyncio.to_thread(node.start)
    return time.monotonic()


async def kill(cluster: LocalCluster, node: ClusterServer, keys: list[str]) -> Seconds:
    """SIGKILL a master that has a replica; over when another node has its slots."""
    node.kill()
    await asyncio.to_thread(cluster.wait_until_owned_by_another, keys[0], node)
    return time.monotonic()


async def hang(_: LocalCluster, node: ClusterServer, __: list[str]) -> Seconds:
    """SIGSTOP a master without a replica for some seconds."""
    node.pause()
    await asyncio.sleep(OUTAGE_SECONDS)
    node.resume()
    return time.monotonic()


async def move_slots(cluster: LocalCluster, node: ClusterServer, keys: list[str]) -> Seconds:
    """Move slots to another master, key by key, under load."""
    target = next(one for one in cluster.masters if one is not node)

    def move(key: str) -> None:
        with cluster.migrate(key, target):
            time.sleep(0.02)

    for key in {key_slot(key.encode()): key for key in keys[:MOVED_CALLERS]}.values():
        await asyncio.to_thread(move, key)
    return time.monotonic()


SERVER_EVENTS: Final[dict[str, Callable[[LocalRedis, FaultProxy], Awaitable[Seconds]]]] = {
    "restarted": restart,
    "down": kill_for_a_while,
    "hangs": pause,
    "slow, 500 ms": slow_down,
    "full": fill,
}
CLUSTER_EVENTS: Final[dict[str, tuple[Callable[[LocalCluster, ClusterServer, list[str]], Awaitable[Seconds]], int]]] = {
    "a master killed, no replica": (kill_and_start, 0),
    "a master killed, replica takes over": (kill, 3),
    "a master hangs, no replica": (hang, 0),
    "slots move": (move_slots, 0),
}
"""The event, and the number of replicas in the cluster."""


class Measured(NamedTuple):
    """When an event began, how many seconds it took, and what each group of callers noticed."""

    began: Seconds
    took: float
    groups: dict[str, CallerGroup]


async def measure_server(
    server: LocalRedis, event: Callable[[LocalRedis, FaultProxy], Awaitable[Seconds]], rate: float, deadline: float
) -> Measured:
    """Measure an event of a single server, over a proxy that can delay it."""
    group = CallerGroup()
    async with FaultProxy(server.port).listen() as proxy:
        url = f"redis://127.0.0.1:{proxy.port}/0"
        async with open_session_store(url, CIPHER, deadline=deadline) as opened:
            load = SteadyLoad(opened.sessions, rate, lambda _: group)
            began, over = await run_during(load, lambda: event(server, proxy))
    return Measured(began, over - began, {"all": group})


async def measure_cluster(
    cluster: LocalCluster,
    event: Callable[[LocalCluster, ClusterServer, list[str]], Awaitable[Seconds]],
    rate: float,
    deadline: float,
) -> Measured:
    """Measure an event of the first master of a cluster."""
    node = cluster.masters[0]
    keys = {caller: f"ek:s:{{{CIPHER.keyed_hash('session', caller)}}}" for caller in CALLERS}
    owners = await asyncio.to_thread(cluster.find_owners, list(keys.values()))
    affected = frozenset(caller for caller, owner in zip(CALLERS, owners, strict=True) if owner is node)
    its_callers, others = CallerGroup(), CallerGroup()
    async with open_session_store(cluster.url, CIPHER, cluster=True, deadline=deadline) as opened:
        load = SteadyLoad(opened.sessions, rate, lambda caller: its_callers if caller in affected else others)
        began, over = await run_during(load, lambda: event(cluster, node, [keys[caller] for caller in affected]))
    return Measured(began, over - began, {"this node": its_callers, "other nodes": others})


async def run_during(load: SteadyLoad, event: Callable[[], Awaitable[Seconds]]) -> tuple[Seconds, Seconds]:
    """Run the event under load; when it began and when it was over."""
    ended = asyncio.Event()
    task = asyncio.create_task(load.run(CALLERS, ended))
    await asyncio.sleep(WARM_SECONDS)
    began = time.monotonic()
    over = await event()
    await asyncio.sleep(CALM_SECONDS)
    ended.set()
    await task
    return began, over


def main() -> None:
    """Measure each event on servers of its own, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=300.0, help="pairs of load and save a second")
    parser.add_argument("--deadline", type=float, default=1.0, help="of the store, in seconds")
    parser.add_argument("--only", choices=["server", "cluster"])
    asked = parser.parse_args()
    print(
        "| event (s) | callers of | pairs | failed | answered, p99 / max (ms) | failed, median / max (ms) "
        "| last failure (s) | sessions lost |\n|---|---|---:|---:|---:|---:|---:|---:|"
    )
    for name, server_event in SERVER_EVENTS.items() if asked.only != "cluster" else ():
        with LocalRedis() as server:
            show(name, uvloop.run(measure_server(server, server_event, asked.rate, asked.deadline)))
    for name, (cluster_event, replicas) in CLUSTER_EVENTS.items() if asked.only != "server" else ():
        with LocalCluster(masters=3, replicas=replicas) as cluster:
            show(name, uvloop.run(measure_cluster(cluster, cluster_event, asked.rate, asked.deadline)))


def show(name: str, measured: Measured) -> None:
    """Print a row for each group."""
    for who, group in measured.groups.items():
        print(f"| {name} ({measured.took:.1f}) | {who} | {group.describe(measured.began)} |", flush=True)


if __name__ == "__main__":
    main()
