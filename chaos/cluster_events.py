"""What happens to a Redis Cluster."""

import time
from collections.abc import Mapping
from itertools import count
from typing import Final

from chaos.event import Act, Event
from chaos.stage import Stage
from chaos.store_events import REDIS_PROMISE
from tests.support.redis_cluster import ClusterServer


def fail_over_master(stage: Stage, seconds: float) -> None:
    """Kill a master that has a replica; the replica takes its slots. It comes back as a replica."""
    if stage.cluster is not None:
        _kill_and_start(stage.cluster.masters[0], seconds)


def kill_master(stage: Stage, seconds: float) -> None:
    """Kill a master without a replica, and start it again, empty."""
    if stage.cluster is not None:
        _kill_and_start(stage.cluster.masters[-1], seconds)


def _kill_and_start(node: ClusterServer, seconds: float) -> None:
    node.kill()
    time.sleep(seconds)
    node.start()


def pause_master(stage: Stage, seconds: float) -> None:
    """Keep the connections of a master without a replica open and answer none of them."""
    if stage.cluster is not None:
        victim = stage.cluster.masters[-1]
        victim.pause()
        time.sleep(seconds)
        victim.resume()


def move_slots(stage: Stage, seconds: float) -> None:
    """Move one slot after the other to another master."""
    if stage.cluster is not None:
        until, moved = time.monotonic() + seconds, 0
        for number in count():
            if time.monotonic() > until:
                break
            target = stage.cluster.masters[1]
            if stage.cluster.find_owner(str(number)) is not target:
                with stage.cluster.migrate(str(number), target):
                    moved += 1
        stage.notes.append(f"{moved} slots moved")


def _cluster_event(title: str, act: Act, seconds: float = 6.0) -> Event:
    return Event(title=title, promise=REDIS_PROMISE, act=act, seconds=seconds, store="cluster")


CLUSTER_EVENTS: Final[Mapping[str, Event]] = {
    "cluster-slots-moved": _cluster_event("Redis Cluster: slots move to another master", move_slots),
    "cluster-master-killed": _cluster_event("Redis Cluster: a master without a replica killed, and back", kill_master),
    "cluster-master-hanging": _cluster_event("Redis Cluster: a master without a replica hanging", pause_master),
    "cluster-failover": _cluster_event("Redis Cluster: a master killed, its replica takes over", fail_over_master),
}
