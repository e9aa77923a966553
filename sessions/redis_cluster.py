"""Fast path: the commands of a Redis Cluster, each to the node of its key's slot.

redis-py's cluster client stops the commands for all nodes while it reads the map of slots, which it does for every error of
any node, and sends a command again that may have run. Here each node has a connection, batches and a state of its own, and
the map is read beside the commands. Connections, parser and checksum of keys are those of redis-py.
`python -m bench.store_faults` measures what callers notice when a node fails.
"""

import asyncio
import math
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from contextvars import Context
from typing import Any, Final, Self, TypeAlias

import structlog
from redis.cluster import parse_cluster_slots
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot
from redis.exceptions import AskError, ClusterDownError, MovedError, NoScriptError, ResponseError, TryAgainError

from sessions.redis_batching import Command, CommandBuilder, with_script_body
from sessions.redis_cluster_node import Address, ClusterNode, ClusterRequest, name_key_in_slot
from sessions.redis_connection import RedisConnection
from sessions.store import StoreUnavailableError

log = structlog.get_logger()

MAP_PAUSE: Final = 0.1  # seconds between two reads of the map at least
MAP_RETRY_PAUSE: Final = 0.25  # seconds between two reads while a node is down
MAP_INTERVAL: Final = 15.0  # seconds between two reads while all is well
NODES_ASKED_AT_ONCE: Final = 3  # for the map, so that one that hangs delays nothing
NO_MAP: Final = "no node has a map of the slots"
REFUSAL_MEMORY: Final = 10.0  # seconds without a refusal after which the log says that the cluster takes commands again
TRY_AGAIN_PAUSE: Final = 0.05  # seconds before a command is repeated whose keys are just being moved

Connect: TypeAlias = Callable[[Address, Callable[[], Command]], RedisConnection]
"""Makes a connection to a node, unopened; see ClusterNode."""
SlotRanges: TypeAlias = Mapping[tuple[int, int], Mapping[str, Any]]
"""First and last slot to `primary`, an address, and `replicas`, a list of addresses."""


class ClusterExecutor:
    """An Executor for a cluster. Use it in `async with`; opening succeeds while the cluster is down.

    `seed` is the address of any node. Other nodes are learnt from the map of slots, and asked for it from then on.
    """

    def __init__(self, connect: Connect, seed: Address) -> None:
        self._connect = connect
        self._seed = seed
        self._nodes: dict[Address, ClusterNode] = {}
        self._slots: list[ClusterNode | None] = [None] * REDIS_CLUSTER_HASH_SLOTS
        self._masters: frozenset[Address] = frozenset()
        self._replicas: frozenset[Address] = frozenset()
        self._waiting_for_map: list[ClusterRequest] | None = []
        """Requests before the first map; None afterwards."""
        self._is_map_old = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._refusal = ""  # the last CLUSTERDOWN
        self._refused_at = -math.inf  # on the clock of the loop
        self._last_error = ""  # of a node that was asked about the cluster
        self._is_logged_down = False

    async def __aenter__(self) -> Self:
        self._start(self._keep_map())
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, *(node.close() for node in self._nodes.values()), return_exceptions=True)
        for request in self._waiting_for_map or ():
            request.reject(StoreUnavailableError("the session store is closed"))

    def __call__(self, build_command: CommandBuilder, key: str, *arguments: Any) -> Awaitable[Any]:
        """Awaitable: the reply for `key`."""
        request = ClusterRequest(key_slot(key.encode()), build_command([key], arguments), is_single=True)
        self._dispatch(request)
        return request.future

    def send(self, key: str | bytes, command: Command) -> Awaitable[Any]:
        """Awaitable: the reply to any command whose keys are in the slot of `key`.

        It raises StoreUnavailableError, or the ResponseError of a command that is wrong.
        """
        request = ClusterRequest(key_slot(key.encode() if isinstance(key, str) else key), command)
        self._dispatch(request)
        return request.future

    def name_server_key(self, name: str, key: str) -> str:
        """A key that begins with `name` on the master of `key`, while its first slot is the same."""
        node = self._slots[key_slot(key.encode())]
        return name if node is None or node.first_slot is None else name_key_in_slot(name, node.first_slot)

    def list_server_keys(self, name: str) -> list[str]:
        """A key that begins with `name` on each master."""
        slots = [self._get_node(address).first_slot for address in self._masters]
        return [name_key_in_slot(name, slot) for slot in slots if slot is not None]

    async def ping(self) -> None:
        """Return when a master answers: with one, the gateway serves the callers of that master.

        Raises:
            StoreUnavailableError: no master answers.
        """
        masters = [self._get_node(address) for address in self._masters or {self._seed}]
        if await self._fetch_first_reply(masters, ("PING",)) is None:
            raise StoreUnavailableError("no master of the cluster answers")

    def _dispatch(self, request: ClusterRequest) -> None:
        node = self._slots[request.slot]
        if node is not None:
            node.send(request)
        elif self._waiting_for_map is not None:
            self._waiting_for_map.append(request)
        else:
            self._is_map_old.set()
            request.reject(StoreUnavailableError("no node of the cluster is known for this slot"))

    def _handle_refusal(self, request: ClusterRequest, error: ResponseError, refused_by: Address) -> None:
        """Send a refused command again where the refusal says that it has not run, and where to send it."""
        request.attempts_left -= 1
        if request.attempts_left and isinstance(error, MovedError):
            request.asks = False
            self._slots[error.slot_id] = node = self._get_node((error.host or refused_by[0], error.port))
            self._is_map_old.set()
            node.send(request)
        elif request.attempts_left and isinstance(error, AskError):
            request.asks = True
            self._get_node((error.host or refused_by[0], error.port)).send(request)
        elif request.attempts_left and isinstance(error, TryAgainError):
            request.asks = False
            asyncio.get_running_loop().call_later(TRY_AGAIN_PAUSE, self._dispatch, request)
        elif request.is_single and isinstance(error, NoScriptError):  # EVAL is not refused for this
            request.command = with_script_body(request.command)
            self._get_node(refused_by).send(request)
        else:
            self._give_up(request, error)

    def _give_up(self, request: ClusterRequest, error: ResponseError) -> None:
        is_unavailable = isinstance(error, AskError | TryAgainError | ClusterDownError)
        if isinstance(error, ClusterDownError):
            self._refusal, self._refused_at = f"CLUSTERDOWN {error}", asyncio.get_running_loop().time()
            self._is_map_old.set()
        if is_unavailable or request.is_single:
            request.reject(StoreUnavailableError(f"the session store failed: {error}"))
        else:
            request.reject(error)

    def _get_node(self, address: Address) -> ClusterNode:
        node = self._nodes.get(address)
        if node is None:
            node = self._nodes[address] = ClusterNode(
                address,
                lambda build_probe: self._connect(address, build_probe),
                on_refusal=self._handle_refusal,
                on_failure=self._is_map_old.set,
            )
        return node

    # The map of slots

    async def _keep_map(self) -> None:
        while True:
            self._is_map_old.clear()
            try:
                ranges = await self._read_map()
                self._apply_map(ranges or {})
            except Exception as error:  # noqa: BLE001 - the map is read again, whatever a node answered
                ranges, self._last_error = None, type(error).__name__
            is_refused = asyncio.get_running_loop().time() - self._refused_at < REFUSAL_MEMORY
            self._log_state_change((self._last_error or NO_MAP) if not ranges else self._refusal if is_refused else "")
            self._release_waiting()
            await asyncio.sleep(MAP_PAUSE)
            is_well = not self._is_logged_down and not any(self._nodes[address].is_down for address in self._masters)
            with suppress(TimeoutError):
                async with asyncio.timeout(MAP_INTERVAL if is_well else MAP_RETRY_PAUSE):
                    await self._is_map_old.wait()

    async def _read_map(self) -> SlotRanges | None:
        """The map of the first node that has one; None where none answers."""
        known = [self._seed, *self._replicas]
        random.shuffle(known)
        masters = sorted(self._masters)
        random.shuffle(masters)
        candidates = [self._get_node(address) for address in dict.fromkeys([*masters, *known])]
        candidates.sort(key=lambda node: node.is_down)
        for begin in range(0, len(candidates), NODES_ASKED_AT_ONCE):
            asked = candidates[begin : begin + NODES_ASKED_AT_ONCE]
            if found := await self._fetch_first_reply(asked, ("CLUSTER", "SLOTS")):
                node, reply = found
                ranges: SlotRanges = parse_cluster_slots(reply, current_host=node.address[0])
                return ranges
        return None

    async def _fetch_first_reply(
        self, nodes: Iterable[ClusterNode], command: Command
    ) -> tuple[ClusterNode, Any] | None:
        """The first reply that is not empty, and its node; None where no node has one. All nodes are asked at once."""
        tasks = [asyncio.create_task(self._fetch_reply(node, command)) for node in nodes]
        try:
            for first in asyncio.as_completed(tasks):
                node, reply = await first
                if reply:
                    return node, reply
        finally:
            for task in tasks:
                task.cancel()
        return None

    async def _fetch_reply(self, node: ClusterNode, command: Command) -> tuple[ClusterNode, Any]:
        request = ClusterRequest(0, command)
        node.send(request)
        try:
            return node, await request.future
        except (StoreUnavailableError, ResponseError) as error:
            self._last_error = str(error)
            return node, None

    def _apply_map(self, ranges: SlotRanges) -> None:
        """Use a new map. The last one stays in use while no node has one."""
        if not ranges:
            return
        if not self._masters:
            self._start(self._warn_of_full_coverage(self._get_node(next(iter(ranges.values()))["primary"])))
        slots: list[ClusterNode | None] = [None] * REDIS_CLUSTER_HASH_SLOTS
        for (first, last), servers in ranges.items():
            node = self._get_node(servers["primary"])
            node.first_slot = first
            slots[first : last + 1] = [node] * (last + 1 - first)
        self._slots = slots
        masters = frozenset(servers["primary"] for servers in ranges.values())
        self._replicas = frozenset(address for servers in ranges.values() for address in servers["replicas"])
        if masters != self._masters:
            log.info("redis_cluster_masters_changed", masters=[f"{host}:{port}" for host, port in sorted(masters)])
        self._masters = masters
        for address in self._nodes.keys() - masters - self._replicas - {self._seed}:
            self._start(self._nodes.pop(address).close_when_idle())

    def _release_waiting(self) -> None:
        waiting, self._waiting_for_map = self._waiting_for_map or [], None
        for request in waiting:
            self._dispatch(request)

    def _log_state_change(self, reason: str) -> None:
        """Log once that nodes refuse commands or that none can be reached, and once that this is over (no reason)."""
        if bool(reason) != self._is_logged_down:
            self._is_logged_down = bool(reason)
            log.warning(
                "redis_cluster_down" if reason else "redis_cluster_up", **({"reason": reason} if reason else {})
            )

    async def _warn_of_full_coverage(self, node: ClusterNode) -> None:
        """Log where one dead master would stop the whole cluster. Hosted clusters may hide the setting."""
        _, reply = await self._fetch_reply(node, ("CONFIG", "GET", "cluster-require-full-coverage"))
        if b"yes" in (reply.values() if isinstance(reply, dict) else reply or ()):
            log.warning("redis_cluster_requires_full_coverage", fix="cluster-require-full-coverage no")

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
