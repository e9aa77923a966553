"""Sessions in Redis: whatever is asked in one turn of the event loop is one write and one read on one connection.

A caller's session is `ek:s:{keyed hash of the number}`, holding four octets of version and then the sealed session; a
provider's session id is `ek:c:{keyed hash of the id}`, holding a keyed hash of who claimed it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Final, TypeAlias

import structlog
from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster

from sealing import Seal, SealBroken
from sessions import store
from sessions.line import Clustered, Line
from sessions.store import Begun, Kept, Sessions
from sessions.wants import STAMP, Ask, Claim, Drop, Read, Write, in_one_trip
from together import Together

log = structlog.get_logger()

CONNECTIONS: Final = 16  # at most, for those who use the plain client
KEYS: Final = 1024  # more than there are hops in flight
CLAIMS: Final[tuple[store.Claim, ...]] = ("new", "ours", "another")  # as the script counts them

Client: TypeAlias = Redis | RedisCluster
Asked: TypeAlias = Callable[[Ask], Awaitable[list[Any]]]


@dataclass(frozen=True, slots=True)
class Opened:
    """Sessions, and a plain client on the same server for whatever else may be lost: codes, rate limits.

    The client raises redis-py's own errors. For a connection, and for each reply, it waits one deadline at most.
    """

    sessions: Sessions
    client: Client


@asynccontextmanager
async def open_sessions(url: str, seal: Seal, *, cluster: bool = False, deadline: float = 1.0) -> AsyncIterator[Opened]:
    """Sessions at `redis://`, `rediss://`, `unix://`, or in this process at `memory://`; `deadline` in seconds a trip.

    It opens whether or not the server can be reached, and uses it again when it is back. With `cluster` each want is
    a command of its own through redis-py's cluster client, for its keys live on many servers: right, but not quick.
    """
    way = _in_a_cluster if cluster else _on_one_server
    async with way(url, deadline) as (ask, client):
        yield Opened(RedisSessions(ask, seal), client)


class RedisSessions:
    """Keeps what `sessions.store.Sessions` promises, given a way to ask for what it wants."""

    def __init__(self, ask: Asked, seal: Seal) -> None:
        self._ask = ask
        self._seal = seal
        self._key = lru_cache(KEYS)(self._named)  # a hop wants it twice

    async def load(self, caller: str) -> Kept | None:
        """What is remembered; None where there is nothing, or nothing that can be read any more."""
        key = self._key(caller)
        (stored,) = await self._ask((Read(key),))
        return await self._unsealed(key, stored)

    async def begin(self, caller: str, session: str, ttl: int) -> Begun:
        """Load, and claim the session id for this caller until `ttl` from now unless another number has it."""
        key = self._key(caller)
        stored, claimed = await self._ask((Read(key), self._claim(caller, session, ttl)))
        return Begun(await self._unsealed(key, stored), CLAIMS[claimed])

    async def save(self, caller: str, data: bytes, *, read: int, ttl: int) -> bool:
        """Write version `read` + 1 if version `read` is stored (0: nothing is); False when somebody was faster."""
        key = self._key(caller)
        new = _stamp(read + 1) + self._seal.close(data, _about(key, read + 1))
        (written,) = await self._ask((Write(key, _stamp(read), new, ttl),))
        return bool(written)

    async def forget(self, caller: str) -> None:
        """Remember nothing more for this caller. A session id stays claimed for its time."""
        await self._ask((Drop(self._key(caller)),))

    async def ping(self) -> None:
        """Return when the store answers, for readiness."""
        await self._ask((Read("ek:nobody"),))

    async def _unsealed(self, key: str, stored: bytes | None) -> Kept | None:
        if stored is None:
            return None
        version = int.from_bytes(stored[:STAMP], "big")
        try:
            return Kept(version, self._seal.open(stored[STAMP:], _about(key, version)))
        except SealBroken as broken:
            log.warning("session unreadable, forgotten", reason=str(broken))
            await self._ask((Drop(key),))  # or no save could name its version for as long as it lives
            return None

    def _named(self, caller: str) -> str:
        return f"ek:s:{{{self._seal.name('session', caller)}}}"

    def _claim(self, caller: str, session: str, ttl: int) -> Claim:
        owner = self._seal.name("owner", f"{caller} {session}")  # with the session, so that no claim fits another
        return Claim(f"ek:c:{{{self._seal.name('claim', session)}}}", owner, ttl)


def _stamp(version: int) -> bytes:
    return version.to_bytes(STAMP, "big") if version else b""


def _about(key: str, version: int) -> str:
    return f"{key} {version}"


@asynccontextmanager
async def _on_one_server(url: str, deadline: float) -> AsyncIterator[tuple[Asked, Client]]:
    client = _embedded() if url == "memory://" else _at(url, deadline)
    line = Line(client.connection_pool.make_connection(), deadline)  # type: ignore[no-untyped-call]
    try:
        yield Together(partial(in_one_trip, trip=line.trip)), client
    finally:
        await line.hang_up()
        await client.aclose()


def _embedded() -> Redis:
    from fakeredis import FakeAsyncRedis, FakeServer

    client: Redis = FakeAsyncRedis(server=FakeServer())
    return client


def _at(url: str, deadline: float) -> Redis:
    times = {"timeout": deadline, "socket_timeout": deadline, "socket_connect_timeout": deadline}
    return Redis.from_pool(BlockingConnectionPool.from_url(url, max_connections=CONNECTIONS, **times))


@asynccontextmanager
async def _in_a_cluster(url: str, deadline: float) -> AsyncIterator[tuple[Asked, Client]]:
    client = RedisCluster.from_url(url, socket_timeout=deadline, socket_connect_timeout=deadline)
    trip = Clustered(client, deadline).trip

    async def ask(wants: Ask) -> list[Any]:
        apart = await asyncio.gather(*(in_one_trip([(want,)], trip) for want in wants))
        return [reply for ((reply,),) in apart]

    try:
        yield ask, client
    finally:
        await client.aclose()
