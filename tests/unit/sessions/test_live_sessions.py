"""Sessions under way are counted over all processes."""

import pytest
from fakeredis import FakeAsyncRedis, FakeServer
from prometheus_client import CollectorRegistry
from redis.exceptions import ConnectionError as RedisConnectionError
from structlog.testing import capture_logs

from sessions import live_sessions
from sessions.live_sessions import LiveSessions


def keyed_hash(purpose: str, value: str) -> str:
    return f"hash of {purpose} {value}"


class Process:
    """One process that counts."""

    def __init__(self, redis: FakeAsyncRedis) -> None:
        self.registry = CollectorRegistry()
        self.live = LiveSessions(self.registry, redis, keyed_hash)
        self.live.open("ussd")

    async def count(self) -> float | None:
        """What it shows after it has written."""
        await self.live.write()
        return self.registry.get_sample_value("ekdial_live_sessions", {"channel": "ussd"})


@pytest.fixture
async def redis() -> FakeAsyncRedis:
    return FakeAsyncRedis(server=FakeServer())


async def test_a_session_that_two_processes_serve_counts_once(redis: FakeAsyncRedis) -> None:
    one, other = Process(redis), Process(redis)
    one.live.note("ussd", "a", ended=False)
    one.live.note("ussd", "b", ended=False)
    assert await one.count() == 2
    other.live.note("ussd", "a", ended=False)
    other.live.note("ussd", "c", ended=False)
    assert (await other.count(), await one.count()) == (3, 3)


async def test_a_session_that_ended_or_is_silent_counts_no_longer(
    redis: FakeAsyncRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = Process(redis)
    for session in ("a", "b"):
        process.live.note("ussd", session, ended=False)
    process.live.note("ussd", "b", ended=True)
    assert await process.count() == 1
    monkeypatch.setattr(live_sessions, "LIVE_FOR", 0)
    assert await process.count() == 0


async def test_redis_has_no_session_id(redis: FakeAsyncRedis) -> None:
    process = Process(redis)
    process.live.note("ussd", "a", ended=False)
    await process.count()
    assert await redis.zrange("ekdial:live:ussd", 0, -1) == [b"hash of live session a"]


async def test_without_redis_the_count_is_not_shown(redis: FakeAsyncRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    process = Process(redis)
    assert await process.count() == 0

    async def fail(*_: object) -> None:
        raise RedisConnectionError

    with monkeypatch.context() as patch, capture_logs() as logs:
        patch.setattr(redis, "eval", fail)
        assert [await process.count(), await process.count()] == [None, None]
    assert [line["event"] for line in logs] == ["live_sessions_unknown"], "one line for an outage"
    assert await process.count() == 0


def test_the_memory_of_one_batch_is_bounded(redis: FakeAsyncRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_sessions, "MAX_PENDING", 3)
    process = Process(redis)
    for session in range(10):
        process.live.note("ussd", str(session), ended=False)
    assert len(process.live._pending["ussd"]) == 3
