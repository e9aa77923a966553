"""Fixtures that every folder of tests shares: the stores they run on, fresh for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import (
    PostgresServer,
    RedisServer,
    described_postgres,
    described_redis,
    find_chromium,
    new_database,
    real_postgres,
    real_redis,
)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """The real Redis of this run (of this worker, under pytest-xdist)."""
    with real_redis() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The real PostgreSQL of this run (of this worker, under pytest-xdist)."""
    with real_postgres() as server:
        yield server


@pytest.fixture(params=["fakeredis", "valkey"])
def redis_url(request: pytest.FixtureRequest) -> str:
    """Each in turn: the embedded store, and a real one emptied for this test."""
    if request.param == "fakeredis":
        return "memory://"
    server: RedisServer = request.getfixturevalue("redis_server")
    server.empty()
    return server.url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Each in turn: a new SQLite file, and a new database on a real PostgreSQL; without tables."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/ekdial.db"
        return
    with new_database(request.getfixturevalue("postgres_server")) as url:
        yield url


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say plainly which servers and which browser the run used."""
    browser = find_chromium() or "none found"
    used = f"Redis: {described_redis()} · PostgreSQL: {described_postgres()} · Chromium: {browser}"
    terminalreporter.write_line(used)
