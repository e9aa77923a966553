"""What a session's load and save cost in CPU, for each way of asking Redis; `python -m bench.store --help`."""

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

from sealing import Seal
from sessions.line import Line
from sessions.redis import open_sessions
from sessions.wants import STAMP, WRITE, Command, Kind, Trip, Trips, Want, reads, writes
from tests.servers import real_redis
from together import Together

SESSION = os.urandom(220)  # octets of a session three screens deep
TTL = 300
SEAL = Seal(os.urandom(32))


class Pair(Protocol):
    """One caller's load and versioned save."""

    async def __call__(self, caller: str) -> None:
        """Both, one after the other; every answer is checked."""


class Way(NamedTuple):
    """A way of asking, by its name."""

    name: str
    open: Callable[[str], AbstractAsyncContextManager[Pair]]


class Round(NamedTuple):
    """What one way did in one round."""

    pairs_a_second: float
    microseconds: float  # of this process' CPU for each pair


def pair_of(want: Want) -> Pair:
    """Load and save by wants, unsealed."""

    async def pair(caller: str) -> None:
        stored = await want(reads, caller)
        read = stored[:STAMP] if stored else b""
        new = (int.from_bytes(read, "big") + 1).to_bytes(STAMP, "big") + SESSION
        assert await want(writes, caller, read, new, TTL) == 1

    return pair


def one_each(together: Together[Command, Any]) -> Want:
    """Each want a command of its own, brought with those of everybody who wants something in the same turn."""

    async def want(kind: Kind, key: str, *rest: Any) -> Any:
        return (await together(kind([key], rest)))[0]

    return want


def piped(client: Redis) -> Trip:
    """A trip as redis-py's pipeline makes it."""

    async def trip(commands: Sequence[Command]) -> list[Any]:
        pipeline = client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        return await pipeline.execute()

    return trip


@asynccontextmanager
async def a_client(url: str) -> AsyncIterator[Redis]:
    """redis-py as it is, with the scripts known to the server."""
    async with Redis.from_pool(BlockingConnectionPool.from_url(url, max_connections=64)) as client:
        await client.script_load(WRITE)
        yield client


@asynccontextmanager
async def plain(url: str) -> AsyncIterator[Pair]:
    """redis-py, each command a trip."""
    async with a_client(url) as client:

        async def want(kind: Kind, key: str, *rest: Any) -> Any:
            return (await client.execute_command(*kind([key], rest)))[0]

        yield pair_of(want)


@asynccontextmanager
async def pipelined(url: str) -> AsyncIterator[Pair]:
    """redis-py, the commands of one turn in one pipeline."""
    async with a_client(url) as client:
        yield pair_of(one_each(Together(piped(client))))


@asynccontextmanager
async def merged(url: str) -> AsyncIterator[Pair]:
    """redis-py, one command for each kind of want, in one pipeline."""
    async with a_client(url) as client:
        yield pair_of(Trips(piped(client)))


@asynccontextmanager
async def a_line(url: str) -> AsyncIterator[Trip]:
    """One connection of redis-py's, held."""
    async with a_client(url) as client:
        line = Line(client.connection_pool.make_connection(), deadline=1.0)
        try:
            yield line.trip
        finally:
            await line.hang_up()


@asynccontextmanager
async def on_a_line(url: str) -> AsyncIterator[Pair]:
    """A held connection, a command for each want."""
    async with a_line(url) as trip:
        yield pair_of(one_each(Together(trip)))


@asynccontextmanager
async def merged_on_a_line(url: str) -> AsyncIterator[Pair]:
    """A held connection, one command for each kind of want: what the store does, without the seal."""
    async with a_line(url) as trip:
        yield pair_of(Trips(trip))


@asynccontextmanager
async def the_store(url: str) -> AsyncIterator[Pair]:
    """The session store as a hop uses it: keyed names and sealed values as well."""
    async with open_sessions(url, SEAL) as opened:
        sessions = opened.sessions

        async def pair(caller: str) -> None:
            kept = await sessions.load(caller)
            assert await sessions.save(caller, SESSION, read=kept.version if kept else 0, ttl=TTL)

        yield pair


WAYS = (
    Way("redis-py, a trip for each command", plain),
    Way("redis-py, one pipeline a turn", pipelined),
    Way("redis-py, one pipeline a turn, merged", merged),
    Way("held connection, one write a turn", on_a_line),
    Way("held connection, one write a turn, merged", merged_on_a_line),
    Way("the session store (the same, sealed)", the_store),
)


async def one_round(pair: Pair, callers: int, seconds: float) -> Round:
    """So many callers at once, each with one pair after the other; their own waiting is part of every way's cost."""
    done = 0

    async def caller(number: str) -> None:
        nonlocal done
        while time.monotonic() < until:
            await pair(number)
            done += 1

    await pair("warm")
    began, used = time.monotonic(), time.process_time()
    until = began + seconds
    await asyncio.gather(*(caller(f"bench:{number}") for number in range(callers)))
    used, took = time.process_time() - used, time.monotonic() - began
    return Round(done / took, used / done * 1e6)


async def measure(url: str, rounds: int, seconds: float, callers: int) -> dict[str, list[Round]]:
    """Rounds in turn, way after way, so that a busy minute of the machine falls on all of them."""
    seen: dict[str, list[Round]] = {way.name: [] for way in WAYS}
    async with AsyncExitStack() as stack:
        pairs = [await stack.enter_async_context(way.open(url)) for way in WAYS]
        for _ in range(rounds):
            for way, pair in zip(WAYS, pairs, strict=True):
                seen[way.name].append(await one_round(pair, callers, seconds))
    return seen


def table(seen: dict[str, list[Round]]) -> str:
    """Medians, and how many times the first way's CPU each way saves."""
    rows = ["| way | pairs/s | CPU µs a pair | × less CPU |", "|---|---:|---:|---:|"]
    first = 0.0
    for name, rounds in seen.items():
        cost = statistics.median(one.microseconds for one in rounds)
        rate = statistics.median(one.pairs_a_second for one in rounds)
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
        print(f"{asked.callers} callers, {asked.rounds} rounds of {asked.seconds:g} s, medians; {server.described}\n")
        print(table(seen))


if __name__ == "__main__":
    main()
