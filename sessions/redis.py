"""Sessions in Redis: whatever is asked in one turn of the event loop is one write and one read on one connection.

A caller's session is `ek:s:{keyed hash of the number}`, holding four octets of version and then the sealed session; a
provider's session id is `ek:c:{keyed hash of the id}`, holding a keyed hash of who claimed it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

import structlog
from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster

from sealing import Seal, SealBroken
from sessions import store
from sessions.line import Clustered, Line
from sessions.store import Begun, Kept, Sessions
from sessions.wants import STAMP, Apart, Trips, Want, claims, drops, reads, writes

log = structlog.get_logger()

CONNECTIONS: Final = 16  # at most, for those who use the plain client
KEYS: Final = 1024  # more than there are hops in flight
CLAIMS: Final[tuple[store.Claim, ...]] = ("new", "ours", "another")  # as the script counts them

Client: TypeAlias = Redis | RedisCluster


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
    async with way(url, deadline) as (want, client):
        yield Opened(RedisSessions(want, seal), client)


class RedisSessions:
    """Keeps what `sessions.store.Sessions` promises, given a way to ask for what it wants."""

    def __init__(self, want: Want, seal: Seal) -> None:
        self._want = want
        self._seal = seal
        self._key = lru_cache(KEYS)(self._named)  # a hop wants it twice

    async def load(self, caller: str) -> Kept | None:
        """What is remembered; None where there is nothing, or nothing that can be read any more."""
        key = self._key(caller)
        stored = await self._want(reads, key)
        kept = None if stored is None else self._unsealed(key, stored)
        if kept is None and stored is not None:
            await self._forget(key)
        return kept

    async def begin(self, caller: str, session: str, ttl: int) -> Begun:
        """Load, and claim the session id for this caller until `ttl` from now unless another number has it."""
        key, owner = self._key(caller), self._seal.name("owner", f"{caller} {session}")
        read = self._want(reads, key)  # with the session in the owner's name, no claim fits another session
        claim = self._want(claims, f"ek:c:{{{self._seal.name('claim', session)}}}", owner, ttl)
        stored, claimed = await read, CLAIMS[await claim]
        kept = None if stored is None else self._unsealed(key, stored)
        if kept is None and stored is not None:
            await self._forget(key)
        return Begun(kept, claimed)

    async def save(self, caller: str, data: bytes, *, read: int, ttl: int) -> bool:
        """Write version `read` + 1 if version `read` is stored (0: nothing is); False when somebody was faster."""
        key, version = self._key(caller), read + 1
        new = version.to_bytes(STAMP, "big") + self._seal.close(data, f"{key} {version}")
        return bool(await self._want(writes, key, read.to_bytes(STAMP, "big") if read else b"", new, ttl))

    async def forget(self, caller: str) -> None:
        """Remember nothing more for this caller. A session id stays claimed for its time."""
        await self._want(drops, self._key(caller))

    async def ping(self) -> None:
        """Return when the store answers, for readiness."""
        await self._want(reads, "ek:nobody")

    def _unsealed(self, key: str, stored: bytes) -> Kept | None:
        version = int.from_bytes(stored[:STAMP], "big")
        try:
            return Kept(version, self._seal.open(stored[STAMP:], f"{key} {version}"))
        except SealBroken as broken:
            log.warning("session unreadable, forgotten", reason=str(broken))
            return None

    async def _forget(self, key: str) -> None:
        await self._want(drops, key)  # or no save could name its version for as long as it lives

    def _named(self, caller: str) -> str:
        return f"ek:s:{{{self._seal.name('session', caller)}}}"


@asynccontextmanager
async def _on_one_server(url: str, deadline: float) -> AsyncIterator[tuple[Want, Client]]:
    client = _embedded() if url == "memory://" else _at(url, deadline)
    line = Line(client.connection_pool.make_connection(), deadline)  # type: ignore[no-untyped-call]
    try:
        yield Trips(line.trip), client
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
async def _in_a_cluster(url: str, deadline: float) -> AsyncIterator[tuple[Want, Client]]:
    client = RedisCluster.from_url(url, socket_timeout=deadline, socket_connect_timeout=deadline)
    try:
        yield Apart(Clustered(client, deadline).trip), client
    finally:
        await client.aclose()
