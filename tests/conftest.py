"""Fixtures of all tests: backends that are empty for each test, and a manual clock."""

import gc
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import hypothesis
import pytest
import structlog

from db.database import Database
from services.citizens.pins import SecretHasher
from sessions.redis_store import Client, open_session_store
from tests.support.cheap_hashes import PRODUCT_HASHES, hash_cheaply
from tests.support.compile_cache import compile_equal_statements_once
from tests.support.databases import delete_all_rows, migrated_postgres_url, migrated_sqlite_url
from tests.support.encryption import check_encrypted_contexts
from tests.support.networks import KAIOS, NETWORKS, SELECTED
from tests.support.selection import is_long, is_pure_backend, is_quick
from tests.support.servers import (
    PostgresServer,
    RedisServer,
    describe_postgres,
    describe_redis,
    find_chromium,
    new_database,
    real_postgres,
    real_redis,
)
from tests.support.services import CIPHER, ManualClock, ServiceSet
from tests.support.variant_count import count_variants

# No test depends on chance or on the speed of the machine. `make fuzz` is the place for new examples.
hypothesis.settings.register_profile("ekdial", deadline=None, derandomize=True)
hypothesis.settings.load_profile("ekdial")

TESTS_PER_FREEZE = 100
GARBAGE_THRESHOLDS = (5000, 20, 20)
"""New objects until a garbage collection, and collections until an older generation is collected too."""

compile_equal_statements_once()
hash_cheaply()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """The real Redis of this run (of this worker under pytest-xdist)."""
    with real_redis() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The real PostgreSQL of this run (of this worker under pytest-xdist)."""
    with real_postgres() as server:
        yield server


@pytest.fixture(params=["fakeredis", "valkey"])
def redis_url(request: pytest.FixtureRequest) -> str:
    """The URL of each store in turn: the embedded one, and a real one without keys."""
    if request.param == "fakeredis":
        return "memory://"
    server: RedisServer = request.getfixturevalue("redis_server")
    server.empty()
    return server.url


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: PostgresServer) -> Iterator[str]:
    """The one PostgreSQL database with tables; every test leaves it empty."""
    with migrated_postgres_url(postgres_server) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of each database in turn, with tables and without rows: a new SQLite file, and a PostgreSQL."""
    if request.param == "sqlite":
        yield migrated_sqlite_url(tmp_path / "ekdial.db")
        return
    url = request.getfixturevalue("migrated_postgres")
    yield url
    delete_all_rows(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of each database in turn, without tables."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/ekdial.db"
        return
    with new_database(request.getfixturevalue("postgres_server")) as url:
        yield url


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Client]:
    """A client of the store."""
    async with open_session_store(redis_url, CIPHER) as opened:
        yield opened.client


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Each database in turn."""
    async with Database(database_url) as database:
        yield database


@pytest.fixture(autouse=True)
def declared_contexts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a test encrypts belongs to a column that `keys rotate` knows."""
    if not {"core", "sessions"} & set(request.path.parts):
        check_encrypted_contexts(monkeypatch)


@pytest.fixture
def clock() -> ManualClock:
    """A clock at noon in Dhaka, until a test moves it."""
    return ManualClock(datetime(2026, 11, 21, 6, 0, tzinfo=UTC))


@pytest.fixture
def pins() -> Iterator[SecretHasher]:
    """The service that hashes PINs."""
    with closing(SecretHasher(CIPHER)) as pins:
        yield pins


@pytest.fixture
def product_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes with the parameters of the product."""
    for name, value in PRODUCT_HASHES.items():
        monkeypatch.setattr(f"services.citizens.pins.{name}", value)


@pytest.fixture
def services(database: Database, clock: ManualClock, pins: SecretHasher) -> ServiceSet:
    """All services over one database, on each database in turn."""
    return ServiceSet(database, clock, pins)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--quick`, the part of the suite for the inner loop."""
    parser.addoption("--quick", action="store_true", help="one backend each, no server, no browser, no slow test")
    parser.addoption("--network", choices=NETWORKS, default=NETWORKS[0], help="what the phones of tests call over")


def pytest_configure(config: pytest.Config) -> None:
    """Put the phones of this run on its network."""
    SELECTED.name = config.getoption("--network")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """With `-n auto`, three workers for two cores: many tests wait for servers, processes and a browser."""
    if os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS"):
        return None
    return max(2, (os.cpu_count() or 1) * 3 // 2)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out tests that this run does not need, and start with the longest ones."""
    keep = is_quick if config.getoption("--quick") else is_pure_backend
    kept = [item for item in items if keep(item) and is_of_network(item)]
    config.hook.pytest_deselected(items=[item for item in items if id(item) not in set(map(id, kept))])
    items[:] = sorted(kept, key=lambda item: not is_long(item))


def is_of_network(item: pytest.Item) -> bool:
    """Whether the test can run on the network of this run: one that is about Africa's Talking's own wire is marked so."""
    if SELECTED.name == KAIOS and item.get_closest_marker("calls_only"):
        return False
    return SELECTED.name == NETWORKS[0] or item.get_closest_marker("africastalking_wire") is None


def pytest_collectstart() -> None:
    """Collect no garbage while this process collects tests: next to none of it is garbage."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Collect garbage from now on, but not among the tests, and more rarely than Python does."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    gc.enable()


_ended_tests = count(1)


def pytest_runtest_logfinish() -> None:
    """Take what is alive out of garbage collection from time to time: walking it again and again is a fifth of the run."""
    if next(_ended_tests) % TESTS_PER_FREEZE == 0:
        gc.collect()
        gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Fail a test that leaves the log configured: what logs next would log there in every later test."""
    if structlog.get_config()["cache_logger_on_first_use"]:
        structlog.reset_defaults()
        pytest.fail(
            f"{item.nodeid} leaves the log configured; put it back with structlog.reset_defaults()", pytrace=False
        )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the servers and the browser of this run, and how many variants of answers were tried."""
    browser = find_chromium() or "none found"
    used = f"Redis: {describe_redis()} · PostgreSQL: {describe_postgres()} · Chromium: {browser}"
    terminalreporter.write_line(used)
    if variants := count_variants(terminalreporter.getreports("passed")):
        terminalreporter.write_line(f"Answers typed in another way, with the outcome of the plain one: {variants:,}")
