"""A real Redis Cluster of this run: Valkeys out of the wheel on free loopback ports, and what an operator does to them."""

import contextlib
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Final, Self

import redis
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot

from tests.support.servers import LocalRedis, wait_until_ready

NODE_TIMEOUT: Final = 1000  # ms until the others hold a silent node for dead
COMMAND_TIMEOUT: Final = 10.0  # seconds
COPY_TIMEOUT: Final = 5000  # ms for a key that moves


class ClusterServer(LocalRedis):
    """One node. It keeps its identity and its slots in its folder, so that it comes back as the one it was."""

    def __init__(self) -> None:
        super().__init__(cluster=True)
        self._operator = redis.Redis(port=self.port, socket_timeout=COMMAND_TIMEOUT)
        self._text_operator = redis.Redis(port=self.port, socket_timeout=COMMAND_TIMEOUT, decode_responses=True)

    def __exit__(self, *_: object) -> None:
        self._operator.close()
        self._text_operator.close()
        super().__exit__()

    def start(self) -> None:
        """Return once the server answers, whether or not it has slots."""
        self._start_process()

    @property
    def node_id(self) -> str:
        """The identity in the cluster."""
        return str(self.run("CLUSTER MYID"))

    def run(self, *command: str | int | bytes) -> object:
        """The reply to one command of an operator."""
        return self._text_operator.execute_command(*command)

    def run_on_bytes(self, *command: str | int | bytes) -> object:
        """The same, with strings as bytes."""
        return self._operator.execute_command(*command)

    def _command(self) -> list[str]:
        tolerant = ["--cluster-require-full-coverage", "no", "--cluster-replica-validity-factor", "0"]
        quick = ["--cluster-node-timeout", str(NODE_TIMEOUT), "--repl-diskless-sync-delay", "0"]
        return [*super()._command(), *tolerant, *quick]


class LocalCluster:
    """Masters that share the slots, the first `replicas` of them with a replica each. A node is up after the block starts."""

    def __init__(self, *, masters: int = 3, replicas: int = 0) -> None:
        self.masters = [ClusterServer() for _ in range(masters)]
        self.replicas = [ClusterServer() for _ in range(replicas)]
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for node in self.nodes:
                stack.enter_context(node)
            self._join()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def nodes(self) -> list[ClusterServer]:
        """Masters, then replicas, as they were when the cluster began."""
        return self.masters + self.replicas

    @property
    def url(self) -> str:
        """The URL of the last master."""
        return self.masters[-1].url

    def find_owner(self, key: str) -> ClusterServer:
        """The node that serves the key now, in the view of the first node that answers."""
        return self.find_owners([key])[0]

    def find_owners(self, keys: Sequence[str]) -> list[ClusterServer]:
        """The nodes that serve the keys now, in the same view."""
        ranges, nodes = self._ask_any("CLUSTER SLOTS"), {node.port: node for node in self.nodes}
        slots = (key_slot(key.encode()) for key in keys)
        return [nodes[next(master[1] for first, last, master, *_ in ranges if first <= slot <= last)] for slot in slots]

    def empty(self) -> None:
        """Delete all keys."""
        for node in self._running_masters():
            node.run("FLUSHALL")

    def wait_until_owned_by_another(self, key: str, former: ClusterServer) -> float:
        """Return when another node serves the key; the seconds that it took."""
        began = time.monotonic()
        wait_until_ready(lambda: self.find_owner(key) is not former, complaint=lambda: "no failover")
        return time.monotonic() - began

    def wait_until_replicated(self, key: str) -> None:
        """Return when the replica of the key's master has what was written there."""
        wait_until_ready(lambda: self.find_owner(key).run("WAIT", 1, 1000) == 1, complaint=lambda: "no replica")

    @contextlib.contextmanager
    def migrate(self, key: str, target: ClusterServer, *, keys: Sequence[str] = ()) -> Iterator[None]:
        """Move the slot of the key to `target`; in the block its keys, or the given ones, have moved, the slot has not."""
        slot, source = key_slot(key.encode()), self.find_owner(key)
        target.run("CLUSTER SETSLOT", slot, "IMPORTING", source.node_id)
        source.run("CLUSTER SETSLOT", slot, "MIGRATING", target.node_id)
        self._move_keys(slot, source, target, keys)
        yield
        self._move_keys(slot, source, target)
        for node in sorted(self._running_masters(), key=[target, source].__contains__, reverse=True):
            node.run("CLUSTER SETSLOT", slot, "NODE", target.node_id)

    def _running_masters(self) -> list[ClusterServer]:
        return [node for node in self.nodes if node.responds and "master" in str(node.run("ROLE"))]

    def _join(self) -> None:
        first, *others = self.nodes
        bounds = [REDIS_CLUSTER_HASH_SLOTS * number // len(self.masters) for number in range(len(self.masters) + 1)]
        for epoch, node in enumerate(self.nodes, 1):
            node.run("CLUSTER SET-CONFIG-EPOCH", epoch)
        for node, begin, end in zip(self.masters, bounds, bounds[1:], strict=False):
            node.run("CLUSTER ADDSLOTSRANGE", begin, end - 1)
        for node in others:
            node.run("CLUSTER MEET", "127.0.0.1", first.port, first.bus_port)
        for node in self.nodes:
            wait_until_ready(lambda node=node: self._knows_all(node), complaint=lambda: "the nodes do not meet")
        for master, replica in zip(self.masters, self.replicas, strict=False):
            replica.run("CLUSTER REPLICATE", master.node_id)
        for node in self.nodes:
            wait_until_ready(lambda node=node: self._is_complete(node), complaint=lambda: "the cluster is not complete")

    def _knows_all(self, node: ClusterServer) -> bool:
        known = str(node.run("CLUSTER NODES"))
        return "handshake" not in known and all(f":{other.port}" in known for other in self.nodes)

    def _is_complete(self, node: ClusterServer) -> bool:
        ranges = node.run_on_bytes("CLUSTER SLOTS")
        state = node.run("CLUSTER INFO")
        replicas = sum(len(one) - 3 for one in ranges)
        return state["cluster_state"] == "ok" and len(ranges) == len(self.masters) and replicas == len(self.replicas)

    def _move_keys(
        self, slot: int, source: ClusterServer, target: ClusterServer, some_keys: Sequence[str] = ()
    ) -> None:
        while keys := some_keys or source.run_on_bytes("CLUSTER GETKEYSINSLOT", slot, 100):
            source.run_on_bytes("MIGRATE", "127.0.0.1", target.port, "", 0, COPY_TIMEOUT, "KEYS", *keys)
            if some_keys:
                break

    def _ask_any(self, *command: str) -> object:
        for node in self.nodes:
            with contextlib.suppress(redis.ConnectionError, redis.TimeoutError):
                if node.responds:
                    return node.run_on_bytes(*command)
        raise RuntimeError("no node of the cluster answers")
