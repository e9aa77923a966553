"""Fixtures that every folder of tests shares: the stores they run on, fresh for each test, and a clock that stands."""

from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.pins import Pins
from services.records.database import Records
from sessions.redis import Client, open_sessions
from tests.desk import SEAL, Clock
from tests.migrated import empty, postgres_database, sqlite_file
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


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: PostgresServer) -> Iterator[str]:
    """The one database on that server that has the tables; every test leaves it empty."""
    with postgres_database(postgres_server) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Each in turn: a new SQLite file, and a database on a real PostgreSQL; with their tables, and nothing in them."""
    if request.param == "sqlite":
        yield sqlite_file(tmp_path / "ekdial.db")
        return
    url = request.getfixturevalue("migrated_postgres")
    yield url
    empty(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The same without tables."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/ekdial.db"
        return
    with new_database(request.getfixturevalue("postgres_server")) as url:
        yield url


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Client]:
    """A client on the store, as services are given one."""
    async with open_sessions(redis_url, SEAL) as opened:
        yield opened.client


@pytest.fixture
async def records(database_url: str) -> AsyncIterator[Records]:
    """What stands in it is read and written by these."""
    async with Records(database_url) as records:
        yield records


@pytest.fixture
def clock() -> Clock:
    """Noon in Dhaka, until it is moved."""
    return Clock(datetime(2026, 11, 21, 6, 0, tzinfo=UTC))


@pytest.fixture
def pins() -> Iterator[Pins]:
    """Who hashes PINs."""
    with closing(Pins(SEAL)) as pins:
        yield pins


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say plainly which servers and which browser the run used."""
    browser = find_chromium() or "none found"
    used = f"Redis: {described_redis()} · PostgreSQL: {described_postgres()} · Chromium: {browser}"
    terminalreporter.write_line(used)
