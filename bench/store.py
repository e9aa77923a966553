"""Processor time of loading and saving a session, for each way to send commands to Redis. `python -m bench.store --help`."""

import argparse
import asyncio
import os
import statistics
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, NamedTuple, Protocol

import uvloop
from redis.asyncio import BlockingConnectionPool, Redis

from core.batching import Batcher
from core.crypto import Cipher
from sessions.redis_batching import (
    COMPARE_AND_SET_SCRIPT,
    VERSION_BYTES,
    BatchingExecutor,
    Command,
    CommandBuilder,
    Executor,
    SendCommands,
    compare_and_set,
    get_values,
)
from sessions.redis_connection import RedisConnection
from sessions.redis_store import open_session_store
from tests.support.servers import real_redis

SESSION_BYTES = os.urandom(220)  # size of a session three screens deep
TTL = 300
CIPHER = Cipher(os.urandom(32))


class LoadAndSave(Protocol):
    """Loads and saves the session of a caller."""

    async def __call__(self, caller: str) -> None:
        """Load, then save the next version, and check both results."""


class RedisMethod(NamedTuple):
    """A way to send commands, with its name."""

    name: str
    open: Callable[[str], AbstractAsyncContextManager[LoadAndSave]]


class Round(NamedTuple):
    """The result of one way in one round."""

    pairs_per_second: float
    cpu_microseconds: float  # of this process, for each load and save


def build_load_and_save(execute: Executor) -> LoadAndSave:
    """Return a load and save that runs on the executor, without encryption."""

    async def pair(caller: str) -> None:
        stored = await execute(get_values, caller)
        read = stored[:VERSION_BYTES] if stored else b""
        new = (int.from_bytes(read, "big") + 1).to_bytes(VERSION_BYTES, "big") + SESSION_BYTES
        assert await execute(compare_and_set, caller, read, new, TTL) == 1

    return pair


def execute_individually(batcher: Batcher[Command, Any]) -> Executor:
    """Return an executor with one command for each call, batched with the other calls of the same loop iteration."""

    async def want(kind: CommandBuilder, key: str, *rest: Any) -> Any:
        return (await batcher(kind([key], rest)))[0]

    return want


def pipeline_executor(client: Redis) -> SendCommands:
    """Return a function that sends commands in a pipeline of redis-py."""

    async def trip(commands: Sequence[Command]) -> list[Any]:
        pipeline = client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        return await pipeline.execute()

    return trip


@asynccontextmanager
async def open_client(url: str) -> AsyncIterator[Redis]:
    """Open a redis-py client whose server knows the scripts."""
    async with Redis.from_pool(BlockingConnectionPool.from_url(url, max_connections=64)) as client:
        await client.script_load(COMPARE_AND_SET_SCRIPT)
        yield client


@asynccontextmanager
async def open_plain(url: str) -> AsyncIterator[LoadAndSave]:
    """redis-py, one round trip for each command."""
    async with open_client(url) as client:

        async def want(kind: CommandBuilder, key: str, *rest: Any) -> Any:
            return (await client.execute_command(*kind([key], rest)))[0]

        yield build_load_and_save(want)


@asynccontextmanager
async def open_pipelined(url: str) -> AsyncIterator[LoadAndSave]:
    """redis-py, the commands of one loop iteration in one pipeline."""
    async with open_client(url) as client:
        yield build_load_and_save(execute_individually(Batcher(pipeline_executor(client))))


@asynccontextmanager
async def open_merged(url: str) -> AsyncIterator[LoadAndSave]:
    """redis-py, the calls of one loop iteration merged into one command of each kind, in one pipeline."""
    async with open_client(url) as client:
        yield build_load_and_save(BatchingExecutor(pipeline_executor(client)))


@asynccontextmanager
async def open_connection(url: str) -> AsyncIterator[SendCommands]:
    """Hold one connection of redis-py."""
    async with open_client(url) as client:
        line = RedisConnection(client.connection_pool.make_connection(), deadline=1.0)
        try:
            yield line.execute
        finally:
            await line.close()


@asynccontextmanager
async def open_on_connection(url: str) -> AsyncIterator[LoadAndSave]:
    """One held connection, one command for each call."""
    async with open_connection(url) as trip:
        yield build_load_and_save(execute_individually(Batcher(trip)))


@asynccontextmanager
async def open_merged_on_connection(url: str) -> AsyncIterator[LoadAndSave]:
    """One held connection, merged commands: the session store without encryption."""
    async with open_connection(url) as trip:
        yield build_load_and_save(BatchingExecutor(trip))


@asynccontextmanager
async def open_store(url: str) -> AsyncIterator[LoadAndSave]:
    """The session store of the gateway, with hashed keys and encrypted values."""
    async with open_session_store(url, CIPHER) as opened:
        sessions = opened.sessions

        async def pair(caller: str) -> None:
            kept = await sessions.load(caller)
            assert await sessions.save(caller, SESSION_BYTES, expected_version=kept.version if kept else 0, ttl=TTL)

        yield pair


METHODS = (
    RedisMethod("redis-py, one round trip a command", open_plain),
    RedisMethod("redis-py, one pipeline a loop iteration", open_pipelined),
    RedisMethod("redis-py, one pipeline a loop iteration, merged", open_merged),
    RedisMethod("held connection, one write a loop iteration", open_on_connection),
    RedisMethod("held connection, one write a loop iteration, merged", open_merged_on_connection),
    RedisMethod("the session store (the same, encrypted)", open_store),
)


async def run_round(load_and_save: LoadAndSave, caller_count: int, seconds: float) -> Round:
    """Let the callers load and save in a loop; the cost of the loop is part of every result."""
    done = 0

    async def caller(number: str) -> None:
        nonlocal done
        while time.monotonic() < until:
            await load_and_save(number)
            done += 1

    await load_and_save("warm")
    began, used = time.monotonic(), time.process_time()
    until = began + seconds
    await asyncio.gather(*(caller(f"bench:{number}") for number in range(caller_count)))
    used, took = time.process_time() - used, time.monotonic() - began
    return Round(done / took, used / done * 1e6)


async def measure(url: str, rounds: int, seconds: float, caller_count: int) -> dict[str, list[Round]]:
    """Return the rounds of each way, measured in turn, so that a busy minute of the machine affects all of them."""
    seen: dict[str, list[Round]] = {way.name: [] for way in METHODS}
    async with AsyncExitStack() as stack:
        pairs = [await stack.enter_async_context(way.open(url)) for way in METHODS]
        for _ in range(rounds):
            for way, pair in zip(METHODS, pairs, strict=True):
                seen[way.name].append(await run_round(pair, caller_count, seconds))
    return seen


def render_table(results: dict[str, list[Round]]) -> str:
    """Return a table of medians, and the processor time of the first way relative to each."""
    rows = ["| way | pairs/s | CPU µs a pair | × less CPU |", "|---|---:|---:|---:|"]
    first = 0.0
    for name, rounds in results.items():
        cost = statistics.median(one.cpu_microseconds for one in rounds)
        rate = statistics.median(one.pairs_per_second for one in rounds)
        first = first or cost
        rows.append(f"| {name} | {rate:,.0f} | {cost:.1f} | {first / cost:.1f} |")
    return "\n".join(rows)


def main() -> None:
    """Measure on the Redis of the tests, and print the table."""
    wanted = argparse.ArgumentParser(description=__doc__)
    wanted.add_argument("--rounds", type=int, default=3)
    wanted.add_argument("--seconds", type=float, default=2.0, help="of each way in each round")
    wanted.add_argument("--callers", type=int, default=64, help="at the same time")
    asked = wanted.parse_args()
    with real_redis() as server:
        seen = uvloop.run(measure(server.url, asked.rounds, asked.seconds, asked.callers))
        print(f"{asked.callers} callers, {asked.rounds} rounds of {asked.seconds:g} s, medians; {server.description}\n")
        print(render_table(seen))


if __name__ == "__main__":
    main()
