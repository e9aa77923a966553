"""What happens to Redis and PostgreSQL."""

import time
from collections.abc import Callable, Mapping
from typing import Final

from chaos.event import Event
from chaos.stage import Stage

REDIS_LIMIT: Final = 1_000_000  # bytes; an empty Valkey needs nearly as many
SLOW: Final = 0.5  # seconds that each answer of Redis waits
FEW_CONNECTIONS: Final = 3  # of all gateways; each wants up to ten and more


def restart_redis(stage: Stage, seconds: float) -> None:
    """Restart Redis; everything in it is lost."""
    stage.redis.restart()
    time.sleep(seconds)


def empty_redis_each_second(stage: Stage, seconds: float) -> None:
    """Delete every key, once a second."""
    for _ in range(int(seconds)):
        stage.redis.empty()
        time.sleep(1)


def stop_redis(stage: Stage, seconds: float) -> None:
    """Kill Redis, and start it again, empty."""
    stage.redis.kill()
    time.sleep(seconds)
    stage.redis.start()


def pause_redis(stage: Stage, seconds: float) -> None:
    """Keep the connections of Redis open and answer none of them."""
    stage.redis.pause()
    time.sleep(seconds)
    stage.redis.resume()


def slow_redis(stage: Stage, seconds: float) -> None:
    """Hold back every answer of Redis."""
    if stage.redis_proxy is not None:
        stage.redis_proxy.delay = SLOW
        time.sleep(seconds)
        stage.redis_proxy.delay = 0.0


def fill_redis(stage: Stage, seconds: float) -> None:
    """Let Redis refuse to store more."""
    stage.redis.limit_memory(REDIS_LIMIT)
    time.sleep(seconds)
    stage.redis.limit_memory(0)


def restart_postgres(stage: Stage, seconds: float) -> None:
    """Restart PostgreSQL; all connections end."""
    stage.postgres.stop()
    stage.postgres.start()
    time.sleep(seconds)


def crash_postgres(stage: Stage, seconds: float) -> None:
    """Kill every process of PostgreSQL; it recovers from its log when it starts."""
    stage.postgres.kill()
    stage.postgres.start()
    time.sleep(seconds)


def stop_postgres(stage: Stage, seconds: float) -> None:
    """Stop PostgreSQL for a while."""
    stage.postgres.stop()
    time.sleep(seconds)
    stage.postgres.start()


def pause_postgres(stage: Stage, seconds: float) -> None:
    """Keep the connections of PostgreSQL open and answer none of them."""
    stage.postgres.pause()
    time.sleep(seconds)
    stage.postgres.resume()


def limit_connections(stage: Stage, seconds: float) -> None:
    """End all connections, and admit a few."""
    stage.postgres.limit_connections(FEW_CONNECTIONS)
    time.sleep(seconds)
    stage.postgres.limit_connections(-1)


def make_read_only(stage: Stage, seconds: float) -> None:
    """Refuse every write, as a standby does."""
    stage.postgres.set_read_only(True)
    time.sleep(seconds)
    stage.postgres.set_read_only(False)


def fill_disk(stage: Stage, seconds: float) -> None:
    """Answer every write as PostgreSQL does when its disk is full."""
    stage.postgres.fill_disk(stage.database)
    time.sleep(seconds)
    stage.postgres.free_disk(stage.database)


REDIS_PROMISE: Final = (
    "callers whose provider echoes metadata or sends the whole path see the right next screen, others a clear END; "
    "normal within 5 s, without a restart"
)
POSTGRES_PROMISE: Final = (
    "what needs no record goes on; what does is refused in words, at once, never half-written; the outbox drains after"
)


def _redis_event(title: str, act: Callable[[Stage, float], None], seconds: float = 6.0, *, slow: bool = False) -> Event:
    return Event(title=title, promise=REDIS_PROMISE, act=act, seconds=seconds, slow_redis=slow)


def _postgres_event(title: str, act: Callable[[Stage, float], None], seconds: float = 6.0) -> Event:
    return Event(title=title, promise=POSTGRES_PROMISE, act=act, seconds=seconds, hides_language=True)


STORE_EVENTS: Final[Mapping[str, Event]] = {
    "redis-restarted": _redis_event("Redis restarted, empty", restart_redis, 2.0),
    "redis-emptied": _redis_event("Redis emptied each second", empty_redis_each_second),
    "redis-down": _redis_event("Redis down", stop_redis, 15.0),
    "redis-hanging": _redis_event("Redis hanging", pause_redis, 10.0),
    "redis-full": _redis_event("Redis full (noeviction)", fill_redis),
    "postgres-restarted": _postgres_event("PostgreSQL restarted", restart_postgres, 2.0),
    "postgres-crashed": _postgres_event("PostgreSQL killed, recovers from its log", crash_postgres, 2.0),
    "postgres-down": _postgres_event("PostgreSQL down", stop_postgres, 15.0),
    "postgres-hanging": _postgres_event("PostgreSQL hanging", pause_postgres, 10.0),
    "postgres-few-connections": _postgres_event("PostgreSQL out of connections", limit_connections),
    "postgres-read-only": _postgres_event("PostgreSQL read-only", make_read_only),
    "postgres-disk-full": _postgres_event("PostgreSQL's disk full (simulated: writes fail with 53100)", fill_disk),
    "redis-slow": _redis_event("Redis slow (500 ms)", slow_redis, slow=True),
}
