"""The session store in Redis.

The key of a session is `ek:s:{keyed hash of the number}`; its value is the version in four bytes, then the encrypted
session. The key of a claimed session id is `ek:c:{keyed hash of the id}`; its value is a keyed hash of the owner. The key
`ek:since` has the time at which it was written, in seconds since 1970; where it is missing, the server was emptied. A cluster
has one for each master, `ek:since:{number}`.
"""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias, cast

import structlog
from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode

from core.batching import Batcher
from core.crypto import Cipher, DecryptionError
from sessions import store
from sessions.redis_batching import (
    VERSION_BYTES,
    BatchingExecutor,
    Command,
    Executor,
    claim_keys,
    compare_and_set,
    delete_keys,
    get_values,
)
from sessions.redis_client import StoreClient, StoreClusterClient
from sessions.redis_cluster import ClusterExecutor
from sessions.redis_cluster_node import Address
from sessions.redis_connection import RedisConnection
from sessions.store import BeginResult, SessionStore, StoredSession, StoreUnavailableError

log = structlog.get_logger()

MAX_CONNECTIONS: Final = 16  # of the redis-py client
KEY_CACHE_SIZE: Final = 1024  # more than the requests in work
SINCE_KEY: Final = "ek:since"
SINCE_TTL: Final = 10 * 365 * 24 * 3600  # seconds
MOVED_TTL: Final = 600  # seconds; the next save gives a moved session the time of its channel
CLAIM_RESULTS: Final[tuple[store.Claim, ...]] = ("new", "ours", "another")  # by the number that the script returns

Client: TypeAlias = Redis | RedisCluster


@dataclass(frozen=True, slots=True)
class OpenStore:
    """The session store, and a redis-py client on the same server for other data that may be lost, such as rate limits.

    The client raises the errors of redis-py. It waits at most the deadline for a connection, and for each reply.
    """

    sessions: SessionStore
    client: Client


@asynccontextmanager
async def open_session_store(
    url: str, cipher: Cipher, *, cluster: bool = False, deadline: float = 1.0
) -> AsyncIterator[OpenStore]:
    """Open the store at `redis://`, `rediss://`, `unix://`, or in this process at `memory://`.

    `deadline` is the time for one batch of commands, in seconds. Opening succeeds while the server is down; the store works
    when the server is back. With `cluster`, commands are sent one by one, which is slower.
    """
    way = _connect_cluster if cluster else _connect_single_server
    async with way(url, deadline) as (want, client):
        yield OpenStore(RedisSessionStore(want, cipher, is_embedded=url == "memory://"), client)


class RedisSessionStore:
    """Implements SessionStore with the commands of `redis_batching`. Sessions are encrypted, keys are keyed hashes."""

    def __init__(self, executor: Executor, cipher: Cipher, *, is_embedded: bool = False) -> None:
        """An embedded store is emptied by nobody."""
        self._is_embedded = is_embedded
        self._gap_recorded_at = 0
        self._execute = executor
        self._cipher = cipher
        self._has_former_keys = len(cipher.key_ids) > 1
        self._session_key = lru_cache(KEY_CACHE_SIZE)(self._build_session_key)  # a request uses it twice

    async def load(self, caller: str) -> StoredSession | None:
        """The stored session; None where there is none, or where it cannot be decrypted. What cannot is deleted."""
        key = self._session_key(caller)
        found = await self._decrypt_or_delete(key, await self._execute(get_values, key))
        return found or await self._take_over(caller, MOVED_TTL)

    async def begin(self, caller: str, session_id: str, ttl: int) -> BeginResult:
        """Load the session, and claim the session id for this caller for `ttl` seconds unless another number has it."""
        # The owner includes the session id, so the claim of one session never fits another.
        key, owner = self._session_key(caller), self._cipher.keyed_hash("owner", f"{caller} {session_id}")
        claim_key = _name_claim(self._cipher.keyed_hash("claim", session_id))
        value = self._execute(get_values, key)
        claim = self._execute(claim_keys, claim_key, owner, ttl)  # in one batch with the load
        stored_value, claim_result = await value, CLAIM_RESULTS[await claim]
        found = await self._decrypt_or_delete(key, stored_value) or await self._take_over(caller, ttl)
        if claim_result == "new" and self._has_former_keys:
            claim_result = await self._find_former_claim(caller, session_id)
        return BeginResult(found, claim_result)

    async def save(self, caller: str, data: bytes, *, expected_version: int, ttl: int) -> bool:
        """Save version `expected_version` + 1 if `expected_version` is stored (0: nothing is); return whether it did."""
        key, version = self._session_key(caller), expected_version + 1
        expected = expected_version.to_bytes(VERSION_BYTES, "big") if expected_version else b""
        return bool(await self._execute(compare_and_set, key, expected, self._encrypt(key, version, data), ttl))

    async def forget(self, caller: str) -> None:
        """Delete the session of the caller. The claim of a session id stays until it expires."""
        await self._execute(delete_keys, self._session_key(caller))
        for former in self._cipher.former_hashes("session", caller):
            await self._execute(delete_keys, _name_session(former))

    async def ping(self) -> None:
        """Return when the store answers. Used by the readiness check."""
        await self._execute.ping()
        for key in self._execute.list_server_keys(SINCE_KEY):
            with suppress(StoreUnavailableError):  # of one node of a cluster; the others serve their callers
                await self._find_start(key)

    async def was_emptied_within(self, seconds: int, caller: str) -> bool:
        """Whether the caller's server may lack sessions of the last `seconds`, also where it was never used before."""
        key = self._execute.name_server_key(SINCE_KEY, self._session_key(caller))
        return not self._is_embedded and time.time() - await self._find_start(key) < seconds

    async def record_gap(self) -> None:
        """Tell all processes that sessions until now may be missing: the store did not answer one of them.

        At most once a second, as the key counts seconds: while a node of a cluster is down, every request of its callers is a gap.

        Raises:
            StoreUnavailableError: no server took it.
        """
        now = int(time.time())
        if now == self._gap_recorded_at:
            return
        recorded = [await self._restart_count(key) for key in self._execute.list_server_keys(SINCE_KEY)]
        if not any(recorded):
            raise StoreUnavailableError("no server of the session store took the gap")
        self._gap_recorded_at = now

    async def _restart_count(self, key: str) -> bool:
        """Let the server of this key have all sessions since now; whether it took that. Who finds it down knows of the gap."""
        with suppress(StoreUnavailableError):
            await self._execute(delete_keys, key)
            await self._find_start(key)
            return True
        return False

    async def _find_start(self, key: str) -> int:
        """Since when the server of this key has all sessions, in seconds since 1970."""
        since = await self._execute(get_values, key)
        if since is None:
            since = str(int(time.time())).encode()
            await self._execute(compare_and_set, key, b"", since, SINCE_TTL)
        return int(since)

    async def _take_over(self, caller: str, ttl: int) -> StoredSession | None:
        """The session that is stored under the name that a former key gave it, moved to today's name for `ttl` seconds."""
        if not self._has_former_keys:
            return None
        for former in map(_name_session, self._cipher.former_hashes("session", caller)):
            found = await self._decrypt_or_delete(former, await self._execute(get_values, former))
            if found is not None:
                key = self._session_key(caller)
                value = self._encrypt(key, found.version, found.data)
                await self._execute(compare_and_set, key, b"", value, ttl)
                await self._execute(delete_keys, former)
                return found
        return None

    async def _find_former_claim(self, caller: str, session_id: str) -> store.Claim:
        """Who claimed the session id while a former key was the current one."""
        claims = self._cipher.former_hashes("claim", session_id)
        owners = self._cipher.former_hashes("owner", f"{caller} {session_id}")
        for claim, owner in zip(claims, owners, strict=True):
            claimed_by = await self._execute(get_values, _name_claim(claim))
            if claimed_by is not None:
                return "ours" if claimed_by == owner.encode() else "another"
        return "new"

    def _encrypt(self, key: str, version: int, data: bytes) -> bytes:
        return version.to_bytes(VERSION_BYTES, "big") + self._cipher.encrypt(data, f"{key} {version}")

    async def _decrypt_or_delete(self, key: str, value: bytes | None) -> StoredSession | None:
        """The session in a stored value. A value that cannot be decrypted is deleted: no save could name its version."""
        if value is None:
            return None
        version = int.from_bytes(value[:VERSION_BYTES], "big")
        try:
            return StoredSession(version, self._cipher.decrypt(value[VERSION_BYTES:], f"{key} {version}"))
        except DecryptionError as error:
            log.warning("session_unreadable", reason=str(error))
            await self._execute(delete_keys, key)
            return None

    def _build_session_key(self, caller: str) -> str:
        return _name_session(self._cipher.keyed_hash("session", caller))


def _name_session(keyed_hash: str) -> str:
    return f"ek:s:{{{keyed_hash}}}"


def _name_claim(keyed_hash: str) -> str:
    return f"ek:c:{{{keyed_hash}}}"


@asynccontextmanager
async def _connect_single_server(url: str, deadline: float) -> AsyncIterator[tuple[Executor, Client]]:
    client = _build_embedded_client() if url == "memory://" else _build_client(url, deadline)
    pool: Any = client.connection_pool  # its methods have no types
    sessions = RedisConnection(pool.make_connection(), deadline)
    limits = RedisConnection(pool.make_connection(), deadline, server={"used_for": "limits"})
    batcher: Batcher[Command, Any] = Batcher(limits.execute_each)
    if isinstance(client, StoreClient):
        client.send = lambda _, command: batcher(command)
    try:
        yield BatchingExecutor(sessions.execute), client
    finally:
        await sessions.close()
        await limits.close()
        await client.aclose()


def _build_embedded_client() -> Redis:
    from fakeredis import FakeAsyncRedis, FakeServer

    client: Redis = FakeAsyncRedis(server=FakeServer())
    return client


def _build_client(url: str, deadline: float) -> Redis:
    timeouts = {"timeout": deadline, "socket_timeout": deadline, "socket_connect_timeout": deadline}
    return StoreClient.from_pool(BlockingConnectionPool.from_url(url, max_connections=MAX_CONNECTIONS, **timeouts))


@asynccontextmanager
async def _connect_cluster(url: str, deadline: float) -> AsyncIterator[tuple[Executor, Client]]:
    timeouts = {"socket_timeout": deadline, "socket_connect_timeout": deadline}
    client = cast("StoreClusterClient", StoreClusterClient.from_url(url, **timeouts))
    (seed,) = client.startup_nodes

    def connect(address: Address, build_probe: Callable[[], Command]) -> RedisConnection:
        host, port = address
        connection = ClusterNode(host, port, **client.connection_kwargs).acquire_connection()
        return RedisConnection(connection, deadline, build_probe=build_probe, server={"node": f"{host}:{port}"})

    try:
        async with ClusterExecutor(connect, (seed.host, int(seed.port))) as executor:
            client.send = executor.send
            yield executor, client
    finally:
        await client.aclose()
